import { decodeJson, type JsonObject } from '#tars/idl/json-forms.ts'
import type { FunctionCodec } from '#tars/idl/interface.ts'
import type { Type } from '#tars/idl/schema.ts'
import { usageError } from './command.ts'

/**
 * Arguments as typed at a shell, as values of a function's in parameters: JSON each; what is no JSON is a text, and so
 * is anything where the function takes a string and the JSON is none.
 * @throws Failure USAGE with the function's signature; TARS_DECODE for a value of another type
 */
export function argumentsOf(codec: FunctionCodec, given: readonly string[]): unknown[] {
  const params = codec.params.filter(({ out }) => !out)
  if (given.length !== params.length) throw usageError(`${codec.name} takes ${params.length} arguments, not ${given.length}`, signatureOf(codec))
  const values = params.map(({ name, type }, index) => [name, valueOf(given[index] ?? '', type)] as const)
  return codec.argsFromJson(Object.fromEntries(values))
}

/** `name(string id, out vector<…> list)` */
export function signatureOf({ name, params }: FunctionCodec): string {
  return `${name}(${params.map(({ out, name: param, type }) => `${out ? 'out ' : ''}${typeText(type)} ${param}`).join(', ')})`
}

function valueOf(text: string, type: Type): unknown {
  const value = parseJson(text)
  return type === 'string' && typeof value !== 'string' ? text : value
}

function parseJson(text: string): unknown {
  try {
    return decodeJson(Buffer.from(text))
  } catch {
    return text
  }
}

function typeText(type: Type): string {
  if (typeof type === 'string') return type
  if ('bytes' in type) return 'vector<byte>'
  if ('vector' in type) return `vector<${typeText(type.vector)}>`
  if ('map' in type) return `map<${typeText(type.map[0])}, ${typeText(type.map[1])}>`
  return ('struct' in type ? type.struct : type.enum).replace(/^.*::/, '')
}

/** A result for people and scripts: the bare value of a function without out parameters, else an object; integers in full. */
export function printJson({ tars_ret: value, ...outs }: JsonObject): string {
  const shown = Object.keys(outs).length === 0 ? (value ?? null) : value === undefined ? outs : { return: value, ...outs }
  return JSON.stringify(shown, (_key, one: unknown) => (typeof one === 'bigint' ? rawJSON(one.toString()) : one), 2)
}

// Not in the compiler's library yet.
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown }
