import type { Reader } from '../codec/reader.ts'
import type { Writer } from '../codec/writer.ts'
import type { FunctionCodec } from '../idl/interface.ts'
import { decodeJson, encodeJson } from '../idl/json-forms.ts'
import { decodeTup, encodeTup } from '../idl/tup-forms.ts'
import { version } from './codes.ts'
import { emptyBody } from './empty.ts'

/** Writes the body of a request. @throws Failure `TARS_ENCODE` */
export function writeArguments(codec: FunctionCodec, ver: number, writer: Writer, args: readonly unknown[]): void {
  if (ver === version.tars) codec.writeArgs(writer, args)
  else if (ver === version.tup) writer.writeRaw(encodeTup(codec.writeArgsTup(args)))
  else writer.writeRaw(encodeJson(codec.argsToJson(args)))
}

/** The in parameters of a request, in order. @param reader is set on the body @throws Failure `TARS_DECODE` */
export function readArguments(codec: FunctionCodec, ver: number, body: Buffer, reader: Reader): unknown[] {
  if (ver === version.tars) return codec.readArgs(reader.reset(body))
  if (ver === version.tup) return codec.readArgsTup(decodeTup(body))
  return codec.argsFromJson(decodeJson(body.length === 0 ? emptyBody(version.json) : body))
}

/** Writes the body of a response. @throws Failure `TARS_ENCODE` */
export function writeResult(codec: FunctionCodec, ver: number, writer: Writer, result: unknown): void {
  if (ver === version.tars) codec.writeResult(writer, result)
  else if (ver === version.tup) writer.writeRaw(encodeTup(codec.writeResultTup(result)))
  else writer.writeRaw(encodeJson(codec.resultToJson(result)))
}

/** The result in a response. @param reader is set on the body @throws Failure `TARS_DECODE` */
export function readResult(codec: FunctionCodec, ver: number, body: Buffer, reader: Reader): unknown {
  if (ver === version.tars) return codec.readResult(reader.reset(body))
  if (ver === version.tup) return codec.readResultTup(decodeTup(body))
  return codec.resultFromJson(decodeJson(body.length === 0 ? emptyBody(version.json) : body))
}
