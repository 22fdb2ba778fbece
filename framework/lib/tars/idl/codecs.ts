import { Failure } from '#base/errors.ts'
import { encodeFailure } from '../codec/wire.ts'
import type { Constant, FieldDef, Schema, StructDef, Type } from './schema.ts'
import { limitedBytesCodec, mapCodec, scalarCodec, vectorCodec, type ValueCodec } from './value-codec.ts'

/** Codecs of a schema's types; a struct's is built once, when first asked for. */
export class Codecs {
  readonly #schema: Schema
  readonly #structs = new Map<string, ValueCodec>()

  constructor(schema: Schema) {
    this.#schema = schema
  }

  /** @throws Failure `TARS_SCHEMA` when the schema does not define a name it uses */
  of(type: Type): ValueCodec {
    if (typeof type === 'string') return scalarCodec(type)
    if ('bytes' in type) return limitedBytesCodec(type.bytes)
    if ('vector' in type) return vectorCodec(this.of(type.vector), type.limit)
    if ('map' in type) return mapCodec(this.of(type.map[0]), this.of(type.map[1]))
    return 'enum' in type ? this.#enum(type.enum) : this.#struct(type.struct)
  }

  /** What a field holds when nothing gives it: its declared default, else the empty value of its type. */
  defaultOf(field: FieldDef): () => unknown {
    const given: Constant | undefined = field.default
    if (given === undefined) return this.of(field.type).empty
    return () => given
  }

  #enum(name: string): ValueCodec {
    const def = this.#schema.enums[name] ?? undefinedName(name)
    const first = Object.values(def.members)[0] ?? 0
    return { ...scalarCodec('int'), empty: () => first }
  }

  #struct(name: string): ValueCodec {
    const known = this.#structs.get(name)
    if (known !== undefined) return known
    const def = this.#schema.structs[name] ?? undefinedName(name)
    const codec = new StructCodec(name, def, this)
    this.#structs.set(name, codec)
    return codec
  }
}

interface FieldCodec {
  readonly tag: number
  readonly name: string
  readonly codec: ValueCodec
  /** What an absent field is given; undefined: the field is required and has no default. */
  readonly fallback: (() => unknown) | undefined
  readonly initial: () => unknown
}

class StructCodec implements ValueCodec {
  readonly #name: string
  readonly #def: StructDef
  readonly #codecs: Codecs
  #built: readonly FieldCodec[] | undefined

  constructor(name: string, def: StructDef, codecs: Codecs) {
    this.#name = name
    this.#def = def
    this.#codecs = codecs
  }

  // Built late, because a struct may hold vectors of itself.
  get #fields(): readonly FieldCodec[] {
    return this.#built ??= this.#def.fields.map((field) => {
      const initial = this.#codecs.defaultOf(field)
      const required = field.required && field.default === undefined
      return { tag: field.tag, name: field.name, codec: this.#codecs.of(field.type), fallback: required ? undefined : initial, initial }
    })
  }

  write = (w: Parameters<ValueCodec['write']>[0], tag: number, value: unknown): void => {
    if (typeof value !== 'object' || value === null) throw encodeFailure(`struct ${this.#name}`, tag, value)
    w.beginStruct(tag)
    for (const field of this.#fields) field.codec.write(w, field.tag, (value as Record<string, unknown>)[field.name])
    w.endStruct()
  }

  read = (r: Parameters<ValueCodec['read']>[0], tag: number, fallback?: unknown): unknown => {
    if (!r.beginStruct(tag)) return fallback ?? r.missing(tag)
    const out: Record<string, unknown> = {}
    for (const field of this.#fields) out[field.name] = field.codec.read(r, field.tag, field.fallback?.())
    r.endStruct()
    return out
  }

  empty = (): unknown => Object.fromEntries(this.#fields.map((field) => [field.name, field.initial()]))
}

function undefinedName(name: string): never {
  throw new Failure('TARS_SCHEMA', `the schema uses ${name} and does not define it`, { remedy: 'pass the schema that parseTars returned, whole' })
}
