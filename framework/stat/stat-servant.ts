import type { CallerCheck } from '#kube/caller-check.ts'
import type { Callers } from '#kube/callers.ts'
import type { Current } from '#tars/server.ts'
import type { StatSampleMsg } from '#tars/protocol/StatF.ts'
import type { Head, Heads } from './heads.ts'
import { faultOf, keyOfHead, type Reason, type Reporter, type StatKey, type StatRecord } from './model/record.ts'
import type { StatLine } from './stat-lines.ts'

export interface StatServantOptions {
  readonly add: (records: readonly StatRecord[]) => Promise<void>
  readonly callers: Pick<Callers, 'at' | 'isPod' | 'isOwner' | 'version'>
  /** Who may report of a server. */
  readonly check: Pick<CallerCheck, 'admits'>
  readonly counts: StatCounts
  readonly heads: Heads
}

/** Lines of reports. */
export interface StatCounts {
  taken: number
  readonly refused: Record<Reason, number>
  samples: number
}

/** `tars.tarsstat.StatObj` (framework-services 6), with the lines of `statOfLines`. */
export function statServant({ add, callers, check, counts, heads }: StatServantOptions) {
  let version = callers.version
  /** An address, or a DNS name, which begins with the pod's name. */
  const host = (text: string): string => {
    const pod = callers.at(text)?.pod
    const first = text.split('.')[0] ?? ''
    return pod ?? (callers.isPod(first) ? first : text)
  }
  const reporterOf = ({ caller, peer }: Current): Reporter => {
    const pod = callers.at(peer.address)
    return { node: pod?.pod ?? host(caller), owner: pod?.owner, isOwner: callers.isOwner, mayReport: (server: string) => check.admits(peer.address, server), host }
  }
  const read = (head: Head, sender: string, fromClient: boolean, current: Current): StatKey | Reason => {
    const key = keyOfHead(head.read(), fromClient, reporterOf(current))
    heads.know(head, sender, key)
    return key
  }
  return {
    async reportMicMsg(lines: readonly StatLine[], fromClient: boolean, current: Current): Promise<number> {
      if (version !== callers.version) heads.clear()
      version = callers.version
      const sender = `${version} ${current.peer.address} ${current.caller} ${String(fromClient)}`
      const records: StatRecord[] = []
      const refused: Reason[] = []
      for (const { head, value } of lines) {
        const key = head.keys.get(sender) ?? read(head, sender, fromClient, current)
        const fault = typeof key === 'string' ? key : faultOf(value)
        if (fault !== undefined) refused.push(fault)
        else records.push({ key: key as StatKey, value })
      }
      await add(records)
      for (const reason of refused) counts.refused[reason]++
      counts.taken += records.length
      return 0
    },
    // Sampled call trees are not kept; whoever reports them is told that they arrived, as by native.
    reportSampleMsg(msg: readonly StatSampleMsg[]): number {
      counts.samples += msg.length
      return 0
    },
  }
}
