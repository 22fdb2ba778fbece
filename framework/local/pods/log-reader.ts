import { createReadStream, existsSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { createInterface } from 'node:readline'
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

/**
 * A container's log as plain lines, oldest first, over rotated files; with `follow` it goes on until the log ends.
 * @param writer the log's writer when the container runs; without it there is nothing to follow
 */
export function readLog(file: string, writer: LogWriter | undefined, options: LogReadOptions = {}): Readable {
  return Readable.from(limited(lines(file, writer, options), options.limitBytes ?? Number.POSITIVE_INFINITY), { objectMode: false })
}

async function* lines(file: string, writer: LogWriter | undefined, options: LogReadOptions): AsyncGenerator<string> {
  const render = (line: string): string | undefined => renderLine(line, options)
  if (options.tailLines === undefined) {
    for (const part of rotated(file)) for await (const line of linesOf(part)) yield* some(render(line))
  } else yield* await lastLines(file, options.tailLines, render)
  const end = existsSync(file) ? await sizeOf(file) : 0
  // what was written while the files were read is seen by the follower, which starts where they ended
  yield* follow(file, writer, options, render, options.tailLines === undefined || options.follow === true ? end : end)
}

async function lastLines(file: string, count: number, render: (line: string) => string | undefined): Promise<string[]> {
  const kept: string[] = []
  for (const part of rotated(file)) {
    for await (const line of linesOf(part)) {
      kept.push(line)
      if (kept.length > count) kept.shift()
    }
  }
  return kept.flatMap((line) => some(render(line)))
}

async function* follow(file: string, writer: LogWriter | undefined, options: LogReadOptions, render: (line: string) => string | undefined, from: number): AsyncGenerator<string> {
  if (options.follow !== true || writer === undefined) return
  let offset = from
  let handle = await open(file)
  try {
    let rest = ''
    for (;;) {
      const ended = writer.ended
      const change = new AbortController()
      const next = ended ? undefined : Promise.race(['written' as const, 'ended' as const].map((event) => once(writer, event, { signal: anySignal(change.signal, options.signal) }).catch(() => {})))
      const read = await readFrom(handle, offset)
      offset += read.length
      const parts = (rest + read.toString('utf8')).split('\n')
      rest = parts.pop() ?? ''
      for (const line of parts) yield* some(render(line))
      if (options.signal?.aborted === true || (ended && read.length === 0)) return
      if (read.length === 0 && (await wasRotated(file, handle))) {
        await handle.close()
        handle = await open(file)
        offset = 0
      } else if (read.length === 0) await next
      change.abort()
    }
  } finally {
    await handle.close()
  }
}

function anySignal(first: AbortSignal, second: AbortSignal | undefined): AbortSignal {
  return second === undefined ? first : AbortSignal.any([first, second])
}

async function wasRotated(file: string, handle: Awaited<ReturnType<typeof open>>): Promise<boolean> {
  const other = await open(file).catch(() => undefined)
  if (other === undefined) return false
  const [a, b] = await Promise.all([handle.stat(), other.stat()])
  await other.close()
  return a.ino !== b.ino
}

async function readFrom(handle: Awaited<ReturnType<typeof open>>, offset: number): Promise<Buffer> {
  const buffer = Buffer.alloc(64 * 1024)
  const { bytesRead } = await handle.read(buffer, 0, buffer.length, offset)
  const bytes = buffer.subarray(0, bytesRead)
  // whole lines only, so that no character is cut in two
  const end = bytes.lastIndexOf(0x0a)
  return end < 0 ? (bytesRead === buffer.length ? bytes : Buffer.alloc(0)) : bytes.subarray(0, end + 1)
}

async function sizeOf(file: string): Promise<number> {
  const handle = await open(file)
  try {
    return (await handle.stat()).size
  } finally {
    await handle.close()
  }
}

/** The log's files, oldest first. */
export function rotated(file: string): string[] {
  const files = existsSync(file) ? [file] : []
  for (let index = 1; existsSync(`${file}.${index}`); index++) files.unshift(`${file}.${index}`)
  return files
}

async function* linesOf(file: string): AsyncGenerator<string> {
  yield* createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })
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
