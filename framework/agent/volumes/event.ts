import { createHash } from 'node:crypto'
import type { KubeClient } from '#kube/client.ts'
import { isAlreadyExists } from '#kube/errors.ts'
import { events } from '#kube/resources.ts'
import type { Claim } from './kinds.ts'

/** Tells the claim's owner what is wrong, by a Warning event; the same again only counts up, whichever node says it. */
export async function warnClaim(client: KubeClient, claim: Claim, reason: string, message: string): Promise<void> {
  const { namespace = '', name, uid = '' } = claim.metadata
  const now = new Date().toISOString().replace(/\.\d+Z$/, 'Z')
  const id = createHash('sha256').update(JSON.stringify([uid, reason, message])).digest('hex').slice(0, 16)
  const event = {
    metadata: { name: `${name}.${id}`, namespace },
    involvedObject: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid },
    type: 'Warning', reason, message, count: 1, firstTimestamp: now, lastTimestamp: now,
    source: { component: 'tarsagent' }, reportingComponent: 'tarsagent', reportingInstance: '',
  }
  try {
    await client.create(events, event)
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
    const known = await client.get(events, event.metadata)
    await client.patch(events, event.metadata, { count: Number(known['count'] ?? 1) + 1, lastTimestamp: now })
  }
}
