// Rows of the compatibility matrix: what a client asks, by the tags and names of the spec, and what must come back.
import { plain, type Answer, type Call } from './clients.ts'
import type { Value } from './spec-codec.ts'

export interface Row extends Call {
  /** Of framework-services.md. */
  readonly section: string
  readonly servant: string
  /** What of the answer is compared. */
  readonly see: (answer: Answer) => unknown
  readonly expected: unknown
}

export type Struct = Readonly<Record<string, unknown>>

/** A field by name (JSON, TarsJava and ours) or by tag. */
export const at = (struct: unknown, tag: number, name: string): unknown => plain((struct as Struct)[name] ?? (struct as Struct)[tag])

/** Arguments that are texts, from tag 1 on. */
export const textArgs = (...args: readonly (readonly [name: string, value: string])[]): Call['args'] => args.map(([name, value], index) => [index + 1, name, value])

export const returnsOnly = { 0: 'return' } as const
export const seeReturn = (answer: Answer): unknown => plain(answer['return'])

/** Of a function that returns nothing. */
export const answered = { results: {}, see: () => 'answered', expected: 'answered' } as const

/** The return value and out parameters, in order. */
export const seeAll = (...outs: readonly string[]) => (answer: Answer): unknown => [plain(answer['return']), ...outs.map((name) => plain(answer[name]))]

/** A map as `[[key, value], …]` in order of the keys, from any form of it. */
export function entries(map: unknown): unknown {
  const pairs = Array.isArray(map) ? (map as [unknown, unknown][]) : map instanceof Map ? [...(map as Map<unknown, unknown>)] : Object.entries(map as object)
  return pairs.map(([key, value]) => [String(key), plain(value)] as const).toSorted(([a], [b]) => (a < b ? -1 : 1))
}

/** A struct by tag, in order of tag and by name for JSON. */
export function struct(fields: readonly (readonly [tag: number, name: string, value: Value, json?: unknown])[]): { readonly value: Value; readonly json: Record<string, unknown> } {
  return {
    value: { struct: Object.fromEntries(fields.map(([tag, , value]) => [tag, value])) },
    json: Object.fromEntries(fields.map(([, name, value, json]) => [name, json ?? value])),
  }
}

/** Stands in arguments for a text that each call has for itself. */
export const own = '\u00abown\u00bb'
