// A line of a report as it is kept: whose it is, and whether it may be (framework-services 6.2). Pure.
import { cleanName } from '#store/clean-text.ts'
import { keyOf, type Key, type Measured } from '#store/fold.ts'
import type { StatMicMsgHead } from '#tars/protocol/StatF.ts'

/** Who calls what; by: who reports it. */
export interface StatNames {
  readonly master: string
  readonly slave: string
  readonly interface: string
  readonly version: string
  readonly masterIp: string
  readonly slaveIp: string
  readonly port: number
  readonly ret: number
  readonly setName: string
  readonly setArea: string
  readonly setId: string
}

export type StatKey = Key<StatNames>

/** What calls of one kind came to. Times in milliseconds. */
export interface StatValue {
  count: number
  timeouts: number
  failures: number
  /** Successes by the upper bound of their time: bound, count, the next bound, … , the least first. */
  intervals: number[]
  total: number
  max: number
  /** 0 when there was no success. */
  min: number
}

export type StatRecord = Measured<StatNames, StatValue>

/** What is known of who reports, and of names and addresses. */
export interface Reporter {
  /** Pod, or whatever it goes by. */
  readonly node: string
  /** `App.Server` of the pod that reports; undefined for a stranger. */
  readonly owner: string | undefined
  /** Whether a server of this name runs here. */
  readonly isOwner: (name: string) => boolean
  /** Whether it may speak for a server: for itself, and under a name that is no server's. */
  readonly mayReport: (server: string) => boolean
  /** The pod that an address or a DNS name means, else the text itself. */
  readonly host: (text: string) => string
}

/** Why a line is not kept. */
export type Reason = 'empty' | 'internal' | 'invalid' | 'foreign'

/** Servers that report about calls that nobody asks about. */
const internalSlaves = new Set(['tars.tarsnode', 'tars.tarsproperty', 'tars.tarsstat', 'tars.tarsnotify'])
const internalMasters = new Set(['tars.tarsnode', 'elk'])
/** Bounds of intervals that are told apart. */
export const mostIntervals = 32

/** What the head of a line of reportMicMsg says. */
export function keyOfHead(head: StatMicMsgHead, fromClient: boolean, reporter: Reporter): StatKey | Reason {
  const { name: master, version } = splitVersion(head.masterName)
  const own = serverOf(fromClient ? master : head.slaveName)
  if (internalSlaves.has(head.slaveName) || (version !== '' && internalMasters.has(master))) return 'internal'
  if (!reporter.mayReport(own)) return 'foreign'
  // What a pod says under made-up names is counted against its own server, so that they take no room from others.
  const by = reporter.owner === undefined || reporter.isOwner(own) ? own : reporter.owner
  return keyOf(cleanName(by), {
    master: cleanName(master), slave: cleanName(head.slaveName), interface: cleanName(head.interfaceName), version: cleanName(version === '' ? head.tarsVersion : version, 32),
    masterIp: cleanName(fromClient ? reporter.node : reporter.host(head.masterIp)), slaveIp: cleanName(fromClient ? reporter.host(head.slaveIp) : reporter.node),
    port: head.slavePort, ret: head.returnValue,
    setName: cleanName(head.slaveSetName, 32), setArea: cleanName(head.slaveSetArea, 32), setId: cleanName(head.slaveSetID, 32),
  })
}

/** Why the body of a line is not kept. */
export function faultOf({ count, timeouts, failures, total, max, min }: StatValue): Reason | undefined {
  if (count === 0 && timeouts === 0 && failures === 0) return 'empty'
  return count < 0 || timeouts < 0 || failures < 0 || max < 0 || min < 0 || total < 0 ? 'invalid' : undefined
}

/** Counts by bound in the order of {@link StatValue}; what is beyond the bounds that are told apart is under the greatest of them. */
export function inOrder(counts: ReadonlyMap<number, number>): number[] {
  const sorted = [...counts].sort(([a], [b]) => a - b)
  const last = sorted[mostIntervals - 1]
  if (last !== undefined) for (const [, count] of sorted.splice(mostIntervals)) last[1] += count
  return sorted.flat()
}

/** The counts of {@link StatValue} by bound. */
export function byBound(intervals: readonly number[]): Map<number, number> {
  return new Map(Array.from({ length: intervals.length / 2 }, (_, index) => [intervals[index * 2] ?? 0, intervals[index * 2 + 1] ?? 0]))
}

/** `App.Server@version` */
function splitVersion(text: string): { readonly name: string; readonly version: string } {
  const at = text.indexOf('@')
  return at < 0 ? { name: text, version: '' } : { name: text.slice(0, at), version: text.slice(at + 1) }
}

/** Without the set that TarsCpp adds. */
function serverOf(name: string): string {
  return name.split('.').slice(0, 2).join('.')
}
