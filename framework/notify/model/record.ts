// A notification, from whatever form it came in. Pure.
import type { ReportInfo } from '#tars/protocol/NotifyF.ts'
import { graver, levelOfMessage, levelOfNumber, type Level } from './level.ts'

export interface NotifyRecord {
  /** Milliseconds since the epoch. */
  readonly time: number
  readonly app: string
  readonly server: string
  /** `<pod>.<server>` of a pod, else whatever the caller goes by. */
  readonly node: string
  readonly thread: string
  readonly level: Level
  /** `program` through the old functions, `server` through reportNotifyInfo (3.3). */
  readonly source: 'program' | 'server'
  /** `name.area.group`, or empty. */
  readonly set: string
  readonly container: string
  readonly message: string
}

/** Characters of a message that are kept. */
const longestMessage = 8192
/** Characters of any other text. */
const longestName = 253

/** ReportType on the wire. */
const notifyType = 1

/** What reportServer and notifyServer carry. */
export interface ProgramReport {
  /** `App.Server` */
  readonly name: string
  readonly node: string
  readonly thread?: string
  /** NOTIFYLEVEL; without it the message says the level. */
  readonly level?: number
  readonly message: string
}

/** @param time milliseconds since the epoch */
export function recordOfProgram({ name, node, thread = '', level, message }: ProgramReport, time: number): NotifyRecord {
  return clip({
    ...splitServer('', name), time, node, thread, message, source: 'program', set: '', container: '',
    level: level === undefined ? levelOfMessage(message) : levelOfNumber(level),
  })
}

/**
 * Through reportNotifyInfo. A REPORT carries its level in its message (native), a TarsGo one in eLevel: the graver
 * counts. TarsJava puts `App.Server` into sServer and leaves sApp empty.
 */
export function recordOfInfo(info: ReportInfo, node: string, time: number): NotifyRecord {
  const given = levelOfNumber(info.eLevel)
  return clip({
    ...splitServer(info.sApp, info.sServer), time, node, source: 'server',
    thread: info.sThreadId, set: validSet(info.sSet), container: info.sContainer, message: info.sMessage,
    level: info.eType === notifyType ? given : graver(given, levelOfMessage(info.sMessage)),
  })
}

/** Native keeps a set of three parts only, of which the first two are no wildcards. */
function validSet(set: string): string {
  const [name = '', area = '', group = '', ...rest] = set.split('.', 4)
  return rest.length > 0 || [name, area, group].includes('') || [name, area].includes('*') ? '' : set
}

/** `App.Server` in either field; an empty name is no server's and is kept under no name. */
export function splitServer(app: string, server: string): { readonly app: string; readonly server: string } {
  const dot = server.indexOf('.')
  if (dot < 0) return app === '' ? { app: server, server: '' } : { app, server }
  const first = server.slice(0, dot)
  return app === '' || app === first ? { app: first, server: server.slice(dot + 1) } : { app, server }
}

function clip(record: NotifyRecord): NotifyRecord {
  const short = (text: string, length: number) => (text.length > length ? `${text.slice(0, length - 1)}…` : text)
  return {
    ...record,
    app: short(record.app, longestName), server: short(record.server, longestName), node: short(record.node, longestName),
    thread: short(record.thread, longestName), set: short(record.set, longestName), container: short(record.container, longestName),
    message: short(record.message, longestMessage),
  }
}
