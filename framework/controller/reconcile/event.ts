import type { TServer } from '#api/types.ts'
import { isAlreadyExists } from '#kube/errors.ts'
import { events } from '#kube/resources.ts'
import type { KubeObject } from '#kube/types.ts'
import { digest } from './apply.ts'
import type { ControllerContext } from './context.ts'

/** Tells the operator about a server by a Warning event; the same again only counts up. */
export function warn(context: ControllerContext, server: TServer, reason: string, message: string): Promise<void> {
  return tell(context, server, { type: 'Warning', reason, message })
}

/** What an event says. */
export interface News {
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}

/** Tells the operator about an object by an event; the same again only counts up. */
export async function tell({ client, clock }: Pick<ControllerContext, 'client' | 'clock'>, { apiVersion, kind, metadata }: Pick<KubeObject, 'apiVersion' | 'kind' | 'metadata'>, { type, reason, message }: News): Promise<void> {
  const { namespace = '', name, uid = '' } = metadata
  const now = new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z')
  const event = {
    metadata: { name: `${name}.${digest([uid, reason, message])}`, namespace },
    involvedObject: { apiVersion, kind, namespace, name, uid },
    type, reason, message, count: 1, firstTimestamp: now, lastTimestamp: now,
    source: { component: 'tarscontroller' }, reportingComponent: 'tarscontroller', reportingInstance: '',
  }
  try {
    await client.create(events, event)
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
    const known = await client.get(events, event.metadata)
    await client.patch(events, event.metadata, { count: Number(known['count'] ?? 1) + 1, lastTimestamp: now })
  }
}
