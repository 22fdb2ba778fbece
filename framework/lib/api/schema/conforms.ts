import { hasShape } from './shape.ts'
import type { JsonSchema } from './builder.ts'

/**
 * True when a value keeps all of its schema but the rules in it, so that the API server asks those next. For code that runs before
 * the API server and has more to say about a broken rule than the rule itself.
 */
export function conforms(schema: JsonSchema, value: unknown): boolean {
  return hasShape(schema, value) && keepsLimits(schema, value)
}

function keepsLimits(schema: JsonSchema, value: unknown): boolean {
  if (schema.enum !== undefined && !schema.enum.includes(value)) return false
  if (typeof value === 'string') return textFits(schema, value)
  if (typeof value === 'number') return within(value, schema.minimum, schema.maximum)
  if (Array.isArray(value)) return within(value.length, schema.minItems, schema.maxItems) && value.every((item) => keepsLimits(schema.items ?? {}, item))
  if (typeof value !== 'object' || value === null) return true
  const { properties = {}, additionalProperties, oneOf } = schema
  const present = (name: string): boolean => (value as Record<string, unknown>)[name] !== undefined
  if (oneOf !== undefined && oneOf.filter(({ required = [] }) => required.every(present)).length !== 1) return false
  return Object.entries(value).every(([name, item]) => item === undefined || keepsLimits(properties[name] ?? additionalProperties ?? {}, item))
}

const within = (value: number, least = -Infinity, most = Infinity): boolean => value >= least && value <= most

function textFits({ pattern, minLength, maxLength }: JsonSchema, text: string): boolean {
  // Patterns are RE2's; ECMAScript names scripts otherwise.
  return within(Array.from(text).length, minLength, maxLength) && (pattern === undefined || new RegExp(pattern.replaceAll('\\p{Han}', '\\p{Script=Han}'), 'u').test(text))
}
