import { closeSync, existsSync, fstatSync, openSync, readSync, readdirSync, statSync } from 'node:fs'
import { Readable } from 'node:stream'
import { once } from 'node:events'
import type { LogWriter } from './log-writer.ts'

export interface LogReadOptions {
  readonly follow?: boolean
  /** Only so many lines from the end. */
  readonly tailLines?: number
  /** Only lines written at or after this time, milliseconds since the epoch. */
  readonly sinceMs?: number
  /** Each line begins with its time. */
  readonly timestamps?: boolean
  /** No more than so many bytes. */
  readonly limitBytes?: number
  readonly signal?: AbortSignal
}

/** More than the longest line that a writer makes. */
const pieceBytes = 256 * 1024

/**
 * A container's log as plain lines, oldest first, over rotated files; with `follow` it goes on until the log ends.
 * @param writer the log's writer when the container runs; without it there is nothing to follow
 */
export function readLog(file: string, writer: LogWriter | undefined, options: LogReadOptions = {}): Readable {
  return Readable.from(limited(lines(file, writer, options), options.limitBytes ?? Number.POSITIVE_INFINITY), { objectMode: false })
}

async function* lines(file: string, writer: LogWriter | undefined, options: LogReadOptions): AsyncGenerator<string> {
  const cursor: Cursor = { fd: openSync(file, 'r'), offset: 0 }
  try {
    const { size } = fstatSync(cursor.fd)
    const present = existing(rotated(file).slice(0, -1), cursor, size)
    for await (const line of options.tailLines === undefined ? present : last(present, options.tailLines)) yield* some(renderLine(line, options))
    if (options.follow === true && writer !== undefined) for await (const line of follow(file, cursor, writer, options.signal)) yield* some(renderLine(line, options))
  } finally {
    closeSync(cursor.fd)
  }
}

/** Where reading is in the newest file. Writers append whole lines, so it is always at the start of one. */
interface Cursor {
  fd: number
  offset: number
}

async function* existing(older: readonly string[], cursor: Cursor, size: number): AsyncGenerator<string> {
  for (const file of older) {
    const old = { fd: openSync(file, 'r'), offset: 0 }
    try {
      for (let found = nextLines(old); found.length > 0; found = nextLines(old)) yield* found
    } finally {
      closeSync(old.fd)
    }
  }
  while (cursor.offset < size) yield* nextLines(cursor)
}

async function* last(source: AsyncGenerator<string>, count: number): AsyncGenerator<string> {
  const kept: string[] = []
  for await (const line of source) {
    kept.push(line)
    if (kept.length > count) kept.shift()
  }
  yield* kept
}

async function* follow(file: string, cursor: Cursor, writer: LogWriter, signal: AbortSignal | undefined): AsyncGenerator<string> {
  while (signal?.aborted !== true) {
    // from the read that finds nothing to the listening is one turn, in which the writer cannot write
    const found = nextLines(cursor)
    const newer = found.length === 0 ? successor(file, cursor.fd) : undefined
    if (newer !== undefined) {
      closeSync(cursor.fd)
      Object.assign(cursor, { fd: openSync(newer, 'r'), offset: 0 })
    } else if (found.length === 0) {
      if (writer.ended) return
      await nextChange(writer, signal)
    }
    yield* found
  }
}

async function nextChange(writer: LogWriter, signal: AbortSignal | undefined): Promise<void> {
  const done = new AbortController()
  const either = AbortSignal.any([done.signal, ...(signal === undefined ? [] : [signal])])
  await Promise.race((['written', 'ended'] as const).map((event) => once(writer, event, { signal: either }).catch(() => {})))
  done.abort()
}

/** The file that came after the one that is open; undefined while that is the newest. */
function successor(file: string, fd: number): string | undefined {
  const { ino } = fstatSync(fd)
  let newer: string | undefined
  for (const candidate of rotated(file).toReversed()) {
    if (statSync(candidate, { throwIfNoEntry: false })?.ino === ino) return newer
    newer = candidate
  }
  return newer // it is gone already: go on with the oldest that is left
}

/** The whole lines of the next piece of the file; none at its end. */
function nextLines(cursor: Cursor): string[] {
  const buffer = Buffer.allocUnsafe(pieceBytes)
  const bytesRead = readSync(cursor.fd, buffer, 0, buffer.length, cursor.offset)
  const bytes = buffer.subarray(0, bytesRead)
  const end = bytes.lastIndexOf(0x0a)
  if (end < 0) return []
  cursor.offset += end + 1
  return bytes.toString('utf8', 0, end).split('\n')
}

/** The log's files, oldest first. */
export function rotated(file: string): string[] {
  const files = existsSync(file) ? [file] : []
  for (let index = 1; existsSync(`${file}.${index}`); index++) files.unshift(`${file}.${index}`)
  return files
}

/** Numbers of the runs that a container's log folder has, in order. */
export function logRuns(folder: string): number[] {
  const names = existsSync(folder) ? readdirSync(folder) : []
  return names.flatMap((name) => /^(\d+)\.log$/.exec(name)?.[1] ?? []).map(Number).toSorted((a, b) => a - b)
}

function some(line: string | undefined): string[] {
  return line === undefined ? [] : [line]
}

function renderLine(line: string, { timestamps, sinceMs }: LogReadOptions): string | undefined {
  const [time = '', , tag] = line.split(' ', 3)
  if (sinceMs !== undefined && Date.parse(time) < sinceMs) return undefined
  const text = line.slice(line.indexOf(` ${tag ?? ''} `) + 3)
  return `${timestamps === true ? `${time} ` : ''}${text}${tag === 'P' ? '' : '\n'}`
}

async function* limited(source: AsyncGenerator<string>, limit: number): AsyncGenerator<Buffer> {
  let left = limit
  for await (const text of source) {
    const bytes = Buffer.from(text)
    yield bytes.subarray(0, left)
    left -= bytes.length
    if (left <= 0) return
  }
}
