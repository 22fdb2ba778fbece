import { Failure } from '#base/errors.ts'
import type { Codecs } from './codecs.ts'
import { bytesJson, enumJson, scalarJson, type JsonCodec } from './json-scalars.ts'
import type { Schema, StructDef, Type } from './schema.ts'

/** JSON codecs of a schema's types. Shapes as TarsCpp's: structs and maps are objects, vector<byte> an array of numbers. */
export class JsonCodecs {
  readonly #schema: Schema
  readonly #codecs: Codecs
  readonly #structs = new Map<string, JsonCodec>()

  constructor(schema: Schema, codecs: Codecs) {
    this.#schema = schema
    this.#codecs = codecs
  }

  of(type: Type): JsonCodec {
    if (type === 'bytes') return bytesJson(undefined)
    if (typeof type === 'string') return scalarJson(type)
    if ('bytes' in type) return bytesJson(type.bytes)
    if ('vector' in type) return this.#vector(this.of(type.vector), type.limit)
    if ('map' in type) return isScalarKey(type.map[0]) ? this.#objectMap(type.map) : this.#pairMap(type.map)
    return 'enum' in type ? enumJson(this.#schema.enums[type.enum]?.members ?? {}) : this.#struct(type.struct)
  }

  #vector(of: JsonCodec, limit: number | undefined): JsonCodec {
    return {
      to: (value) => (value as unknown[]).map((element) => of.to(element)),
      from(json, path) {
        if (!Array.isArray(json)) throw jsonFailure(path, 'an array', json)
        if (limit !== undefined && json.length > limit) throw jsonFailure(path, `at most ${limit} elements`, json)
        return json.map((element, index) => of.from(element, `${path}[${index}]`))
      },
      empty: () => [],
    }
  }

  #objectMap([keyType, valueType]: readonly [Type, Type]): JsonCodec {
    const key = this.of(keyType)
    const value = this.of(valueType)
    return {
      to: (map) => Object.fromEntries([...map as Map<unknown, unknown>].map(([k, v]) => [keyText(key.to(k)), value.to(v)])),
      from(json, path) {
        const entries = Object.entries(objectAt(json, path))
        return new Map(entries.map(([k, v]) => [key.from(keyValue(keyType, k), `${path}: key`), value.from(v, `${path}.${k}`)]))
      },
      empty: () => new Map(),
    }
  }

  // JSON has no form for a struct as key, and TarsCpp refuses it; ours is an array of { key, value }.
  #pairMap([keyType, valueType]: readonly [Type, Type]): JsonCodec {
    const key = this.of(keyType)
    const value = this.of(valueType)
    return {
      to: (map) => [...map as Map<unknown, unknown>].map(([k, v]) => ({ key: key.to(k), value: value.to(v) })),
      from(json, path) {
        if (!Array.isArray(json)) throw jsonFailure(path, 'an array of { key, value }', json)
        return new Map(json.map((entry, index) => {
          const pair = objectAt(entry, `${path}[${index}]`)
          return [key.from(pair['key'], `${path}[${index}].key`), value.from(pair['value'], `${path}[${index}].value`)]
        }))
      },
      empty: () => new Map(),
    }
  }

  #struct(name: string): JsonCodec {
    const known = this.#structs.get(name)
    if (known !== undefined) return known
    const codec = new StructJson(this.#schema.structs[name] ?? { fields: [] }, this, this.#codecs)
    this.#structs.set(name, codec)
    return codec
  }
}

interface FieldJson {
  readonly name: string
  readonly codec: JsonCodec
  readonly absent: (() => unknown) | undefined
}

class StructJson implements JsonCodec {
  readonly #def: StructDef
  readonly #json: JsonCodecs
  readonly #codecs: Codecs
  #built: readonly FieldJson[] | undefined

  constructor(def: StructDef, json: JsonCodecs, codecs: Codecs) {
    this.#def = def
    this.#json = json
    this.#codecs = codecs
  }

  get #fields(): readonly FieldJson[] {
    return this.#built ??= this.#def.fields.map((field) => {
      const codec = this.#json.of(field.type)
      const optional = !field.required || field.default !== undefined
      return { name: field.name, codec, absent: optional ? this.#codecs.defaultOf(field) : codec.empty }
    })
  }

  to = (value: unknown): unknown => Object.fromEntries(this.#fields.map((field) => [field.name, field.codec.to((value as Record<string, unknown>)[field.name])]))

  from = (json: unknown, path: string): unknown => {
    const object = objectAt(json, path)
    return Object.fromEntries(this.#fields.map((field) => {
      return [field.name, fieldFrom({ codec: field.codec, absent: field.absent }, own(object, field.name), `${path}.${field.name}`)]
    }))
  }
}

/** A value that may be absent (undefined or null): then what `absent` gives, and a Failure when that is undefined. */
export function fieldFrom(field: { codec: JsonCodec; absent: (() => unknown) | undefined }, json: unknown, path: string): unknown {
  if (json !== undefined && json !== null) return field.codec.from(json, path)
  if (field.absent === undefined) throw new Failure('TARS_DECODE', `${path} is required and missing`, { context: { path }, remedy: 'give it a value' })
  return field.absent()
}

/** An own property, so that `constructor` or `__proto__` find nothing. */
export function own(object: Record<string, unknown>, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined
}

export function objectAt(json: unknown, path: string): Record<string, unknown> {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) throw jsonFailure(path, 'an object', json)
  return json as Record<string, unknown>
}

function jsonFailure(path: string, expected: string, json: unknown): Failure {
  const found = Array.isArray(json) ? `an array of ${json.length}` : json === null ? 'null' : typeof json
  return new Failure('TARS_DECODE', `${path} must be ${expected}, it is ${found}`, { context: { path }, remedy: 'see the .tars interface for the shape' })
}

function isScalarKey(type: Type): boolean {
  return typeof type === 'string' ? type !== 'bytes' : 'enum' in type
}

// TarsCpp writes a bool key as 1 or 0.
function keyText(key: unknown): string {
  return typeof key === 'boolean' ? (key ? '1' : '0') : String(key)
}

function keyValue(type: Type, key: string): unknown {
  return type === 'bool' ? key === '1' || key === 'true' : key
}
