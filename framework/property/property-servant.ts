import type { CallerCheck } from '#kube/caller-check.ts'
import type { Callers } from '#kube/callers.ts'
import type { PropertyFServant } from '#tars/protocol/PropertyF.ts'
import { recordsOf, type PropertyRecord, type Reason } from './model/record.ts'

export interface PropertyServantOptions {
  readonly add: (records: readonly PropertyRecord[]) => Promise<void>
  readonly callers: Pick<Callers, 'at' | 'isPod' | 'isOwner'>
  /** Who may report of a server. */
  readonly check: Pick<CallerCheck, 'admits'>
  readonly counts: PropertyCounts
}

/** Values. */
export interface PropertyCounts {
  taken: number
  readonly refused: Record<Reason, number>
}

/** `tars.tarsproperty.PropertyObj` (framework-services 7). */
export function propertyServant({ add, callers, check, counts }: PropertyServantOptions): PropertyFServant {
  return {
    async reportPropMsg(statmsg, { caller, peer }) {
      const known = callers.at(peer.address)
      const first = caller.split('.')[0] ?? ''
      const reporter = { node: known?.pod ?? (callers.isPod(first) ? first : caller), owner: known?.owner, isOwner: callers.isOwner, mayReport: (server: string) => check.admits(peer.address, server) }
      const records: PropertyRecord[] = []
      for (const [head, body] of statmsg) {
        for (const record of recordsOf(head, body, reporter)) {
          if (typeof record === 'string') counts.refused[record]++
          else records.push(record)
        }
      }
      await add(records)
      counts.taken += records.length
      return 0
    },
  }
}
