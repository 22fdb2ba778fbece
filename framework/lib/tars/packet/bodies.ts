import { Reader } from '../codec/reader.ts'
import { decodeFailure } from '../codec/wire.ts'
import type { Writer } from '../codec/writer.ts'
import type { FunctionCodec } from '../idl/interface.ts'
import { decodeTup, encodeTup } from '../idl/tup-forms.ts'
import { version } from './codes.ts'

/** Writes the body of a request. @throws Failure `TARS_ENCODE` */
export function writeArguments(codec: FunctionCodec, ver: number, writer: Writer, args: readonly unknown[]): void {
  if (ver === version.tars) codec.writeArgs(writer, args)
  else if (ver === version.tup) writer.writeRaw(encodeTup(codec.writeArgsTup(args)))
  else writer.writeRaw(jsonBytes(codec.argsToJson(args)))
}

/** The in parameters of a request, in order. @param reader is set on the body @throws Failure `TARS_DECODE` */
export function readArguments(codec: FunctionCodec, ver: number, body: Buffer, reader: Reader): unknown[] {
  if (ver === version.tars) return codec.readArgs(reader.reset(body))
  if (ver === version.tup) return codec.readArgsTup(decodeTup(body))
  return codec.argsFromJson(parseJson(body))
}

/** Writes the body of a response. @throws Failure `TARS_ENCODE` */
export function writeResult(codec: FunctionCodec, ver: number, writer: Writer, result: unknown): void {
  if (ver === version.tars) codec.writeResult(writer, result)
  else if (ver === version.tup) writer.writeRaw(encodeTup(codec.writeResultTup(result)))
  else writer.writeRaw(jsonBytes(codec.resultToJson(result)))
}

/** The result in a response. @param reader is set on the body @throws Failure `TARS_DECODE` */
export function readResult(codec: FunctionCodec, ver: number, body: Buffer, reader: Reader): unknown {
  if (ver === version.tars) return codec.readResult(reader.reset(body))
  if (ver === version.tup) return codec.readResultTup(decodeTup(body))
  return codec.resultFromJson(parseJson(body))
}

function jsonBytes(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value))
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.length === 0 ? '{}' : body.toString())
  } catch (error) {
    throw decodeFailure(`the body is not JSON: ${(error as Error).message}`, 0, 0)
  }
}
