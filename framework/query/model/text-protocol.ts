// The text in which webs asked before MonitorQuery (framework-services 8.4). Pure.
import { Failure } from '#base/errors.ts'
import { MonitorOp, type MonitorCondition, type MonitorQueryRsp } from '#tars/protocol/MonitorQuery.ts'
import type { Asked } from './question.ts'

export type TextQuestion = { readonly method: 'timecheck' } | { readonly method: 'query'; readonly asked: Asked }

/** Longest first, so that >= is not read as >. */
const signs: readonly (readonly [RegExp, MonitorOp])[] = [
  [/^\s*([A-Za-z_]+)\s+like\s+(.*)$/is, MonitorOp.LIKE],
  [/^\s*([A-Za-z_]+)\s*>=\s*(.*)$/s, MonitorOp.GTE],
  [/^\s*([A-Za-z_]+)\s*<=\s*(.*)$/s, MonitorOp.LTE],
  [/^\s*([A-Za-z_]+)\s*=\s*(.*)$/s, MonitorOp.EQ],
  [/^\s*([A-Za-z_]+)\s*>\s*(.*)$/s, MonitorOp.GT],
  [/^\s*([A-Za-z_]+)\s*<\s*(.*)$/s, MonitorOp.LT],
]

/**
 * @param text a JSON object; texts or lists of texts in it
 * @param usualIndex asked for where none is
 * @throws Failure STORE_QUESTION
 */
export function parseText(text: string, usualIndex: string): TextQuestion {
  let given: unknown
  try {
    given = JSON.parse(text)
  } catch (cause) {
    throw refused('the question is no JSON', cause)
  }
  if (typeof given !== 'object' || given === null) throw refused('the question is no JSON object')
  const fields = given as Record<string, unknown>
  const method = fields['method'] ?? 'query'
  if (method === 'timecheck') return { method }
  if (method !== 'query') throw refused(`there is no method "${String(method)}"; use query or timecheck`)
  const filters = listOf(fields, 'filter').map(parseFilter).filter((one) => one !== undefined)
  const indexs = listOf(fields, 'indexs')
  // Days and minutes are among the conditions.
  return { method, asked: { date: '', tflag1: '0000', tflag2: '2360', conditions: filters, groupby: listOf(fields, 'groupby'), indexs: indexs.length === 0 ? [usualIndex] : indexs } }
}

/** `f_date=20200304`, `slave_name like '%x'`. Whether a server is one of Tars is not asked here: all are. */
function parseFilter(text: string): MonitorCondition | undefined {
  for (const [pattern, op] of signs) {
    const match = pattern.exec(text)
    if (match === null) continue
    const [, field = '', value = ''] = match
    return field === 'istars' ? undefined : { field, op, val: value.trim().replace(/^'(.*)'$/s, '$1') }
  }
  throw refused(`the filter "${text}" compares nothing`)
}

function listOf(fields: Record<string, unknown>, name: string): string[] {
  const value = fields[name] ?? []
  const list: unknown[] = Array.isArray(value) ? value : [value]
  return list.filter((one) => one !== '').map((one) => (typeof one === 'string' ? one : thrown(refused(`${name} must be texts`))))
}

/** The answer's lines; the last is endline. */
export function textOf({ ret, msg, lastTime, activeDb, totalDb, retThreads, result }: MonitorQueryRsp): string {
  if (ret !== 0) return errorText(msg)
  const rows = [...result].map(([key, values]) => `${key === '' ? '' : `${key},`}${values.map((value) => `${value},`).join('')}`)
  const threads = retThreads.map((code, index) => `ret:${code}|iDb:${index}`)
  return [`Ret:${ret}`, `lasttime:${lastTime}`, `ActiveDb:${activeDb}`, `TotalDb:${totalDb}`, ...threads, `linecount:${rows.length}`, ...rows, 'endline\n'].join('\n')
}

export const timeText = (lastTime: string): string => `lasttime:${lastTime}\nendline\n`
export const errorText = (message: string): string => `Ret:-1\n${message.replaceAll('\n', ' ')}\nendline\n`

function refused(message: string, cause?: unknown): Failure {
  return new Failure('STORE_QUESTION', message, { remedy: 'ask as {"method":"query","filter":["f_date=20260101"],"groupby":["f_tflag"],"indexs":["succ_count"]}', ...(cause === undefined ? {} : { cause }) })
}

function thrown(error: Error): never {
  throw error
}
