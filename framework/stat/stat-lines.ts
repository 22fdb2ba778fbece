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

/** Lines of a report that are read into the same objects each time. */
const mostReused = 256

/** StatF whose reportMicMsg gets {@link StatLine}s in place of the map. They are its own until it returns: the next report is read into the same objects. */
export function statOfLines(heads: Heads): Interface {
  const lines = new Lines(heads)
  const codec = StatF.functions['reportMicMsg'] as FunctionCodec
  const reportMicMsg: FunctionCodec = {
    ...codec,
    readArgs: (r) => [lines.read(r, 1), r.readBool(2)],
    readArgsTup: (map) => [lines.read(new Reader(map.get('msg') ?? Buffer.alloc(0)), 0), codec.readArgsTup(map)[1]],
    argsFromJson(value) {
      const [msg, fromClient] = codec.argsFromJson(value) as [Map<StatMicMsgHead, StatMicMsgBody>, boolean]
      return [[...msg].map(([head, body]) => ({ head: headOf(head), value: valueOf(body) })), fromClient]
    },
  }
  return { ...StatF, functions: Object.assign(Object.create(null), StatF.functions, { reportMicMsg }) }
}

/** Reads reports. A thousand of them a second have some tens of thousands of lines, each of which would be garbage in a moment. */
class Lines {
  readonly #heads: Heads
  readonly #reused: { head: Head; readonly value: StatValue }[] = []

  constructor(heads: Heads) {
    this.#heads = heads
  }

  /** A map of StatMicMsgHead and StatMicMsgBody. */
  read(r: Reader, tag: number): StatLine[] {
    const count = r.beginMap(tag)
    const lines: StatLine[] = []
    let head: Head | undefined
    for (let index = 0; index < count; index++) {
      head = this.#heads.take(r, head)
      lines.push(this.#line(r, index, head))
    }
    return lines
  }

  #line(r: Reader, index: number, head: Head): StatLine {
    const line = this.#reused[index] ?? { head, value: { count: 0, timeouts: 0, failures: 0, intervals: [], total: 0, max: 0, min: 0 } }
    if (index < mostReused) this.#reused[index] = line
    line.head = head
    readValue(r, 1, line.value)
    return line
  }
}

/** A StatMicMsgBody; an interval without calls is left out. */
function readValue(r: Reader, tag: number, value: StatValue): void {
  if (!r.beginStruct(tag)) return r.missing(tag)
  value.count = r.readInt(0)
  value.timeouts = r.readInt(1)
  value.failures = r.readInt(2)
  value.intervals = readIntervals(r, 3, value.intervals)
  value.total = r.readLongNumber(4)
  value.max = r.readInt(5)
  value.min = r.readInt(6)
  r.endStruct()
}

/** @param intervals what was there before @returns the same array, or another one where what is read is not in order */
function readIntervals(r: Reader, tag: number, intervals: number[]): number[] {
  const count = r.beginMap(tag)
  let [last, ordered, length] = [-1, count <= mostIntervals, 0]
  for (let index = 0; index < count; index++) {
    const bound = r.readInt(0)
    const calls = r.readInt(1)
    if (bound < 0 || calls <= 0) continue
    ordered &&= bound > last
    last = bound
    intervals[length++] = bound
    intervals[length++] = calls
  }
  intervals.length = length
  return ordered ? intervals : inOrder(byBound(intervals))
}

function headOf(head: StatMicMsgHead): Head {
  const writer = new Writer()
  writeStatMicMsgHead(writer, 0, head)
  return new Head(Buffer.from(writer.bytes()))
}

const valueOf = ({ count, timeoutCount: timeouts, execCount: failures, intervalCount, totalRspTime, maxRspTime: max, minRspTime: min }: StatMicMsgBody): StatValue =>
  ({ count, timeouts, failures, intervals: inOrder(new Map([...intervalCount].filter(([bound, calls]) => bound >= 0 && calls > 0))), total: Math.min(Number(totalRspTime), Number.MAX_SAFE_INTEGER), max, min })
