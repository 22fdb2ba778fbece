// From a question of MonitorQuery to one of the store, and back to its answer (framework-services 8). Pure.
import { Failure } from '#base/errors.ts'
import { checkQuestion, type Condition, type Group, type Op, type TotalsQuestion } from '#store/dataset.ts'
import { MonitorOp, type MonitorCondition, type MonitorQueryReq } from '#tars/protocol/MonitorQuery.ts'
import type { Index, Kind } from './kind.ts'

export type Asked = Pick<MonitorQueryReq, 'date' | 'tflag1' | 'tflag2' | 'conditions' | 'indexs' | 'groupby'>

export interface Plan {
  readonly question: TotalsQuestion
  readonly indexes: readonly Index[]
  readonly groupBy: readonly string[]
}

const ops: Readonly<Record<number, Op>> = { [MonitorOp.EQ]: 'eq', [MonitorOp.GT]: 'gt', [MonitorOp.GTE]: 'gte', [MonitorOp.LT]: 'lt', [MonitorOp.LTE]: 'lte', [MonitorOp.LIKE]: 'like' }
/** With what is added to them, no list is longer than a store takes (`serveStore`). */
const most = { conditions: 62, indexes: 12, groupby: 8 } as const

/**
 * Reads a question. The days are `date`, or those between conditions on f_date when it is empty; the minutes those from
 * tflag1 to tflag2 of each day.
 * @throws Failure STORE_QUESTION naming what is wrong
 */
export function planOf(kind: Kind, { date, tflag1, tflag2, conditions, indexs, groupby }: Asked): Plan {
  if (conditions.length > most.conditions || indexs.length > most.indexes || groupby.length > most.groupby) throw refused('the question is too long', `give at most ${most.conditions} conditions, ${most.indexes} indexs and ${most.groupby} fields to group by`)
  for (const [name, flag] of [['tflag1', tflag1], ['tflag2', tflag2]] as const) if (!/^\d{4}$/.test(flag)) throw refused(`${name} is "${flag}"`, 'give it as HHMM')
  if (indexs.length === 0) throw refused('no index is asked for', 'name one in indexs')
  const where = conditions.map(({ field, op, val }): Condition => ({ field, op: ops[op] ?? noSuchOp(op), value: val }))
  const days = date === '' ? daysOfConditions(conditions) : { from: date, to: date }
  const indexes = indexs.map((name) => kind.index(name))
  const minutes: Condition[] = [{ field: 'f_tflag', op: 'gte', value: tflag1 }, { field: 'f_tflag', op: 'lte', value: tflag2 }]
  const question = { ...days, where: [...minutes, ...where], groupBy: [...groupby, ...kind.apart], measures: indexes.flatMap(({ measures }) => measures) }
  checkQuestion(kind.dataset, question, question.groupBy)
  return { indexes, groupBy: groupby, question }
}

/** The answer's rows: values of the fields grouped by, joined by commas (one within a value would make two of several), with a number for each index; in the order of their keys. */
export function answerOf(kind: Kind, { indexes, groupBy }: Plan, groups: readonly Group[]): Map<string, number[]> {
  const parts = new Map<string, number[][]>()
  for (const group of groups) {
    const fields = group.keys.slice(0, groupBy.length)
    const key = fields.length > 1 ? fields.map((value) => value.replaceAll(',', '?')).join(',') : fields.join('')
    const apart = group.keys.slice(groupBy.length)
    let offset = 0
    const values = indexes.map((index) => {
      const value = kind.of(index, group, apart, offset)
      offset += index.measures.length
      return value
    })
    const known = parts.get(key)
    if (known === undefined) parts.set(key, [values])
    else known.push(values)
  }
  const entries = [...parts].map(([key, rows]) => [key, indexes.map((_, index) => kind.together(rows.map((row) => row[index] ?? 0)))] as const)
  return new Map(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}

function daysOfConditions(conditions: readonly MonitorCondition[]): { readonly from: string; readonly to: string } {
  const values = (...wanted: MonitorOp[]): string[] => conditions.filter(({ field, op }) => field === 'f_date' && wanted.includes(op)).map(({ val }) => val)
  const from = values(MonitorOp.EQ, MonitorOp.GTE, MonitorOp.GT).sort().at(-1)
  const to = values(MonitorOp.EQ, MonitorOp.LTE, MonitorOp.LT).sort()[0]
  if (from === undefined || to === undefined) throw refused('no day is asked for', 'give date as YYYYMMDD, or conditions on f_date for the first and the last day')
  return { from, to }
}

function refused(message: string, remedy: string): Failure {
  return new Failure('STORE_QUESTION', message, { remedy })
}

function noSuchOp(op: number): never {
  throw refused(`there is no operator ${op}`, 'use 0 EQ, 1 GT, 2 GTE, 3 LT, 4 LTE or 5 LIKE')
}
