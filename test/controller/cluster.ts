import { randomUUID } from 'node:crypto'
import { customResourceDefinitions } from '#api/crds.ts'
import { frameworkObjects, type SeedOptions } from '#api/seed.ts'
import { createLogger, silentLogger, type Logger } from '#base/log.ts'
import { createKubeClient, type KubeClient } from '#kube/client.ts'
import { customResourceDefinitions as crdResource } from '#kube/resources.ts'
import type { AnyObject, Resource } from '#kube/types.ts'
import { resources } from '#api/resources.ts'
import { startController, type Controller } from '../../framework/controller/controller.ts'
import { convertObjects } from '../../framework/controller/webhook/convert.ts'
import { liveReaders } from '../../framework/controller/webhook/readers.ts'
import { registrations } from '../../framework/controller/webhook/registrations.ts'
import { startApiServer, type AdmissionHook, type ApiServer } from '../../framework/local/apiserver/server.ts'

export interface TestCluster {
  readonly server: ApiServer
  readonly client: KubeClient
  readonly namespace: string
  stop(): Promise<void>
}

const log: Logger = process.env['DEBUG'] === undefined ? silentLogger : createLogger({ format: 'text' })

/** Somebody else's webhook: no StatefulSet for servers named Forbidden. */
const forbidding: AdmissionHook = {
  name: 'policy.test', phase: 'validating', rules: [{ operations: ['CREATE'], apiGroups: ['apps'], apiVersions: ['v1'], resources: ['statefulsets'] }],
  review: async ({ uid, name }) => ({ uid, allowed: name !== 'demo-forbidden', status: { message: 'too many pods' } }),
}

/** An embedded API server with our CRDs, webhooks and the objects of a framework. */
export async function startCluster(seed: Partial<SeedOptions> = {}): Promise<TestCluster> {
  const token = randomUUID()
  const namespace = 'ns'
  const ready = Promise.withResolvers<KubeClient>()
  const later = { get: async (...args: never[]) => liveReaders(await ready.promise).get(...(args as never as [never, never, never])), list: async (...args: never[]) => liveReaders(await ready.promise).list(...(args as never as [never, never])) }
  const server = await startApiServer({
    dataFile: ':memory:', host: '127.0.0.1', port: 0, token, log, namespaces: [namespace],
    admission: [...registrations(later as never), forbidding], convert: async (objects, version) => convertObjects(objects, version),
  })
  const client = createKubeClient(server.config)
  ready.resolve(client)
  for (const crd of customResourceDefinitions({ served: ['v1beta1', 'v1beta2', 'v1beta3'] })) await client.create(crdResource, crd as never)
  for (const resource of Object.values(resources)) await eventually(() => client.list(resource as never).catch(() => undefined))
  const objects = frameworkObjects({ namespace, registry: 'registry.test/tars', release: { id: 'v1', image: 'registry.test/tars/tarsk8s:v1' }, time: '2024-01-01T00:00:00Z', ...seed })
  for (const object of objects) await client.create(resourceOf(object.kind), object)
  return { server, client, namespace, stop: async () => { client.close(); await server.stop() } }
}

/** A controller with a client and a user of its own. */
export async function controllerOf({ server, namespace }: TestCluster): Promise<Controller> {
  const client = clientAs(server, 'system:serviceaccount:tars-system:tars-controller')
  const controller = await startController({ client, namespace, log })
  void controller.done.finally(() => client.close())
  return controller
}

/** A client that acts as this user. */
export function clientAs({ config }: ApiServer, user: string): KubeClient {
  return createKubeClient({ ...config, impersonate: user })
}

export function resourceOf(kind: string): Resource {
  const found = Object.values(resources).find((resource) => resource.kind === kind)
  if (found === undefined) throw new Error(`no resource of kind ${kind}`)
  return found as unknown as Resource
}

/** Polls until `probe` gives a value; the test's own timeout ends it. */
export async function eventually<T>(probe: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const value = await probe()
    if (value !== undefined) return value
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** The object, or undefined when it is not there. */
export async function peek(client: KubeClient, resource: Resource, namespace: string, name: string): Promise<AnyObject | undefined> {
  return liveReaders(client).get(resource, namespace, name)
}
