// Grave notifications as the receivers of alerts want them. Pure.
import { createHash } from 'node:crypto'
import type { NotifyRecord } from './record.ts'
import { levels, type Level } from './level.ts'

/**
 * `alertmanager`: POST /api/v2/alerts of Prometheus Alertmanager. `text`: `{"text": …}`, as Slack and Mattermost take it.
 * `msgtype`: `{"msgtype": "text", "text": {"content": …}}`, as WeCom and DingTalk take it.
 */
export const alertForms = ['alertmanager', 'text', 'msgtype'] as const
export type AlertForm = (typeof alertForms)[number]

export function isAtLeast(level: Level, least: Level): boolean {
  return levels.indexOf(level) >= levels.indexOf(least)
}

/** Bytes of one message: of `text` what Mattermost takes whole, and Slack too; of `msgtype` what WeCom takes, which is less than DingTalk does. */
export const longestMessage: Readonly<Record<AlertForm, number>> = { alertmanager: 256 * 1024, text: 16_000, msgtype: 2048 }

const ellipsis = '...'

const lineOf = (form: AlertForm, { level, app, server, node, message }: NotifyRecord): string => cut(`${level} ${app}.${server} ${node}: ${message}`, longestMessage[form])

/** Bytes that an alert takes of a message, with the end of its line. */
export const bytesOf = (form: AlertForm, record: NotifyRecord): number => Buffer.byteLength(lineOf(form, record)) + 1

/** No more than so many bytes, without half a character. */
function cut(text: string, bytes: number): string {
  const all = Buffer.from(text)
  const end = all.subarray(0, bytes - ellipsis.length).findLastIndex((byte) => (byte & 0xc0) !== 0x80)
  return all.length <= bytes ? text : all.toString('utf8', 0, end) + ellipsis
}

/** What one request carries. */
export function alertBody(form: AlertForm, records: readonly NotifyRecord[]): unknown {
  if (form === 'alertmanager') {
    return records.map(({ time, level, app, server, node, set, message }) => ({
      labels: { alertname: 'TarsNotify', app, server, node, severity: level.slice(1, -1), ...(set === '' ? {} : { set }) },
      annotations: { message },
      startsAt: new Date(time).toISOString(),
    }))
  }
  const content = records.map((record) => lineOf(form, record)).join('\n')
  return form === 'text' ? { text: content } : { msgtype: 'text', text: { content } }
}

/** Codes of WeCom and DingTalk after which the same message may be taken: busy, or too many in a minute. */
const temporaryCodes: ReadonlySet<unknown> = new Set([-1, 45009, 130101, 410100])

/** What WeCom and DingTalk say is wrong, which they answer with status 200 and an `errcode`. */
export function refusalOf(form: AlertForm, answer: string): { readonly temporary: boolean } | undefined {
  const code = form === 'msgtype' ? /"errcode"\s*:\s*(-?\d+)/.exec(answer)?.[1] : undefined
  return code === undefined || Number(code) === 0 ? undefined : { temporary: temporaryCodes.has(Number(code)) }
}

/** Alerts that are told apart; beyond, all are forgotten. */
const mostKnown = 10_000

/** The same alert again is none for a while. */
export class AlertMemory {
  readonly #repeatMs: number
  /** By digest: texts may be long. */
  readonly #known = new Map<string, number>()

  constructor(repeatMs: number) {
    this.#repeatMs = repeatMs
  }

  /** @param now monotonic milliseconds */
  isNew({ app, server, node, level, message }: NotifyRecord, now: number): boolean {
    const key = createHash('sha256').update(JSON.stringify([app, server, node, level, message])).digest('latin1')
    const at = this.#known.get(key)
    if (at !== undefined && now - at < this.#repeatMs) return false
    if (this.#known.size >= mostKnown) this.#known.clear()
    this.#known.set(key, now)
    return true
  }
}
