// Reports with their heads as they were sent: each minute brings the same heads again, and reading them is most of the work.
import { describe } from '#base/errors.ts'
import { Reader } from '#tars/codec/reader.ts'
import { Writer } from '#tars/codec/writer.ts'
import type { FunctionCodec, Interface } from '#tars/idl/interface.ts'
import { ret, TarsCallError } from '#tars/packet.ts'
import { readStatMicMsgBody, readStatMicMsgHead, StatF, writeStatMicMsgHead, type StatMicMsgBody, type StatMicMsgHead } from '#tars/protocol/StatF.ts'

export interface StatLine {
  /** A StatMicMsgHead in wire form, a character for each byte; {@link readHead} reads it. */
  readonly head: string
  readonly body: StatMicMsgBody
}

/** @throws TarsCallError with the code of what cannot be decoded */
export function readHead(head: string): StatMicMsgHead {
  try {
    return readStatMicMsgHead(new Reader(Buffer.from(head, 'latin1')), 0)
  } catch (error) {
    throw new TarsCallError(ret.decodeError, describe(error))
  }
}

function writeHead(head: StatMicMsgHead): string {
  const writer = new Writer()
  writeStatMicMsgHead(writer, 0, head)
  return Buffer.from(writer.bytes()).toString('latin1')
}

function readLines(r: Reader, tag: number): StatLine[] {
  const count = r.beginMap(tag)
  const lines: StatLine[] = []
  for (let index = 0; index < count; index++) lines.push({ head: r.readWhole(0), body: readStatMicMsgBody(r, 1) })
  return lines
}

const codec = StatF.functions['reportMicMsg'] as FunctionCodec

/** StatF whose reportMicMsg gets {@link StatLine}s in place of the map. */
export const StatOfHeads: Interface = {
  ...StatF,
  functions: Object.assign(Object.create(null), StatF.functions, {
    reportMicMsg: {
      ...codec,
      readArgs: (r) => [readLines(r, 1), r.readBool(2)],
      readArgsTup: (map) => [readLines(new Reader(map.get('msg') ?? Buffer.alloc(0)), 0), codec.readArgsTup(map)[1]],
      argsFromJson(value) {
        const [msg, fromClient] = codec.argsFromJson(value) as [Map<StatMicMsgHead, StatMicMsgBody>, boolean]
        return [[...msg].map(([head, body]) => ({ head: writeHead(head), body })), fromClient]
      },
    } satisfies FunctionCodec,
  }),
}
