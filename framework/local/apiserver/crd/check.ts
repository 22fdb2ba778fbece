import type { AnyObject } from '#kube/types.ts'
import { fieldForbidden, fieldInvalid, fieldNotSupported, fieldRequired } from '../errors.ts'
import type { FieldError } from '../errors.ts'
import { isObject } from '../json.ts'
import { parseJsonPath } from '../table/json-path.ts'
import type { CrdSpec, CrdVersion } from './definitions.ts'
import { compilePattern } from './patterns.ts'
import { SchemaRules } from './rules.ts'
import { valueSchema } from './schema.ts'
import type { Schema } from './schema.ts'

/** Defaults of a CustomResourceDefinition. */
export function crdDefaults(object: AnyObject): void {
  const spec = object['spec'] as { names?: { singular?: string; listKind?: string; kind?: string }; conversion?: object } | undefined
  if (spec === undefined) return
  spec.conversion ??= { strategy: 'None' }
  if (spec.names?.kind === undefined) return
  spec.names.singular ??= spec.names.kind.toLowerCase()
  spec.names.listKind ??= `${spec.names.kind}List`
}

/** Rules of apiextensions.k8s.io/v1, as far as this server relies on them. */
export function crdErrors(object: AnyObject, old: AnyObject | undefined): FieldError[] {
  const spec = object['spec'] as CrdSpec | undefined
  if (!isObject(spec)) return [fieldRequired('spec')]
  if (!isObject(spec.names)) return [fieldRequired('spec.names')]
  if (!Array.isArray(spec.versions) || spec.versions.length === 0) return [fieldRequired('spec.versions', 'must have at least one version')]
  return [...nameErrors(object, spec), ...versionErrors(spec), ...conversionErrors(spec.conversion), ...changeErrors(spec, old?.['spec'] as CrdSpec | undefined), ...storedVersionErrors(object, spec)]
}

function nameErrors({ metadata }: AnyObject, { group, names, scope }: CrdSpec): FieldError[] {
  const required = ([['spec.group', group], ['spec.names.plural', names.plural], ['spec.names.kind', names.kind]] as const).filter(([, value]) => !value).map(([field]) => fieldRequired(field))
  const expected = `${names.plural}.${group}`
  return [
    ...required,
    ...(metadata.name === expected ? [] : [fieldInvalid('metadata.name', metadata.name, `must be spec.names.plural+"."+spec.group`)]),
    ...(scope === 'Namespaced' || scope === 'Cluster' ? [] : [fieldNotSupported('spec.scope', scope, ['Cluster', 'Namespaced'])]),
  ]
}

function versionErrors({ versions }: CrdSpec): FieldError[] {
  const storage = versions.filter((version) => version.storage).length
  const names = versions.map((version) => version.name)
  return [
    ...(storage === 1 ? [] : [fieldInvalid('spec.versions', names, 'must have exactly one version marked as storage version')]),
    ...(new Set(names).size === names.length ? [] : [fieldInvalid('spec.versions', names, 'must contain unique version names')]),
    ...versions.flatMap((version, index) => oneVersionErrors(version, `spec.versions[${index}]`)),
  ]
}

function conversionErrors({ strategy, webhook }: NonNullable<CrdSpec['conversion']> = {}): FieldError[] {
  if (strategy === undefined || strategy === 'None') return []
  if (strategy !== 'Webhook') return [fieldNotSupported('spec.conversion.strategy', strategy, ['None', 'Webhook'])]
  const { clientConfig, conversionReviewVersions } = { ...webhook } as { readonly clientConfig?: { readonly url?: string; readonly service?: object }; readonly conversionReviewVersions?: readonly string[] }
  return [
    ...(clientConfig === undefined ? [fieldRequired('spec.conversion.webhookClientConfig', 'required when strategy is set to Webhook')]
      : (clientConfig.url === undefined) === (clientConfig.service === undefined) ? [fieldRequired('spec.conversion.webhookClientConfig', 'exactly one of url or service is required')] : []),
    ...(conversionReviewVersions === undefined || conversionReviewVersions.length === 0 ? [fieldRequired('spec.conversion.conversionReviewVersions')] : []),
  ]
}

