// Grave notifications as the receivers of alerts want them. Pure.
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

const textOf = ({ level, app, server, node, message }: NotifyRecord): string => `${level} ${app}.${server} ${node}: ${message}`

/** What one request carries. */
export function alertBody(form: AlertForm, records: readonly NotifyRecord[]): unknown {
  if (form === 'alertmanager') {
    return records.map(({ time, level, app, server, node, set, message }) => ({
      labels: { alertname: 'TarsNotify', app, server, node, severity: level.slice(1, -1), ...(set === '' ? {} : { set }) },
      annotations: { message },
      startsAt: new Date(time).toISOString(),
    }))
  }
  const content = records.map(textOf).join('\n')
  return form === 'text' ? { text: content } : { msgtype: 'text', text: { content } }
}

/** Alerts that are told apart; beyond, all are forgotten. */
const mostKnown = 10_000

/** The same alert again is none for a while. */
export class AlertMemory {
  readonly #repeatMs: number
  readonly #known = new Map<string, number>()

  constructor(repeatMs: number) {
    this.#repeatMs = repeatMs
  }

  /** @param now monotonic milliseconds */
  isNew({ app, server, node, level, message }: NotifyRecord, now: number): boolean {
    const key = JSON.stringify([app, server, node, level, message])
    const at = this.#known.get(key)
    if (at !== undefined && now - at < this.#repeatMs) return false
    if (this.#known.size >= mostKnown) this.#known.clear()
    this.#known.set(key, now)
    return true
  }
}
