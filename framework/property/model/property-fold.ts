// What the values of one window come to. Pure.
import { metric, type Sample } from '#base/metrics.ts'
import type { Row } from '#store/dataset.ts'
import { KeyGuard, otherName, type KeyBounds } from '#store/key-guard.ts'
import type { Fold } from '#store/windows.ts'
import { mergePolicy, type PolicyValue } from './policy.ts'
import type { PropertyKey, PropertyRecord } from './record.ts'

/** Brings values of one key and policy together. Beyond the bounds what is left of a key is who reports it, and the policy. */
export class PropertyFold implements Fold<PropertyRecord> {
  readonly #records = new Map<string, PropertyRecord>()
  readonly #guard: KeyGuard
  readonly #source: string
  /** Values that were counted under another key than their own. */
  overflow = 0

  /** @param source who gathered: pod of tarsproperty */
  constructor(bounds: KeyBounds, source: string) {
    this.#guard = new KeyGuard(bounds)
    this.#source = source
  }

  add(record: PropertyRecord): void {
    const key = this.#admitted(record)
    const id = JSON.stringify(Object.values(key))
    const known = this.#records.get(id)
    this.#records.set(id, { by: record.by, key, value: known === undefined ? record.value : mergePolicy(known.value, record.value) })
  }

  get size(): number {
    return this.#records.size
  }

  records(): IteratorObject<PropertyRecord> {
    return this.#records.values()
  }

  *rows(): Iterable<Row['fields']> {
    for (const { key, value } of this.#records.values()) {
      const fields = { source_id: this.#source, master_name: key.module, master_ip: key.node, property_name: key.property, set_name: key.setName, set_area: key.setArea, set_id: key.setId, policy: key.policy }
      for (const one of rowValues(value)) yield { ...fields, ...one }
    }
  }

  /** The values of this window, for Prometheus. */
  metrics(): string {
    const samples = [...this.#records.values()].flatMap(({ key, value }): Sample[] => {
      const labels = { module: key.module, instance: key.node, property: key.property, policy: key.policy, ...(key.setName === '' ? {} : { set: `${key.setName}.${key.setArea}.${key.setId}` }) }
      return rowValues(value).map(({ bucket, value: number }) => [number, bucket === '' ? labels : { ...labels, bucket }])
    })
    return metric('tars_property', 'What services measured of themselves in the last window of time that is over.', samples)
  }

  #admitted({ by, key }: PropertyRecord): PropertyKey {
    const admission = this.#guard.admit(by, JSON.stringify(Object.values(key)))
    if (admission === 'own') return key
    this.overflow++
    return { module: admission === 'rest of all' ? otherName : by, node: otherName, property: otherName, setName: '', setArea: '', setId: '', policy: key.policy }
  }
}

/** `total` and `weight` are what averages of averages are made of. */
function rowValues(value: PolicyValue): { readonly bucket: string; readonly value: number; readonly total: number; readonly weight: number }[] {
  if (value.kind === 'distribution') return value.buckets.map(([bucket, count]) => ({ bucket, value: count, total: count, weight: 1 }))
  if (value.kind === 'average') return [{ bucket: '', value: value.count === 0 ? 0 : value.sum / value.count, total: value.sum, weight: value.count }]
  return [{ bucket: '', value: value.value, total: value.value, weight: 1 }]
}