function oneVersionErrors({ name, schema, additionalPrinterColumns = [] }: CrdVersion, field: string): FieldError[] {
  const root = schema?.openAPIV3Schema
  const path = `${field}.schema.openAPIV3Schema`
  if (root === undefined) return [fieldRequired(path, 'schemas are required')]
  const misshapen = shapeErrors(root, path)
  if (misshapen.length > 0) return misshapen
  return [
    ...(/^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(name) ? [] : [fieldInvalid(`${field}.name`, name, 'a DNS-1035 label is required')]),
    ...(root.type === 'object' ? [] : [root.type === undefined ? fieldRequired(`${path}.type`, 'must not be empty at the root') : fieldInvalid(`${path}.type`, root.type, 'must be object at the root')]),
    ...rulesErrors(root, path),
    ...columnErrors(additionalPrinterColumns, `${field}.additionalPrinterColumns`),
  ]
}

function columnErrors(columns: unknown, field: string): FieldError[] {
  if (!Array.isArray(columns)) return [fieldInvalid(field, columns, 'must be a list')]
  return (columns as unknown[]).flatMap((column, index) => {
    const at = `${field}[${index}]`
    if (!isObject(column)) return [fieldInvalid(at, column, 'must be a column')]
    const { jsonPath } = column
    const missing = ['name', 'type', 'jsonPath'].filter((key) => typeof column[key] !== 'string' || column[key] === '').map((key) => fieldRequired(`${at}.${key}`))
    if (missing.length > 0) return missing
    return parseJsonPath(jsonPath as string) === undefined ? [fieldInvalid(`${at}.jsonPath`, jsonPath, 'is no JSONPath that can be evaluated')] : []
  })
}

type Shape = (value: unknown) => boolean

const isList: Shape = (value) => Array.isArray(value)
const isStrings: Shape = (value) => Array.isArray(value) && value.every((item) => typeof item === 'string')
const isNumber: Shape = (value) => typeof value === 'number'
const isBoolean: Shape = (value) => typeof value === 'boolean'
const isText: Shape = (value) => typeof value === 'string'
const isSchemas: Shape = (value) => isObject(value) && Object.values(value).every(isObject)
const isSchemaList: Shape = (value) => Array.isArray(value) && value.every(isObject)

const shapes: Readonly<Record<string, Shape>> = {
  type: isText, format: isText, pattern: isText, description: isText, 'x-kubernetes-list-type': isText, 'x-kubernetes-map-type': isText,
  required: isStrings, 'x-kubernetes-list-map-keys': isStrings, enum: isList, properties: isSchemas, items: isObject, not: isObject,
  additionalProperties: (value) => isBoolean(value) || isObject(value), allOf: isSchemaList, anyOf: isSchemaList, oneOf: isSchemaList,
  minLength: isNumber, maxLength: isNumber, minimum: isNumber, maximum: isNumber, multipleOf: isNumber, minItems: isNumber, maxItems: isNumber, minProperties: isNumber, maxProperties: isNumber,
  nullable: isBoolean, uniqueItems: isBoolean, exclusiveMinimum: isBoolean, exclusiveMaximum: isBoolean,
  'x-kubernetes-validations': isSchemaList, 'x-kubernetes-preserve-unknown-fields': isBoolean, 'x-kubernetes-embedded-resource': isBoolean, 'x-kubernetes-int-or-string': isBoolean,
}

/** Keywords of a schema whose value is of the wrong kind, through all schemas inside. */
function shapeErrors(schema: unknown, path: string): FieldError[] {
  if (!isObject(schema)) return [fieldInvalid(path, schema, 'must be a schema')]
  const wrong = Object.entries(schema).filter(([keyword, value]) => shapes[keyword]?.(value) === false)
  if (wrong.length > 0) return wrong.map(([keyword, value]) => fieldInvalid(`${path}.${keyword}`, value, 'has the wrong type for this keyword'))
  const inside = (keyword: string): [string, unknown][] => (isObject(schema[keyword]) ? [[keyword, schema[keyword]]] : [])
  const lists = ['allOf', 'anyOf', 'oneOf'].flatMap((keyword) => ((schema[keyword] ?? []) as unknown[]).map((below, index): [string, unknown] => [`${keyword}[${index}]`, below]))
  const fields = Object.entries((schema['properties'] ?? {}) as object).map(([name, below]): [string, unknown] => [`properties[${name}]`, below])
  return [...['items', 'not', 'additionalProperties'].flatMap(inside), ...lists, ...fields].flatMap(([keyword, below]) => shapeErrors(below, `${path}.${keyword}`))
}

