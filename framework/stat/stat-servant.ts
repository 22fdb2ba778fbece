import type { Callers } from '#kube/callers.ts'
import type { Current } from '#tars/server.ts'
import type { StatFServant } from '#tars/protocol/StatF.ts'
import { recordOf, type Reason, type Reporter, type StatRecord } from './model/record.ts'

export interface StatServantOptions {
  readonly add: (records: readonly StatRecord[]) => Promise<void>
  readonly callers: Pick<Callers, 'at' | 'isPod' | 'isOwner'>
  readonly counts: StatCounts
}

/** Lines of reports. */
export interface StatCounts {
  taken: number
  readonly refused: Record<Reason, number>
  samples: number
}

/** `tars.tarsstat.StatObj` (framework-services 6). */
export function statServant({ add, callers, counts }: StatServantOptions): StatFServant {
  /** An address, or a DNS name, which begins with the pod's name. */
  const host = (text: string): string => {
    const pod = callers.at(text)?.pod
    const first = text.split('.')[0] ?? ''
    return pod ?? (callers.isPod(first) ? first : text)
  }
  const reporterOf = ({ caller, peer }: Current): Reporter => {
    const known = callers.at(peer.address)
    return { node: known?.pod ?? host(caller), owner: known?.owner, isOwner: callers.isOwner, host }
  }
  return {
    async reportMicMsg(msg, fromClient, current) {
      const reporter = reporterOf(current)
      const records: StatRecord[] = []
      for (const [head, body] of msg) {
        const record = recordOf(head, body, fromClient, reporter)
        if (typeof record === 'string') counts.refused[record]++
        else records.push(record)
      }
      counts.taken += records.length
      await add(records)
      return 0
    },
    // Sampled call trees are not kept; whoever reports them is told that they arrived, as by native.
    reportSampleMsg(msg) {
      counts.samples += msg.length
      return 0
    },
  }
}
