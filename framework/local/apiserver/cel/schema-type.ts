import type { Environment } from '@marcbachmann/cel-js'
import type { Schema } from '../crd/schema.ts'
import { valueSchema } from '../crd/schema.ts'
import { isObject } from '../json.ts'
import { same } from './environment.ts'
import type { CelValue } from './environment.ts'

/** How values of a schema are seen by expressions (Kubernetes, "Extend the API with CustomResourceDefinitions", Schema types). */
export interface SchemaType {
  /** Name of the type in the environment. */
  readonly name: string
  /** A JSON value of the schema as a value of the type. */
  readonly value: (json: unknown) => CelValue
}

type NameOf = (field: string) => string | undefined

const metadata: Schema = { type: 'object', properties: { name: { type: 'string' }, generateName: { type: 'string' } } }
const text: Schema = { type: 'string' }
const keep = (json: unknown): CelValue => json

/**
 * Makes the type of a schema known to an environment.
 * @param name for the type, unique in the environment
 * @param nameOf how expressions call a field; undefined when they cannot
 * @returns undefined for what expressions cannot see: fields whose schema says no more than that all is kept
 */
export function schemaType(env: Environment, schema: Schema, name: string, nameOf: NameOf = escapedName): SchemaType | undefined {
  if (schema['x-kubernetes-int-or-string'] === true || schema.nullable === true) return { name: 'dyn', value: free }
  switch (schema.type) {
    case 'object': return mapType(env, schema, name, nameOf) ?? objectType(env, schema, name, nameOf)
    case 'array': {
      const items = schema.items === undefined ? undefined : schemaType(env, schema.items, `${name}.__item`, nameOf)
      return items === undefined ? undefined : { name: `list<${items.name}>`, value: (json) => (json as unknown[]).map(items.value) }
    }
    case 'string': return stringType(schema)
    case 'boolean': return { name: 'bool', value: keep }
    case 'number': return { name: 'double', value: keep }
    case 'integer': return { name: 'int', value: (json) => BigInt(json as number) }
    default: return undefined
  }
}

/** The type of whole objects: with their kind and the name of their metadata, whatever the schema says. */
export function rootSchema(schema: Schema): Schema {
  return { ...schema, properties: { ...schema.properties, apiVersion: text, kind: text, metadata } }
}

function stringType({ format }: Schema): SchemaType {
  if (format === 'date-time' || format === 'date') return { name: 'google.protobuf.Timestamp', value: (json) => new Date(json as string) }
  if (format === 'byte') return { name: 'bytes', value: (json) => Buffer.from(json as string, 'base64') }
  return { name: 'string', value: keep }
}

function mapType(env: Environment, schema: Schema, name: string, nameOf: NameOf): SchemaType | undefined {
  const below = valueSchema(schema)
  const values = below === undefined ? undefined : schemaType(env, below, `${name}.__value`, nameOf)
  return values === undefined ? undefined : { name: `map<string, ${values.name}>`, value: (json) => new Map(Object.entries(json as object).map(([key, value]) => [key, values.value(value)])) }
}

function objectType(env: Environment, schema: Schema, name: string, nameOf: NameOf): SchemaType {
  const of = schema['x-kubernetes-embedded-resource'] === true ? rootSchema(schema) : schema
  const fields = Object.entries(of.properties ?? {}).flatMap(([field, below]) => {
    const escaped = nameOf(field)
    const type = escaped === undefined ? undefined : schemaType(env, below, `${name}.${escaped}`, nameOf)
    return escaped === undefined || type === undefined ? [] : [{ field, escaped, type }]
  })
  const Type = class extends Map<string, CelValue> {}
  env.registerType(name, { ctor: Type, fields: Object.fromEntries(fields.map(({ escaped, type }) => [escaped, type.name])) })
  env.registerOperator(`${name} == ${name}`, same)
  return {
    name,
    value: (json) => new Type(fields.flatMap(({ field, escaped, type }): [string, CelValue][] => {
      const value = isObject(json) && Object.hasOwn(json, field) ? json[field] : undefined
      return value === undefined ? [] : [[escaped, value === null ? null : type.value(value)]]
    })),
  }
}

/** A value without a type. */
export function free(json: unknown): CelValue {
  if (typeof json === 'number') return Number.isSafeInteger(json) ? BigInt(json) : json
  if (Array.isArray(json)) return json.map(free)
  return isObject(json) ? new Map(Object.entries(json).map(([key, value]) => [key, free(value)])) : json
}

const reserved = new Set(['true', 'false', 'null', 'in', 'as', 'break', 'const', 'continue', 'else', 'for', 'function', 'if', 'import', 'let', 'loop', 'package', 'namespace', 'return', 'var', 'void', 'while'])
const escapes: Readonly<Record<string, string>> = { '__': '__underscores__', '.': '__dot__', '-': '__dash__', '/': '__slash__' }

/** The name by which an expression reads a field; undefined when it has none. */
function escapedName(field: string): string | undefined {
  if (reserved.has(field)) return `__${field}__`
  if (!/^[A-Za-z_][-./\w]*$/.test(field)) return undefined
  return field.replaceAll(/__|[-./]/g, (part) => escapes[part] ?? part)
}
