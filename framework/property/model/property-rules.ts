// How what services measure of themselves comes together. Pure.
import { labelsText, metric, metricHead } from '#base/metrics.ts'
import type { FoldRules, Names, Sum } from '#store/fold.ts'
import { otherName } from '#store/key-guard.ts'
import { addValue, distribution, policies, rowOf } from './policy.ts'
import type { PropertyNames } from './record.ts'

const fields: readonly (keyof PropertyNames)[] = ['master_name', 'master_ip', 'property_name', 'set_name', 'set_area', 'set_id', 'policy', 'bucket']
/** Policies that are told apart beyond the bounds. */
const apart = new Set<unknown>([...policies, distribution])

/** @param source who gathered: pod of tarsproperty */
export function propertyRules(source: string): FoldRules {
  return {
    fields,
    add: addValue,
    join: (sum) => [...sum],
    row: (value) => ({ source_id: source, ...rowOf(value) }),
    rest: ({ policy }, by, admission) => ({
      master_name: admission === 'rest of all' ? otherName : by, master_ip: otherName, property_name: otherName, set_name: '', set_area: '', set_id: '',
      policy: apart.has(policy) ? (policy as string) : otherName, bucket: policy === distribution ? otherName : '',
    }),
  }
}

/** Series that are told; how many are left out is told, too. */
const mostSeries = 20_000

/** The values of a window, for Prometheus. Where they are too many, who reports few has all of its own told. */
export function propertyText(sums: Iterable<Pick<Sum, 'by' | 'names' | 'value'>>): string {
  const byReporter = Map.groupBy(sums, ({ by }) => by)
  const most = fairShare([...byReporter.values()].map(({ length }) => length), mostSeries)
  let [text, told, omitted] = [metricHead('tars_property', 'What services measured of themselves in the last window of time that is over.'), 0, 0]
  for (const own of byReporter.values()) {
    for (const { names, value } of own.slice(0, most)) text += seriesText(names, value)
    told += Math.min(own.length, most)
    omitted += Math.max(0, own.length - most)
  }
  return (told === 0 ? '' : text) + metric('tars_property_omitted', `Series beyond ${mostSeries}, of which none is here.`, [[omitted]])
}

function seriesText(names: Names, value: Float64Array): string {
  const [set, bucket] = [`${names['set_name']}.${names['set_area']}.${names['set_id']}`, String(names['bucket'])]
  const labels = { module: names['master_name'], instance: names['master_ip'], property: names['property_name'], policy: names['policy'], ...(names['set_name'] === '' ? {} : { set }), ...(bucket === '' ? {} : { bucket }) } as Record<string, string>
  return `tars_property${labelsText(labels)} ${rowOf(value)['value']}\n`
}

/** How much each may have at most, so that all have room: who wants less than its part leaves the rest to the others. */
function fairShare(wanted: readonly number[], room: number): number {
  let rest = room
  for (const [index, count] of wanted.toSorted((a, b) => a - b).entries()) {
    const share = Math.floor(rest / (wanted.length - index))
    if (count > share) return share
    rest -= count
  }
  return room
}
