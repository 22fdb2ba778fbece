// A line of a report as it is kept: whose it is, and whether it may be (framework-services 6.2). Pure.
import { cleanName } from '#store/clean-text.ts'
import { keyOf, type Key, type Measured } from '#store/fold.ts'
import type { StatMicMsgBody, StatMicMsgHead } from '#tars/protocol/StatF.ts'

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
  readonly count: number
  readonly timeouts: number
  readonly failures: number
  /** Successes by the upper bound of their time, the least first. */
  readonly intervals: Intervals
  readonly total: number
  readonly max: number
  /** 0 when there was no success. */
  readonly min: number
}

export type Intervals = readonly (readonly [bound: number, count: number])[]
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

/** What the body of a line says. */
export function valueOfBody(body: StatMicMsgBody): StatValue | Reason {
  const { count, timeoutCount: timeouts, execCount: failures, maxRspTime: max, minRspTime: min } = body
  const total = Number(body.totalRspTime)
  if (count === 0 && timeouts === 0 && failures === 0) return 'empty'
  if (count < 0 || timeouts < 0 || failures < 0 || max < 0 || min < 0 || total < 0) return 'invalid'
  return { count, timeouts, failures, intervals: intervalsOf(body.intervalCount), total: Math.min(total, Number.MAX_SAFE_INTEGER), max, min }
}

function intervalsOf(counts: ReadonlyMap<number, number>): Intervals {
  const intervals: [number, number][] = []
  for (const [bound, count] of counts) if (bound >= 0 && count > 0) intervals.push([bound, count])
  return sorted(intervals)
}

/** The least bound first; what is beyond the bounds that are told apart is under the greatest of them. */
export function sorted(intervals: [number, number][]): Intervals {
  if (intervals.length > 1) intervals.sort(([a], [b]) => a - b)
  const last = intervals[mostIntervals - 1]
  if (last !== undefined) for (const [, count] of intervals.splice(mostIntervals)) last[1] += count
  return intervals
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
