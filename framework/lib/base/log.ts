import { describe } from './errors.ts'
import { Limiter } from './limiter.ts'

export type Fields = Readonly<Record<string, unknown>>

/**
 * Structured log: a constant message and fields. Two levels only: `info` is what an operator wants to read,
 * `error` is what an operator must read; of many with one message the first are written.
 */
export interface Logger {
  info(message: string, fields?: Fields): void
  /** @param fields put the thrown value under `error`; its text and causes are written out */
  error(message: string, fields?: Fields): void
  /** A logger that adds these fields to every line. */
  child(fields: Fields): Logger
}

export interface LogOptions {
  /** Receives whole lines with their newline. Default: standard error. */
  readonly write?: (line: string) => void
  readonly now?: () => number
  /** Milliseconds of a clock that does not go back. */
  readonly monotonic?: () => number
  /** `json` for machines (default), `text` for a terminal. */
  readonly format?: 'json' | 'text'
  readonly fields?: Fields
}

/** Errors with one message; those beyond are left out, as most say what others make up. */
const limit = { windowMs: 10_000, count: 200 } as const

export function createLogger(options: LogOptions = {}): Logger {
  const write = options.write ?? ((line: string) => void process.stderr.write(line))
  const { now = Date.now, monotonic = () => performance.now() } = options
  const render = options.format === 'text' ? renderText : renderJson
  const errors = new Limiter(limit)
  const make = (base: Fields): Logger => {
    const log = (level: 'info' | 'error', message: string, fields: Fields) => write(render(new Date(now()).toISOString(), level, message, { ...base, ...fields }))
    return {
      info: (message, fields = {}) => log('info', message, fields),
      error(message, fields = {}) {
        const { taken, first } = errors.take(message, monotonic())
        if (taken || first) log('error', message, taken ? fields : { omitted: `more of these, for up to ${limit.windowMs / 1000} s` })
      },
      child: (fields) => make({ ...base, ...fields }),
    }
  }
  return make(options.fields ?? {})
}

export const silentLogger: Logger = { info() {}, error() {}, child: () => silentLogger }

/** Characters of one text; others make some of them up. */
const longest = 8192

function plain(value: unknown): unknown {
  if (value instanceof Error) return plain(describe(value))
  if (typeof value === 'string' && value.length > longest) return `${value.slice(0, longest)}… (${value.length} characters)`
  return typeof value === 'bigint' ? value.toString() : value
}

/** On one line, whoever made the text up. */
function onOneLine(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, (character) => (character === '\n' ? '\\n' : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`))
}

function renderJson(time: string, level: string, message: string, fields: Fields): string {
  const values = Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, plain(value)]))
  return JSON.stringify({ time, level, message, ...values }, (_key, value: unknown) => plain(value)) + '\n'
}

function renderText(time: string, level: string, message: string, fields: Fields): string {
  const parts = Object.entries(fields).filter(([, value]) => value !== undefined).map(([key, value]) => {
    const text = plain(value)
    return `${key}=${onOneLine(typeof text === 'string' ? text : JSON.stringify(text))}`
  })
  return `${time.slice(11, 23)} ${level === 'error' ? 'ERROR ' : ''}${message}${parts.length > 0 ? '  ' + parts.join(' ') : ''}\n`
}
