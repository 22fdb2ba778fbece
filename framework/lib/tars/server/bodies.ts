import { Reader } from '../codec/reader.ts'
import type { Writer } from '../codec/writer.ts'
import type { FunctionCodec } from '../idl/interface.ts'
import { writeResult } from '../packet/bodies.ts'
import { version } from '../packet.ts'
import { bodyOf, Encoded } from './encoded.ts'

/** Writes what a method returned: a plain result, or a body it encoded itself. */
export function writeReturned(codec: FunctionCodec, ver: number, writer: Writer, value: unknown): void {
  if (!(value instanceof Encoded)) writeResult(codec, ver, writer, value)
  else if (ver === version.tars) for (const piece of value.latin1) writer.writeLatin1(piece)
  else writeResult(codec, ver, writer, codec.readResult(new Reader(bodyOf(value))))
}
