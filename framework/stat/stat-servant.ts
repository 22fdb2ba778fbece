import type { CallerCheck } from '#kube/caller-check.ts'
import type { Callers } from '#kube/callers.ts'
import { Recent } from '#store/recent.ts'
import type { Current } from '#tars/server.ts'
import type { StatSampleMsg } from '#tars/protocol/StatF.ts'
import { keyOfHead, valueOfBody, type Reason, type Reporter, type StatKey, type StatRecord } from './model/record.ts'
import { readHead, type StatLine } from './stat-lines.ts'

export interface StatServantOptions {
  readonly add: (records: readonly StatRecord[]) => Promise<void>
  readonly callers: Pick<Callers, 'at' | 'isPod' | 'isOwner' | 'version'>
  /** Who may report of a server. */
  readonly check: Pick<CallerCheck, 'admits'>
  readonly counts: StatCounts
  /** Keys that are remembered from one report to the next, at least. */
  readonly keys: number
}

/** Lines of reports. */
export interface StatCounts {
  taken: number
  readonly refused: Record<Reason, number>
  samples: number
}

/** Longest head that is remembered, bytes; native's names are shorter. */
const longestHead = 1024

/** `tars.tarsstat.StatObj` (framework-services 6), with the lines of StatOfHeads. */
export function statServant({ add, callers, check, counts, keys }: StatServantOptions) {
  /** What heads say, by who sent them. */
  const known = new Recent<StatKey | Reason>(keys)
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
  const keyIn = (head: string, fromClient: boolean, current: Current): StatKey | Reason => {
    const id = `${current.peer.address} ${current.caller} ${String(fromClient)} ${head}`
    const recent = known.get(id)
    if (recent !== undefined) return recent
    const key = keyOfHead(readHead(head), fromClient, reporterOf(current))
    if (head.length <= longestHead) known.set(id, key)
    return key
  }
  return {
    async reportMicMsg(lines: readonly StatLine[], fromClient: boolean, current: Current): Promise<number> {
      if (version !== callers.version) known.clear()
      version = callers.version
      const keysOfLines = lines.map(({ head }) => keyIn(head, fromClient, current))
      const records: StatRecord[] = []
      for (const [index, { body }] of lines.entries()) {
        const key = keysOfLines[index] as StatKey | Reason
        const value = valueOfBody(body)
        if (typeof value === 'string') counts.refused[value]++
        else if (typeof key === 'string') counts.refused[key]++
        else records.push({ key, value })
      }
      counts.taken += records.length
      await add(records)
      return 0
    },
    // Sampled call trees are not kept; whoever reports them is told that they arrived, as by native.
    reportSampleMsg(msg: readonly StatSampleMsg[]): number {
      counts.samples += msg.length
      return 0
    },
  }
}
