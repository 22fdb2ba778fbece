import type { Schema } from '../crd/schema.ts'
import fields from './fields.json' with { type: 'json' }

const table: Readonly<Record<string, Readonly<Record<string, string>>>> = fields

const simple: Readonly<Record<string, Schema>> = {
  s: { type: 'string' },
  n: { type: 'number' },
  b: { type: 'boolean' },
  q: { 'x-kubernetes-int-or-string': true },
  '*': { 'x-kubernetes-preserve-unknown-fields': true },
}

/** Schemas of the built-in kinds, by kind as `apps/v1.StatefulSet`; types that several kinds use are made once. */
export class BuiltinSchemas {
  readonly #made = new Map<string, Schema>()

  /** Undefined for a kind whose fields are not known here; anything goes for it. */
  of(group: string, version: string, kind: string): Schema | undefined {
    const file = group === '' ? 'core' : (group.split('.')[0] ?? '')
    const name = `${file}/${version}.${kind}`
    return table[name] === undefined ? undefined : this.#type(name)
  }

  /** metadata of every kind. */
  get metadata(): Schema {
    return this.#type('meta/v1.ObjectMeta')
  }

  #type(name: string): Schema {
    const known = this.#made.get(name)
    if (known !== undefined) return known
    // Should a type ever contain itself, the inner one takes anything.
    this.#made.set(name, simple['*'] ?? {})
    const properties = Object.fromEntries(Object.entries(table[name] ?? {}).map(([field, type]) => [field, this.#decode(type)]))
    const schema: Schema = { type: 'object', properties }
    this.#made.set(name, schema)
    return schema
  }

  #decode(type: string): Schema {
    const rest = type.slice(1)
    if (type.startsWith('[')) return { type: 'array', items: this.#decode(rest) }
    if (type.startsWith('{')) return { type: 'object', additionalProperties: this.#decode(rest) }
    return type.startsWith('#') ? this.#type(rest) : (simple[type] ?? {})
  }
}
