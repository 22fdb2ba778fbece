// How what services measure of themselves comes together. Pure.
import { labelsText, metric, metricHead } from '#base/metrics.ts'
import type { FoldRules, Sum } from '#store/fold.ts'
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

/** The values of a window, for Prometheus. */
export function propertyText(sums: Iterable<Pick<Sum, 'names' | 'value'>>): string {
  let [text, told, omitted] = [metricHead('tars_property', 'What services measured of themselves in the last window of time that is over.'), 0, 0]
  for (const { names, value } of sums) {
    if (told === mostSeries) {
      omitted++
      continue
    }
    const [set, bucket] = [`${names['set_name']}.${names['set_area']}.${names['set_id']}`, String(names['bucket'])]
    const labels = { module: names['master_name'], instance: names['master_ip'], property: names['property_name'], policy: names['policy'], ...(names['set_name'] === '' ? {} : { set }), ...(bucket === '' ? {} : { bucket }) } as Record<string, string>
    text += `tars_property${labelsText(labels)} ${rowOf(value)['value']}\n`
    told++
  }
  return (told === 0 ? '' : text) + metric('tars_property_omitted', `Series beyond ${mostSeries}, of which none is here.`, [[omitted]])
}
