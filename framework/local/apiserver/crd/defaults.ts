import { clone, isObject, setOwn } from '../json.ts'
import type { JsonObject } from '../json.ts'
import { valueSchema } from './schema.ts'
import type { Schema } from './schema.ts'

/** Sets the schema's defaults, in place, where a field is missing, or null and not nullable. */
export function applyDefaults(value: unknown, schema: Schema): void {
  if (Array.isArray(value)) {
    if (schema.items !== undefined) for (const item of value) applyDefaults(item, schema.items)
    return
  }
  if (!isObject(value)) return
  for (const [field, below] of Object.entries(schema.properties ?? {})) {
    if (below.default !== undefined && isMissing(value, field, below)) setOwn(value, field, clone(below.default))
    if (Object.hasOwn(value, field)) applyDefaults(value[field], below)
  }
  const values = valueSchema(schema)
  if (values === undefined) return
  for (const [field, child] of Object.entries(value)) if (schema.properties?.[field] === undefined) applyDefaults(child, values)
}

function isMissing(object: JsonObject, field: string, schema: Schema): boolean {
  const present = Object.hasOwn(object, field) ? object[field] : undefined
  return present === undefined || (present === null && schema.nullable !== true)
}
