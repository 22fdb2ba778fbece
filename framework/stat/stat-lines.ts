// Reports with heads that are known and bodies that are read into what is added up.
import { Reader } from '#tars/codec/reader.ts'
import { Writer } from '#tars/codec/writer.ts'
import type { FunctionCodec, Interface } from '#tars/idl/interface.ts'
import { StatF, writeStatMicMsgHead, type StatMicMsgBody, type StatMicMsgHead } from '#tars/protocol/StatF.ts'
import { Head, type Heads } from './heads.ts'
import { byBound, inOrder, mostIntervals, type StatValue } from './model/record.ts'

export interface StatLine {
  readonly head: Head
  readonly value: StatValue
}

/** StatF whose reportMicMsg gets {@link StatLine}s in place of the map. */
export function statOfLines(heads: Heads): Interface {
  const codec = StatF.functions['reportMicMsg'] as FunctionCodec
  const reportMicMsg: FunctionCodec = {
    ...codec,
    readArgs: (r) => [readLines(r, 1, heads), r.readBool(2)],
    readArgsTup: (map) => [readLines(new Reader(map.get('msg') ?? Buffer.alloc(0)), 0, heads), codec.readArgsTup(map)[1]],
    argsFromJson(value) {
      const [msg, fromClient] = codec.argsFromJson(value) as [Map<StatMicMsgHead, StatMicMsgBody>, boolean]
      return [[...msg].map(([head, body]) => ({ head: headOf(head), value: valueOf(body) })), fromClient]
    },
  }
  return { ...StatF, functions: Object.assign(Object.create(null), StatF.functions, { reportMicMsg }) }
}

function readLines(r: Reader, tag: number, heads: Heads): StatLine[] {
  const count = r.beginMap(tag)
  const lines: StatLine[] = []
  let head: Head | undefined
  for (let index = 0; index < count; index++) {
    head = heads.take(r, head)
    lines.push({ head, value: readValue(r, 1) })
  }
  return lines
}

/** A StatMicMsgBody; an interval without calls is left out. */
function readValue(r: Reader, tag: number): StatValue {
  if (!r.beginStruct(tag)) return r.missing(tag)
  const value = { count: r.readInt(0), timeouts: r.readInt(1), failures: r.readInt(2), intervals: readIntervals(r, 3), total: r.readLongNumber(4), max: r.readInt(5), min: r.readInt(6) }
  r.endStruct()
  return value
}

function readIntervals(r: Reader, tag: number): number[] {
  const count = r.beginMap(tag)
  const intervals: number[] = []
  let [last, ordered] = [-1, count <= mostIntervals]
  for (let index = 0; index < count; index++) {
    const bound = r.readInt(0)
    const calls = r.readInt(1)
    if (bound < 0 || calls <= 0) continue
    ordered &&= bound > last
    last = bound
    intervals.push(bound, calls)
  }
  return ordered ? intervals : inOrder(byBound(intervals))
}

function headOf(head: StatMicMsgHead): Head {
  const writer = new Writer()
  writeStatMicMsgHead(writer, 0, head)
  return new Head(Buffer.from(writer.bytes()))
}

const valueOf = ({ count, timeoutCount: timeouts, execCount: failures, intervalCount, totalRspTime, maxRspTime: max, minRspTime: min }: StatMicMsgBody): StatValue =>
  ({ count, timeouts, failures, intervals: inOrder(new Map([...intervalCount].filter(([bound, calls]) => bound >= 0 && calls > 0))), total: Math.min(Number(totalRspTime), Number.MAX_SAFE_INTEGER), max, min })
