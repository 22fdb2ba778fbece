// A graph as bytes, read by the tags and types of native's IDL (framework-services 5) with the stream of Tars.js.
import { createRequire } from 'node:module'
import { expect, test } from 'vitest'
import { Writer } from '#tars/codec/writer.ts'
import { createEdge, writeEdge } from '#tars/protocol/Topology.ts'

interface Stream {
  readStruct(tag: number, required: boolean, type: { _readFrom: (stream: Stream) => unknown }): unknown
  readString(tag: number, required: boolean): string
  readInt64(tag: number, required: boolean): number
  readInt32(tag: number, required: boolean): number
}

const { TarsInputStream, BinBuffer } = createRequire(import.meta.url)('@tars/stream') as { TarsInputStream: new (buffer: unknown) => Stream; BinBuffer: new (bytes: Buffer) => unknown }

test('an edge: all its times are numbers', () => {
  const writer = new Writer()
  writeEdge(writer, 0, createEdge({ fromVertex: 'A.A', toVertex: 'B.B', callCount: 1n, callTime: 2n, spanId: 's', csTime: 1_772_683_200_001n, srTime: 2n, ssTime: 0n, crTime: 4n, csData: 'a', srData: 'b', ssData: 'c', crData: 'd', ret: '-7', order: 3 }))
  const read = (stream: Stream) => [
    ...[0, 1].map((tag) => stream.readString(tag, true)), ...[2, 3].map((tag) => stream.readInt64(tag, true)), stream.readString(4, true),
    ...[5, 6, 7, 8].map((tag) => stream.readInt64(tag, true)), ...[9, 10, 11, 12, 13].map((tag) => stream.readString(tag, true)), stream.readInt32(14, true),
  ]
  expect(new TarsInputStream(new BinBuffer(Buffer.from(writer.bytes()))).readStruct(0, true, { _readFrom: read })).toEqual(['A.A', 'B.B', 1, 2, 's', 1_772_683_200_001, 2, 0, 4, 'a', 'b', 'c', 'd', '-7', 3])
})
