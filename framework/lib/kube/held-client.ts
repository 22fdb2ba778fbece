import { Failure } from '#base/errors.ts'
import type { KubeClient } from './client.ts'

const writes = ['create', 'update', 'replaceStatus', 'patch', 'apply', 'delete', 'deleteCollection'] as const

/**
 * The client, for work that one process of several does: it writes only while that one is this one.
 * @param holds asked right before each write; see ElectionOptions.lead
 */
export function heldClient(client: KubeClient, holds: () => boolean): KubeClient {
  const guard = (write: (...args: never[]) => Promise<unknown>) => async (...args: never[]): Promise<unknown> => {
    if (!holds()) throw new Failure('LEASE_DOUBTFUL', 'nothing is written: the lease may have passed to another', { temporary: true })
    return write(...args)
  }
  return { ...client, ...(Object.fromEntries(writes.map((name) => [name, guard(client[name])])) as unknown as Pick<KubeClient, (typeof writes)[number]>) }
}
