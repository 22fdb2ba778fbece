import type { JsonSchema } from './builder.ts'

/**
 * True when a value has the types and the required properties of a schema; patterns and ranges are not looked at. For code that
 * runs before the API server has judged an object against its CRD.
 */
export function hasShape(schema: JsonSchema, value: unknown): boolean {
  switch (schema.type) {
    case 'object': return isRecord(value) && hasProperties(schema, value)
    case 'array': return Array.isArray(value) && value.every((item) => hasShape(schema.items ?? {}, item))
    case 'integer': return Number.isInteger(value)
    case 'number': return typeof value === 'number'
    case 'string': return typeof value === 'string'
    case 'boolean': return typeof value === 'boolean'
    default: return true
  }
}

/** True for an object that is no list. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function hasProperties({ required = [], properties = {}, additionalProperties }: JsonSchema, value: Record<string, unknown>): boolean {
  if (required.some((name) => value[name] === undefined)) return false
  return Object.entries(value).every(([name, item]) => item === undefined || hasShape(properties[name] ?? additionalProperties ?? {}, item))
}
