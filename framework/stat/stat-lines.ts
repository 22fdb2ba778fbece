import { withCleanNames } from '#store/clean-text.ts'
import { refused, type Intake } from '#store/intake.ts'
import type { Lines } from '#store/lines.ts'
import { Reader } from '#tars/codec/reader.ts'
import { Writer } from '#tars/codec/writer.ts'
import { readStatMicMsgHead, writeStatMicMsgHead, type StatMicMsgHead } from '#tars/protocol/StatF.ts'
import { at, faultOf, inOrder, mostIntervals } from './model/value.ts'

/** What an entry means: as the caller says it, and as the callee. */
export const variants = 2

/** Reads a map of StatMicMsgHead and StatMicMsgBody. @param sender its entry @throws Failure TARS_DECODE */
export function readLines(r: Reader, tag: number, { known, lines }: Intake, sender: number): void {
  const count = r.beginMap(tag)
  let head = -1
  for (let index = 0; index < count; index++) {
    head = known.take(r, 0, sender, head, shorter)
    readValue(r, 1, lines)
    const fault = faultOf(lines.pushed())
    lines.add(fault === undefined ? head * variants : refused(fault))
  }
}

/** A StatMicMsgBody; an interval without calls is left out. */
function readValue(r: Reader, tag: number, lines: Lines): void {
  if (!r.beginStruct(tag)) return r.missing(tag)
  for (let place = 0; place < at.total; place++) lines.push(r.readInt(place))
  for (let place: number = at.total; place < at.intervals; place++) lines.push(0)
  readIntervals(r, 3, lines)
  lines.set(at.total, r.readLongNumber(4))
  lines.set(at.max, r.readInt(5))
  lines.set(at.min, r.readInt(6))
  r.endStruct()
}

function readIntervals(r: Reader, tag: number, lines: Lines): void {
  const count = r.beginMap(tag)
  let [last, ordered] = [-1, count <= mostIntervals]
  for (let index = 0; index < count; index++) {
    const bound = r.readInt(0)
    const calls = r.readInt(1)
    if (bound < 0 || calls <= 0) continue
    ordered &&= bound > last
    last = bound
    lines.push(bound)
    lines.push(calls)
  }
  if (ordered) return
  const { column, from, to } = lines.pushed()
  const intervals = inOrder(column.slice(from + at.intervals, to))
  lines.keep(at.intervals)
  for (const one of intervals) lines.push(one)
}

export const headOf = (bytes: Buffer): StatMicMsgHead => readStatMicMsgHead(new Reader(bytes), 0)

/** A head with its names as they are kept. */
function shorter(bytes: Buffer): Buffer {
  const writer = new Writer()
  writeStatMicMsgHead(writer, 0, withCleanNames(headOf(bytes)))
  return writer.bytes()
}
