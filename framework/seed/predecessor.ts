// What a chart of K8SFramework 1.4 left in the namespace (control-plane spec D.2), so that the upgrade of its release loses nothing.
import { resources } from '#api/resources.ts'
import { frameworkServerName } from '#api/seed/servers.ts'
import type { TImage, TServer } from '#api/types.ts'
import type { Logger } from '#base/log.ts'
import type { KubeClient } from '#kube/client.ts'
import { isNotFound } from '#kube/errors.ts'
import type { Resource } from '#kube/types.ts'

/** Tells Helm to leave an object alone when its chart has it no more. */
const keep = { 'helm.sh/resource-policy': 'keep' } as const

/** TImages were part of its chart, and are of none of ours: Helm would delete them, and with them what people have built on. */
export async function keepImages(client: KubeClient, namespace: string, signal?: AbortSignal): Promise<void> {
  const resource = resources.timages as Resource<TImage>
  const { items } = await client.list(resource, { namespace, labelSelector: 'app.kubernetes.io/managed-by=Helm', signal })
  for (const { metadata: { name, annotations } } of items) {
    if (annotations?.['helm.sh/resource-policy'] !== 'keep') await client.patch(resource, { namespace, name }, { metadata: { annotations: keep } }, { signal })
  }
}

/** Its tarskevent is a Tars server and ours is none, which no TServer can become. It keeps nothing; Helm makes the new one a moment later. */
export async function clearKevent(client: KubeClient, namespace: string, log: Logger, signal?: AbortSignal): Promise<void> {
  const resource = resources.tservers as Resource<TServer>
  const target = { namespace, name: frameworkServerName('kevent') }
  try {
    const { metadata: { uid = '' }, spec: { subType } } = await client.get(resource, target, signal === undefined ? {} : { signal })
    if (subType !== 'tars') return
    await client.delete(resource, target, { preconditions: { uid }, signal })
    log.info('made way for the new one', { kind: 'TServer', name: target.name })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}
