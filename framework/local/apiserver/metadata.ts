import { randomInt, randomUUID } from 'node:crypto'
import type { AnyObject, ObjectMeta } from '#kube/types.ts'
import { fieldForbidden, fieldInvalid, fieldRequired } from './errors.ts'
import type { FieldError } from './errors.ts'
import { isObject } from './json.ts'

const suffixAlphabet = 'bcdfghjklmnpqrstvwxz2456789'

/** RFC 3339 with whole seconds, as Kubernetes writes times. */
export function timestamp(ms: number = Date.now()): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}

/** A name from `generateName`: the prefix and five characters. */
export function generatedName(prefix: string): string {
  const suffix = Array.from({ length: 5 }, () => suffixAlphabet[randomInt(suffixAlphabet.length)]).join('')
  return prefix.slice(0, 253 - suffix.length) + suffix
}

/** Gives a new object what only the server sets; what the client said about those fields is dropped. */
export function stampNew(object: AnyObject): void {
  const meta = object.metadata
  for (const field of ['deletionTimestamp', 'deletionGracePeriodSeconds', 'resourceVersion', 'selfLink'] as const) delete (meta as unknown as Record<string, unknown>)[field]
  meta.uid = randomUUID()
  meta.creationTimestamp = timestamp()
}

const dns1123Subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const dns1123Label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/
const dns1035Label = /^[a-z]([-a-z0-9]*[a-z0-9])?$/
const qualifiedName = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/

export type NameRule = 'subdomain' | 'label' | 'service' | 'path'

const nameRules: Readonly<Record<NameRule, { readonly pattern: RegExp; readonly max: number; readonly why: string }>> = {
  subdomain: { pattern: dns1123Subdomain, max: 253, why: "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character" },
  label: { pattern: dns1123Label, max: 63, why: "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character" },
  service: { pattern: dns1035Label, max: 63, why: "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character" },
  path: { pattern: /^(?!\.{1,2}$)[^/%]+$/, max: 253, why: "may not be '.' or '..', or contain '/' or '%'" },
}

/** Rules that the metadata of every object keeps (Kubernetes, "Object Names and IDs", "Labels and Selectors"). */
export function metadataErrors(meta: ObjectMeta, rule: NameRule): FieldError[] {
  return [...nameErrors(meta.name, rule), ...labelErrors(meta.labels), ...annotationErrors(meta.annotations), ...finalizerErrors(meta.finalizers), ...ownerErrors(meta.ownerReferences)]
}

function nameErrors(name: string, rule: NameRule): FieldError[] {
  const { pattern, max, why } = nameRules[rule]
  if (typeof name !== 'string' || name === '') return [fieldRequired('metadata.name', 'name or generateName is required')]
  const errors = pattern.test(name) ? [] : [fieldInvalid('metadata.name', name, why)]
  return name.length > max ? [...errors, fieldInvalid('metadata.name', name, `must be no more than ${max} characters`)] : errors
}

function keyErrors(field: string, key: string): FieldError[] {
  const parts = key.split('/')
  const [prefix, name] = parts.length === 1 ? [undefined, parts[0] ?? ''] : [parts[0] ?? '', parts[1] ?? '']
  const badPrefix = prefix !== undefined && (!dns1123Subdomain.test(prefix) || prefix.length > 253)
  if (parts.length > 2 || badPrefix) return [fieldInvalid(field, key, 'prefix part must be a lowercase RFC 1123 subdomain, followed by one \'/\'')]
  return qualifiedName.test(name) && name.length <= 63 ? [] : [fieldInvalid(field, key, "name part must be 63 characters or less and consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character")]
}

function labelErrors(labels: unknown): FieldError[] {
  return mapEntries('metadata.labels', labels).flatMap(([key, value]) => {
    const errors = keyErrors('metadata.labels', key)
    if (typeof value !== 'string') return [...errors, fieldInvalid(`metadata.labels.${key}`, value, 'must be a string')]
    const ok = value === '' || (value.length <= 63 && qualifiedName.test(value))
    return ok ? errors : [...errors, fieldInvalid('metadata.labels', value, "a valid label must be an empty string or consist of up to 63 alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character")]
  })
}

function annotationErrors(annotations: unknown): FieldError[] {
  const entries = mapEntries('metadata.annotations', annotations)
  const size = entries.reduce((sum, [key, value]) => sum + key.length + String(value).length, 0)
  const errors = entries.flatMap(([key, value]) => (typeof value === 'string' ? keyErrors('metadata.annotations', key.toLowerCase()) : [fieldInvalid(`metadata.annotations.${key}`, value, 'must be a string')]))
  return size > 256 * 1024 ? [...errors, { field: 'metadata.annotations', reason: 'FieldValueTooLong', message: 'Too long: may not be more than 262144 bytes' }] : errors
}

function mapEntries(_field: string, value: unknown): [string, unknown][] {
  return isObject(value) ? Object.entries(value) : []
}

function finalizerErrors(finalizers: string[] | undefined): FieldError[] {
  return (finalizers ?? []).flatMap((name, index) => keyErrors(`metadata.finalizers[${index}]`, String(name)))
}

function ownerErrors(owners: ObjectMeta['ownerReferences']): FieldError[] {
  const list = owners ?? []
  const errors = list.flatMap((owner, index) =>
    (['apiVersion', 'kind', 'name', 'uid'] as const).filter((field) => !owner[field]).map((field) => fieldRequired(`metadata.ownerReferences[${index}].${field}`)))
  const controllers = list.filter((owner) => owner.controller === true).length
  return controllers > 1 ? [...errors, fieldInvalid('metadata.ownerReferences', list, 'Only one reference can have Controller set to true')] : errors
}

/** While an object is being deleted its finalizers can only go. */
export function finalizerAdditions(next: ObjectMeta, current: ObjectMeta): FieldError[] {
  if (current.deletionTimestamp === undefined) return []
  const added = (next.finalizers ?? []).filter((name) => !(current.finalizers ?? []).includes(name))
  if (added.length === 0) return []
  return [fieldForbidden('metadata.finalizers', `no new finalizers can be added if the object is being deleted, found new finalizers ${JSON.stringify(added)}`)]
}
