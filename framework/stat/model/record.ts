// A line of a report as it is kept: whose it is, and whether it may be (framework-services 6.2). Pure.
import { cleanName } from '#store/clean-text.ts'
import type { StatMicMsgBody, StatMicMsgHead } from '#tars/protocol/StatF.ts'

/** What calls of one kind came to. Times in milliseconds. */
export interface StatRecord {
  /** `App.Server` of who reports, as it says. */
  readonly by: string
  readonly key: StatKey
  readonly count: number
  readonly timeouts: number
  readonly failures: number
  /** Successes by the upper bound of their time. */
  readonly intervals: readonly (readonly [bound: number, count: number])[]
  readonly total: number
  readonly max: number
  /** 0 when there was no success. */
  readonly min: number
}

export interface StatKey {
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

/** What is known of who reports, and of names and addresses. */
export interface Reporter {
  /** Pod, or whatever it goes by. */
  readonly node: string
  /** `App.Server` of the pod that reports; undefined for a stranger. */
  readonly owner: string | undefined
  /** Whether a server of this name runs here. */
  readonly isOwner: (name: string) => boolean
  /** The pod that an address or a DNS name means, else the text itself. */
  readonly host: (text: string) => string
}

/** Why a line is not kept. */
export type Reason = 'empty' | 'internal' | 'invalid' | 'foreign'

/** Servers that report about calls that nobody asks about. */
const internalSlaves = new Set(['tars.tarsnode', 'tars.tarsproperty', 'tars.tarsstat', 'tars.tarsnotify'])
const internalMasters = new Set(['tars.tarsnode', 'elk'])
const mostIntervals = 32

/** One line of reportMicMsg. */
export function recordOf(head: StatMicMsgHead, body: StatMicMsgBody, fromClient: boolean, reporter: Reporter): StatRecord | Reason {
  const { name: master, version } = splitVersion(head.masterName)
  const own = serverOf(fromClient ? master : head.slaveName)
  if (body.count === 0 && body.timeoutCount === 0 && body.execCount === 0) return 'empty'
  if (internalSlaves.has(head.slaveName) || (version !== '' && internalMasters.has(master))) return 'internal'
  if (Math.min(body.count, body.timeoutCount, body.execCount, body.maxRspTime, body.minRspTime) < 0 || body.totalRspTime < 0n) return 'invalid'
  // A pod may speak for itself, and under a name that is no server's; not for another server.
  if (reporter.owner !== undefined && own !== reporter.owner && reporter.isOwner(own)) return 'foreign'
  return {
    by: cleanName(own),
    key: {
      master: cleanName(master), slave: cleanName(head.slaveName), interface: cleanName(head.interfaceName), version: cleanName(version === '' ? head.tarsVersion : version, 32),
      masterIp: cleanName(fromClient ? reporter.node : reporter.host(head.masterIp)), slaveIp: cleanName(fromClient ? reporter.host(head.slaveIp) : reporter.node),
      port: head.slavePort, ret: head.returnValue,
      setName: cleanName(head.slaveSetName, 32), setArea: cleanName(head.slaveSetArea, 32), setId: cleanName(head.slaveSetID, 32),
    },
    count: body.count, timeouts: body.timeoutCount, failures: body.execCount,
    intervals: [...body.intervalCount].filter(([bound, count]) => bound >= 0 && count > 0).sort(([a], [b]) => a - b).slice(0, mostIntervals),
    total: Math.min(Number(body.totalRspTime), Number.MAX_SAFE_INTEGER), max: body.maxRspTime, min: body.minRspTime,
  }
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
