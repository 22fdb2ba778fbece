import { createHash } from 'node:crypto'
import type { KubeClient } from './client.ts'
import { isAlreadyExists } from './errors.ts'
import { events } from './resources.ts'

/** What an event says (Kubernetes API reference, "Event v1 core"). */
export interface News {
  readonly type: 'Normal' | 'Warning'
  readonly reason: string
  readonly message: string
}

/** What an event is about. */
export interface Subject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly namespace?: string; readonly name: string; readonly uid?: string }
}

export interface Reporter {
  readonly client: KubeClient
  /** Who says it. */
  readonly component: string
  /** Milliseconds since the epoch. */
  readonly now: number
}

/** Tells the operator about an object by an event; the same again only counts up, whichever replica or node says it. */
export async function tellEvent({ client, component, now }: Reporter, { apiVersion, kind, metadata }: Subject, { type, reason, message }: News): Promise<void> {
  const { namespace = '', name, uid = '' } = metadata
  const time = new Date(now).toISOString().replace(/\.\d+Z$/, 'Z')
  const id = createHash('sha256').update(JSON.stringify([uid, reason, message])).digest('hex').slice(0, 16)
  const event = {
    metadata: { name: `${name}.${id}`, namespace },
    involvedObject: { apiVersion, kind, namespace, name, uid },
    type, reason, message, count: 1, firstTimestamp: time, lastTimestamp: time,
    source: { component }, reportingComponent: component, reportingInstance: '',
  }
  try {
    await client.create(events, event)
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
    const known = await client.get(events, event.metadata)
    await client.patch(events, event.metadata, { count: Number(known['count'] ?? 1) + 1, lastTimestamp: time })
  }
}
