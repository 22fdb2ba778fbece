import { isObject } from '../json.ts'
import { valueSchema } from './schema.ts'
import type { Schema } from './schema.ts'

const always = ['apiVersion', 'kind', 'metadata']

/** Drops, in place, the fields that the schema does not know. @returns their paths */
export function prune(value: unknown, schema: Schema): string[] {
  return pruneValue(value, schema, { path: '', root: true })
}

interface Place {
  readonly path: string
  /** apiVersion, kind and metadata belong to it whatever the schema says. */
  readonly root: boolean
}

function pruneValue(value: unknown, schema: Schema, place: Place): string[] {
  if (Array.isArray(value)) {
    const { items } = schema
    return items === undefined ? [] : value.flatMap((item, index) => pruneValue(item, items, inside(items, `${place.path}[${index}]`)))
  }
  return isObject(value) ? pruneFields(value, schema, place) : []
}

function pruneFields(value: Record<string, unknown>, schema: Schema, { path, root }: Place): string[] {
  const keepsUnknown = schema['x-kubernetes-preserve-unknown-fields'] === true || schema.additionalProperties === true
  return Object.keys(value).flatMap((field) => {
    const below = path === '' ? field : `${path}.${field}`
    if (root && always.includes(field)) return []
    const known = fieldSchema(schema, field)
    if (known !== undefined) return pruneValue(value[field], known, inside(known, below))
    if (keepsUnknown) return []
    delete value[field]
    return [below]
  })
}

function fieldSchema(schema: Schema, field: string): Schema | undefined {
  return schema.properties !== undefined && Object.hasOwn(schema.properties, field) ? schema.properties[field] : valueSchema(schema)
}

function inside(schema: Schema, path: string): Place {
  return { path, root: schema['x-kubernetes-embedded-resource'] === true }
}
