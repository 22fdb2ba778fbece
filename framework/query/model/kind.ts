// What can be asked of tarsquerystat and tarsqueryproperty, and how values of several rows come together (framework-services 8). Pure.
import { propertyDataset, statDataset } from '#store/datasets.ts'
import { fieldOf, type Dataset, type Group, type Measure } from '#store/dataset.ts'

/** How one index of an answer is made. */
export interface Index {
  readonly measures: readonly Measure[]
  /** Out of what the measures come to. */
  readonly value: (values: readonly (number | undefined)[]) => number
}

export interface Kind {
  readonly dataset: Dataset
  readonly usualIndex: string
  /** By name. @throws Failure STORE_QUESTION for one that there is not */
  index(name: string): Index
  /** Fields that are grouped by in any case; groups that differ in them only come together in the answer. */
  readonly apart: readonly string[]
  /** One of the groups that come together: what it says for an index. */
  together(values: readonly number[]): number
  /** An index of a group, given its values of `apart`. */
  of(index: Index, group: Group, apart: readonly string[], offset: number): number
}

const first = ([value]: readonly (number | undefined)[]): number => value ?? 0
const by = (field: string, how: Measure['by']): Index => ({ measures: [{ field, by: how }], value: first })
const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)

const greatest = new Set(['maxrsp_time'])
const least = new Set(['minrsp_time'])

/** Calls: counts and times add up, but for the greatest, the least and the average. */
export const statKind: Kind = {
  dataset: statDataset,
  usualIndex: 'succ_count',
  index(name) {
    if (name === 'ave_time') return { measures: [{ field: 'total_time', by: 'sum' }, { field: 'succ_count', by: 'sum' }], value: ([time = 0, count = 0]) => (count === 0 ? 0 : time / count) }
    return by(numeric(statDataset, name), greatest.has(name) ? 'max' : least.has(name) ? 'min' : 'sum')
  },
  apart: [],
  together: sum,
  of: (index, { values }, _apart, offset) => index.value(values.slice(offset, offset + index.measures.length)),
}

/** What `value` is made of, by policy. */
const valueMeasures: readonly Measure[] = [{ field: 'value', by: 'sum' }, { field: 'value', by: 'min' }, { field: 'value', by: 'max' }, { field: 'total', by: 'sum' }, { field: 'weight', by: 'sum' }]

function valueOf(policy: string, [total = 0, lowest = 0, highest = 0, weighed = 0, weight = 0]: readonly (number | undefined)[]): number {
  if (policy === 'Min') return lowest
  if (policy === 'Max') return highest
  // K8SFramework kept averages without what they are of.
  if (policy === 'Avg' && weight > 0) return weighed / weight
  return total
}

/** Properties: `value` comes together as its policy says. */
export const propertyKind: Kind = {
  dataset: propertyDataset,
  usualIndex: 'value',
  index: (name) => (name === 'value' ? { measures: valueMeasures, value: first } : by(numeric(propertyDataset, name), 'sum')),
  apart: ['policy'],
  together: sum,
  of(index, { values }, [policy = ''], offset) {
    const own = values.slice(offset, offset + index.measures.length)
    return index.measures === valueMeasures ? valueOf(policy, own) : index.value(own)
  },
}

function numeric(dataset: Dataset, name: string): string {
  const { type } = fieldOf(dataset, name)
  if (type === 'keyword') fieldOf({ ...dataset, fields: Object.fromEntries(Object.entries(dataset.fields).filter(([, field]) => field.type !== 'keyword')) }, name)
  return name
}
