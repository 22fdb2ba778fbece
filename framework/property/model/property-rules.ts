// How what services measure of themselves comes together. Pure.
import { labelsText, metric, metricHead } from '#base/metrics.ts'
import { inSlices } from '#base/slices.ts'
import type { FoldRules, Measured } from '#store/fold.ts'
import { otherName } from '#store/key-guard.ts'
import { mergePolicy, type PolicyValue } from './policy.ts'
import type { PropertyNames } from './record.ts'

/** @param source who gathered: pod of tarsproperty */
export function propertyRules(source: string): FoldRules<PropertyNames, PolicyValue> {
  return {
    own: (value) => value,
    add: mergePolicy,
    rest: ({ by, names }, admission) => ({ module: admission === 'rest of all' ? otherName : by, node: otherName, property: otherName, setName: '', setArea: '', setId: '', policy: names.policy }),
    rows(names, value) {
      const fields = { source_id: source, master_name: names.module, master_ip: names.node, property_name: names.property, set_name: names.setName, set_area: names.setArea, set_id: names.setId, policy: names.policy }
      return rowValues(value).map((one) => ({ ...fields, ...one }))
    },
    write: (tape, value) => tape.text(JSON.stringify(value)),
    read: (tape) => JSON.parse(tape.text()) as PolicyValue,
  }
}

/** Series that are told; how many are left out is told, too. */
const mostSeries = 20_000

/** The values of a window, for Prometheus, made in slices: there may be many. */
export async function propertyText(sums: Iterable<Measured<PropertyNames, PolicyValue>>): Promise<string> {
  let [text, told, omitted] = [metricHead('tars_property', 'What services measured of themselves in the last window of time that is over.'), 0, 0]
  await inSlices(sums, ({ key: { names }, value }) => {
    const labels = { module: names.module, instance: names.node, property: names.property, policy: names.policy, ...(names.setName === '' ? {} : { set: `${names.setName}.${names.setArea}.${names.setId}` }) }
    const rows = rowValues(value)
    if (told + rows.length > mostSeries) return void (omitted += rows.length)
    for (const { bucket, value: number } of rows) text += `tars_property${labelsText(bucket === '' ? labels : { ...labels, bucket })} ${number}\n`
    told += rows.length
  })
  return (told === 0 ? '' : text) + metric('tars_property_omitted', `Series beyond ${mostSeries}, of which none is here.`, [[omitted]])
}

/** `total` and `weight` are what averages of averages are made of. */
function rowValues(value: PolicyValue): { readonly bucket: string; readonly value: number; readonly total: number; readonly weight: number }[] {
  if (value.kind === 'distribution') return value.buckets.map(([bucket, count]) => ({ bucket, value: count, total: count, weight: 1 }))
  if (value.kind === 'average') return [{ bucket: '', value: value.count === 0 ? 0 : value.sum / value.count, total: value.sum, weight: value.count }]
  return [{ bucket: '', value: value.value, total: value.value, weight: 1 }]
}
