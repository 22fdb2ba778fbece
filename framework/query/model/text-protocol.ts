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
    return field === 'istars' ? undefined : { field, op, val: literalOf(value.trim()) }
  }
  throw refused(`the filter "${text}" compares nothing`)
}

/** What stands behind a backslash for something else than itself; before a wildcard it is for LIKE to see. */
const escapes: Readonly<Record<string, string>> = { 0: '\0', b: '\b', n: '\n', r: '\r', t: '\t', Z: '\u001A', '%': String.raw`\%`, _: String.raw`\_` }

/** The value of a literal as webs write it, which is MySQL's: in quotes with backslashes, or bare. */
function literalOf(text: string): string {
  const [, quote, inner] = /^(['"])(.*)\1$/s.exec(text) ?? []
  if (quote === undefined || inner === undefined) return text
  return inner.replace(/\\(.)|''|""/gs, (pair, escaped: string | undefined) => (escaped === undefined ? (pair.startsWith(quote) ? quote : pair) : (escapes[escaped] ?? escaped)))
}

function listOf(fields: Record<string, unknown>, name: string): string[] {
  const value = fields[name] ?? []
  const list: unknown[] = Array.isArray(value) ? value : [value]
  return list.filter((one) => one !== '').map((one) => (typeof one === 'string' ? one : thrown(refused(`${name} must be texts`))))
}

/**
 * The answer's lines; the last is endline. However many stores answered, they are one DB here: webs want `linecount` in the sixth line, as where
 * native has one.
 * @param groupedBy fields: each has its place in a row, also one that is empty or has commas in it
 */
export function textOf({ ret, msg, lastTime, result }: MonitorQueryRsp, groupedBy: number): string {
  if (ret !== 0) return errorText(msg)
  const keyOf = (key: string): string => (groupedBy === 0 ? '' : `${groupedBy === 1 ? key.replaceAll(',', '?') : key},`)
  const rows = [...result].map(([key, values]) => keyOf(key) + values.map((value) => `${value},`).join(''))
  return [`Ret:${ret}`, `lasttime:${lastTime}`, 'ActiveDb:1', 'TotalDb:1', 'ret:0|iDb:0', `linecount:${rows.length}`, ...rows, 'endline\n'].join('\n')
}

export const timeText = (lastTime: string): string => `lasttime:${lastTime}\nendline\n`
export const errorText = (message: string): string => `Ret:-1\n${message.replaceAll('\n', ' ')}\nendline\n`

function refused(message: string, cause?: unknown): Failure {
  return new Failure('STORE_QUESTION', message, { remedy: 'ask as {"method":"query","filter":["f_date=20260101"],"groupby":["f_tflag"],"indexs":["succ_count"]}', ...(cause === undefined ? {} : { cause }) })
}

function thrown(error: Error): never {
  throw error
}
