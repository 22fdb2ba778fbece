import { Failure } from '#base/errors.ts'
import type { FunctionSource } from './interface.ts'
import { fieldFrom, JsonCodecs, objectAt, own } from './json-codecs.ts'
import { inParams, resultShape } from './result.ts'

export type JsonObject = Record<string, unknown>

/**
 * The version 5 body: an object by parameter name, the return value under `tars_ret`.
 * Objects hold a `long` beyond 2^53 as bigint: write and read their text with {@link encodeJson} and {@link decodeJson}.
 * Reading accepts integers as numbers or strings, and is what makes call arguments of JSON given by a person.
 */
export interface JsonForms {
  argsToJson(args: readonly unknown[]): JsonObject
  argsFromJson(json: unknown): unknown[]
  resultToJson(result: unknown): JsonObject
  resultFromJson(json: unknown): unknown
}

export function jsonForms(source: FunctionSource): JsonForms {
  const codecs = new JsonCodecs(source.schema, source.codecs)
  const params = inParams(source).map((param) => ({ name: param.name, codec: codecs.of(param.type) }))
  const shape = resultShape(source)
  const parts = shape.parts.map((part) => ({ name: part.name === '' ? 'tars_ret' : part.name, codec: codecs.of(part.type) }))
  type Part = (typeof parts)[number]
  const read = (part: Part, object: JsonObject): unknown => fieldFrom({ codec: part.codec, absent: part.codec.empty }, own(object, part.name), part.name)
  return {
    argsToJson: (args) => Object.fromEntries(params.map((param, index) => [param.name, param.codec.to(args[index])])),
    argsFromJson(json) {
      const object = objectAt(json, 'the arguments')
      return params.map((param) => read(param, object))
    },
    resultToJson(result) {
      const values = shape.split(result)
      return Object.fromEntries(parts.map((part, index) => [part.name, part.codec.to(values[index])]))
    },
    resultFromJson(json) {
      const object = objectAt(json, 'the result')
      return shape.join(parts.map((part) => read(part, object)))
    },
  }
}

/** JSON text of a body, integers in full: TarsCpp and TarsGo read a `long` only as a number. */
export function encodeJson(body: JsonObject): Buffer {
  return Buffer.from(JSON.stringify(body, (_, value: unknown) => (typeof value === 'bigint' ? rawJson(value) : value)))
}

/** The body that {@link encodeJson} wrote, or another client: integers beyond 2^53 become bigint. @throws Failure `TARS_DECODE` */
export function decodeJson(bytes: Uint8Array): unknown {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()
  try {
    return JSON.parse(text, (_, value: unknown, context?: { source?: string }) => exact(value, context?.source))
  } catch (error) {
    throw new Failure('TARS_DECODE', 'the body is not JSON', { cause: error, remedy: 'send a JSON object by parameter name' })
  }
}

function exact(value: unknown, source: string | undefined): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value) || source === undefined) return value
  return /^-?\d{1,20}$/.test(source) ? BigInt(source) : value
}

// Newer than TypeScript's library: text that JSON.stringify puts in as it is (ECMAScript "JSON.parse source text access").
const { rawJSON } = JSON as unknown as { rawJSON: (text: string) => unknown }

function rawJson(value: bigint): unknown {
  return rawJSON(String(value))
}
