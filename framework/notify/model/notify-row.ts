// A notification as a row of the store, and back (framework-services 3.3). Pure.
import { dayOf, two, type Found, type Row } from '#store/dataset.ts'
import type { Level } from './level.ts'
import type { NotifyRecord } from './record.ts'

/** @param id of the row; of two of one time the greater is the newer */
export function rowOf({ time, app, server, node, thread, level, source, set, container, message }: NotifyRecord, id: string): Row {
  const document = {
    '@timestamp': new Date(time).toISOString(), notifyTime: withOffset(time), app, server, podName: node, impThread: thread, level, source, message,
    ...(set === '' ? {} : { set }), ...(container === '' ? {} : { container }),
  }
  return { id, day: dayOf(time), fields: { time, app, server, node }, document }
}

export function recordOf({ document = {} }: Found): NotifyRecord {
  const text = (name: string): string => {
    const value = (document as Readonly<Record<string, unknown>>)[name]
    return typeof value === 'string' ? value : ''
  }
  return {
    time: Date.parse(text('@timestamp')), app: text('app'), server: text('server'), node: text('podName'), thread: text('impThread'), level: text('level') as Level,
    source: text('source') as NotifyRecord['source'], set: text('set'), container: text('container'), message: text('message'),
  }
}

/** `2026-01-05T10:00:00+0800`, local time. */
function withOffset(time: number): string {
  const offset = -new Date(time).getTimezoneOffset()
  const local = new Date(time + offset * 60_000).toISOString().slice(0, 19)
  return `${local}${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`
}