/** Of the schema; and, when it has none, of the rules in it. */
function rulesErrors(root: Schema, path: string): FieldError[] {
  const errors = schemaErrors(root, path)
  return errors.length > 0 ? errors : [...new SchemaRules(root, path).errors]
}

/** Structural rules: every place has a type, patterns compile, map keys are named. */
function schemaErrors(schema: Schema, path: string): FieldError[] {
  const values = valueSchema(schema)
  return [
    ...ownErrors(schema, path),
    ...Object.entries(schema.properties ?? {}).flatMap(([name, below]) => schemaErrors(below, `${path}.properties[${name}]`)),
    ...(schema.items === undefined ? [] : schemaErrors(schema.items, `${path}.items`)),
    ...(values === undefined ? [] : schemaErrors(values, `${path}.additionalProperties`)),
  ]
}

const types = ['object', 'array', 'string', 'integer', 'number', 'boolean']

function typeErrors(schema: Schema, path: string): FieldError[] {
  const free = schema['x-kubernetes-int-or-string'] === true || schema['x-kubernetes-preserve-unknown-fields'] === true
  const { type } = schema
  return [
    ...(type === undefined && !free ? [fieldRequired(`${path}.type`, 'must not be empty for specified object fields')] : []),
    ...(type === undefined || type === '' || types.includes(type) ? [] : [fieldNotSupported(`${path}.type`, type, types)]),
    ...(type === 'array' && schema.items === undefined ? [fieldRequired(`${path}.items`, 'must be specified')] : []),
  ]
}

function ownErrors(schema: Schema, path: string): FieldError[] {
  const { pattern } = schema
  const keys = schema['x-kubernetes-list-map-keys'] ?? []
  return [
    ...typeErrors(schema, path),
    ...(schema.properties !== undefined && schema.additionalProperties !== undefined ? [fieldForbidden(`${path}.additionalProperties`, 'additionalProperties and properties are mutual exclusive')] : []),
    ...(nestedRules(schema) ? [fieldForbidden(path, 'x-kubernetes-validations below allOf, anyOf, oneOf and not are not evaluated by this API server')] : []),
    ...(schema.uniqueItems === true ? [fieldForbidden(`${path}.uniqueItems`, 'uniqueItems cannot be set to true since the runtime complexity becomes quadratic')] : []),
    ...(pattern !== undefined && compilePattern(pattern) === undefined ? [fieldInvalid(`${path}.pattern`, pattern, 'must be a valid regular expression')] : []),
    ...(schema['x-kubernetes-list-type'] === 'map' && keys.length === 0 ? [fieldRequired(`${path}.x-kubernetes-list-map-keys`, 'must not be empty if x-kubernetes-list-type is map')] : []),
  ]
}

function nestedRules({ allOf = [], anyOf = [], oneOf = [], not }: Schema): boolean {
  const has = (value: unknown): boolean => (Array.isArray(value) ? value.some(has) : isObject(value) && (value['x-kubernetes-validations'] !== undefined || Object.values(value).some(has)))
  return has([...allOf, ...anyOf, ...oneOf, not ?? {}])
}

function changeErrors(spec: CrdSpec, old: CrdSpec | undefined): FieldError[] {
  if (old === undefined) return []
  const fixed = [['spec.group', spec.group, old.group], ['spec.scope', spec.scope, old.scope], ['spec.names.kind', spec.names.kind, old.names.kind], ['spec.names.plural', spec.names.plural, old.names.plural]] as const
  return fixed.filter(([, now, before]) => now !== before).map(([field, now]) => fieldInvalid(field, now, 'field is immutable'))
}

/** A version that objects may still be stored in cannot be taken away. */
function storedVersionErrors(object: AnyObject, spec: CrdSpec): FieldError[] {
  const stored = ((object['status'] as { storedVersions?: string[] } | undefined)?.storedVersions ?? [])
  const names = spec.versions.map(({ name }) => name)
  return stored.flatMap((version, index) => (names.includes(version) ? [] : [fieldInvalid(`status.storedVersions[${index}]`, version, 'must appear in spec.versions')]))
}
