import type { Reader } from '../codec/reader.ts'
import type { Writer } from '../codec/writer.ts'
import type { FunctionSource } from './interface.ts'
import { inParams, resultShape } from './result.ts'

/** The version 1 body: parameters by tag, the return value at tag 0 (framework-services.md 0.2). */
export interface WireForms {
  writeArgs(w: Writer, args: readonly unknown[]): void
  readArgs(r: Reader): unknown[]
  writeResult(w: Writer, result: unknown): void
  readResult(r: Reader): unknown
}

export function wireForms(source: FunctionSource): WireForms {
  const fields = inParams(source).map((param) => ({ tag: param.tag, codec: source.codecs.of(param.type) }))
  const shape = resultShape(source)
  const parts = shape.parts.map((part) => ({ tag: part.tag, codec: source.codecs.of(part.type) }))
  return {
    writeArgs(w, args) {
      for (const [index, field] of fields.entries()) field.codec.write(w, field.tag, args[index])
    },
    readArgs: (r) => fields.map((field) => field.codec.read(r, field.tag)),
    writeResult(w, result) {
      const values = shape.split(result)
      for (const [index, part] of parts.entries()) part.codec.write(w, part.tag, values[index])
    },
    readResult: (r) => shape.join(parts.map((part) => part.codec.read(r, part.tag))),
  }
}
