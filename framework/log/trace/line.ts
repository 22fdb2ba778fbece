// A line that a service writes about one moment of a call (framework-services 5). Pure.

/** Client sent, server received, server sent, client received; and begin and end of the whole trace at its entry point. */
export const moments = ['cs', 'sr', 'ss', 'cr', 'ts', 'te'] as const
export type Moment = (typeof moments)[number]

export interface TraceLine {
  readonly trace: string
  readonly span: string
  /** The span itself for the first one of a trace; empty where it is served. */
  readonly parent: string
  readonly moment: Moment
  /** Who calls, and App.Server of who is called. */
  readonly master: string
  readonly slave: string
  readonly function: string
  /** Milliseconds since the epoch. */
  readonly time: number
  readonly ret: string
  /** Base64 of the parameters or results. */
  readonly data: string
  /** What went wrong, in words. */
  readonly exception: string
}

/** What TarsCpp and TarsGo write for the parent where a call is served: only who called knows it. */
const notKnown = '*'
/** Longest id or name that is kept, characters. */
const longest = 255

/**
 * Reads `time|trace|span|parent|moment|master|slave|function|milliseconds|ret|data|exception`; the exception may have any
 * characters. Undefined for anything else.
 */
export function parseTraceLine(text: string): TraceLine | undefined {
  const [, trace = '', span = '', parent = '', word = '', master = '', object = '', func = '', ms = '', ret = '', data = '', ...rest] = text.trimEnd().split('|')
  const moment = moments.find((one) => one === word)
  const time = millisecondsOf(ms)
  if (moment === undefined || time === undefined || [trace, span].includes('')) return undefined
  if ([trace, span, parent, master, object, func].some((part) => part.length > longest)) return undefined
  const slave = object.split('.', 2).join('.')
  // A line may end in a separator.
  return { trace, span, parent: parent === notKnown ? '' : parent, moment, master, slave, function: func, time, ret, data, exception: rest.join('|').replace(/\|$/, '') }
}

/** Who wrote it, as `App.Server`: the caller of its side of a call, the called of the other one. */
export function writerOf({ moment, master, slave }: TraceLine): string {
  return moment === 'sr' || moment === 'ss' ? slave : master.split('.', 2).join('.')
}

/** Until the year 2286: in nanoseconds, as OTLP wants it, a later one has no room, and all that is sent with it would be refused. */
function millisecondsOf(text: string): number | undefined {
  return /^\d{1,13}$/.test(text) ? Number(text) : undefined
}
