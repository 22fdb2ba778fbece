import type { AnyObject } from '#kube/types.ts'
import type { Convert } from '../api.ts'
import type { Definition, ScalePaths } from '../definition.ts'
import { ApiError, fieldInvalid } from '../errors.ts'
import type { FieldError } from '../errors.ts'
import { clone, simplePath } from '../json.ts'
import { customColumns } from './columns.ts'
import type { PrinterColumn } from './columns.ts'
import { applyDefaults } from './defaults.ts'
import { mergeNodeOf } from './merge-node.ts'
import { prune } from './prune.ts'
import { SchemaRules } from './rules.ts'
import type { Schema } from './schema.ts'
import { SchemaValidator } from './validate.ts'

export interface CrdVersion {
  readonly name: string
  readonly served: boolean
  readonly storage: boolean
  readonly deprecated?: boolean
  readonly deprecationWarning?: string
  readonly schema?: { readonly openAPIV3Schema?: Schema }
  readonly subresources?: { readonly status?: object; readonly scale?: { readonly specReplicasPath: string; readonly statusReplicasPath: string; readonly labelSelectorPath?: string } }
  readonly additionalPrinterColumns?: readonly PrinterColumn[]
  readonly selectableFields?: readonly { readonly jsonPath: string }[]
}

export interface CrdSpec {
  readonly group: string
  readonly scope: 'Namespaced' | 'Cluster'
  readonly names: { readonly plural: string; readonly singular?: string; readonly kind: string; readonly listKind?: string; readonly shortNames?: readonly string[]; readonly categories?: readonly string[] }
  readonly versions: readonly CrdVersion[]
  readonly conversion?: { readonly strategy?: string; readonly webhook?: object }
}

/** What the served versions of a CRD need to convert between each other. */
export interface Conversion {
  /** Undefined for strategy None. */
  readonly webhook: Convert | undefined
}

/** The served versions of a CustomResourceDefinition. */
export function customDefinitions(crd: AnyObject, conversion: Conversion): Definition[] {
  const spec = crd['spec'] as CrdSpec
  const convert = converterOf(spec, conversion)
  return spec.versions.filter((version) => version.served).map((version) => definitionOf(spec, version, convert))
}

function definitionOf(spec: CrdSpec, version: CrdVersion, convert: Convert): Definition {
  const { names, group } = spec
  const schema = version.schema?.openAPIV3Schema ?? {}
  const validator = new SchemaValidator(schema)
  const rules = new SchemaRules(schema)
  return {
    group, version: version.name, plural: names.plural, kind: names.kind,
    singular: names.singular ?? names.kind.toLowerCase(),
    listKind: names.listKind ?? `${names.kind}List`,
    shortNames: names.shortNames ?? [],
    categories: names.categories ?? [],
    namespaced: spec.scope === 'Namespaced',
    nameRule: 'subdomain',
    storageVersion: storageVersionOf(spec),
    custom: true,
    status: version.subresources?.status !== undefined,
    scale: scaleOf(version),
    generation: true,
    merge: mergeNodeOf(schema),
    columns: customColumns(version.additionalPrinterColumns),
    selectableFields: (version.selectableFields ?? []).map(({ jsonPath }) => simplePath(jsonPath).join('.')),
    schema,
    warning: warningOf(spec, version),
    prepare: (object) => fit(object, schema),
    validate(object, old, warn) {
      const errors = validator.validate(object)
      if (rules.isEmpty) return errors
      return errors.some(({ reason }) => blocking.includes(reason)) ? [...errors, notChecked] : [...errors, ...rules.check(object, old, warn)]
    },
    convert,
  }
}

/** Rules are asked of objects that have the form of their schema. */
const blocking: readonly FieldError['reason'][] = ['FieldValueNotSupported', 'FieldValueRequired', 'FieldValueTooLong', 'FieldValueTooMany', 'FieldValueTypeInvalid']
const notChecked = fieldInvalid('<nil>', null, 'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation')

function fit(object: AnyObject, schema: Schema): string[] {
  const unknown = prune(object, schema)
  applyDefaults(object, schema)
  return unknown
}

export function storageVersionOf(spec: CrdSpec): string {
  return spec.versions.find((version) => version.storage)?.name ?? spec.versions[0]?.name ?? ''
}

function scaleOf({ subresources }: CrdVersion): ScalePaths | undefined {
  const scale = subresources?.scale
  if (scale === undefined) return undefined
  return { spec: simplePath(scale.specReplicasPath), status: simplePath(scale.statusReplicasPath), selector: scale.labelSelectorPath === undefined ? undefined : simplePath(scale.labelSelectorPath) }
}

function warningOf({ group, names }: CrdSpec, { name, deprecated, deprecationWarning }: CrdVersion): string | undefined {
  return deprecated === true ? (deprecationWarning ?? `${group}/${name} ${names.kind} is deprecated`) : undefined
}

/** Converts, then brings the result into the shape of the wanted version's schema; results are kept while the object lives. */
function converterOf(spec: CrdSpec, { webhook }: Conversion): Convert {
  const known = new WeakMap<AnyObject, Map<string, AnyObject>>()
  const finish = (source: AnyObject, converted: AnyObject, apiVersion: string): AnyObject => {
    const object: AnyObject = { ...clone(converted), apiVersion, metadata: { ...source.metadata, labels: converted.metadata.labels ?? {}, annotations: converted.metadata.annotations ?? {} } }
    for (const field of ['labels', 'annotations'] as const) if (converted.metadata[field] === undefined) delete object.metadata[field]
    const schema = spec.versions.find(({ name }) => `${spec.group}/${name}` === apiVersion)?.schema?.openAPIV3Schema
    if (schema !== undefined) fit(object, schema)
    const versions = known.get(source) ?? new Map<string, AnyObject>()
    known.set(source, versions.set(apiVersion, object))
    return object
  }
  return async (objects, apiVersion) => {
    const pending = objects.filter((object) => object.apiVersion !== apiVersion && known.get(object)?.has(apiVersion) !== true)
    const converted = pending.length === 0 || webhook === undefined ? pending : await webhook(pending.map(clone), apiVersion)
    if (converted.length !== pending.length) throw new ApiError(500, 'InternalError', `conversion webhook for ${spec.group}/${spec.names.kind} returned ${converted.length} objects, expected ${pending.length}`)
    pending.forEach((object, index) => finish(object, converted[index] ?? object, apiVersion))
    return objects.map((object) => known.get(object)?.get(apiVersion) ?? object)
  }
}
