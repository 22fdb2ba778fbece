// The controller's webhooks, called inside this process: the same code that its HTTPS endpoints call on other clusters.
import { Failure } from '#base/errors.ts'
import type { KubeClient } from '#kube/client.ts'
import { convertObjects } from '../controller/webhook/convert.ts'
import { liveReaders } from '../controller/webhook/readers.ts'
import { registrations } from '../controller/webhook/registrations.ts'
import type { Readers } from '../controller/webhook/types.ts'
import type { AdmissionHook, Convert } from './apiserver/server.ts'

/** @param client the cluster's client, once there is one: the API server is up before it */
export function admissionHooks(client: () => KubeClient | undefined): AdmissionHook[] {
  const readers = (): Readers => liveReaders(client() ?? unavailable())
  const late: Readers = {
    get: async (resource, namespace, name) => readers().get(resource, namespace, name),
    list: async (resource, namespace, labelSelector) => readers().list(resource, namespace, labelSelector),
  }
  return registrations(late)
}

export const convertHook: Convert = async (objects, apiVersion) => convertObjects(objects, apiVersion)

function unavailable(): never {
  throw new Failure('LOCAL_STARTING', 'the cluster is starting', { temporary: true, remedy: 'try again in a moment' })
}
