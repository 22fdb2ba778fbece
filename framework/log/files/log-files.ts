import { constants, writevSync } from 'node:fs'
import { mkdir, open, type FileHandle } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import type { Clock } from '#base/clock.ts'
import { Failure } from '#base/errors.ts'
import { ret, TarsCallError } from '#tars/packet.ts'
import { Batch, Blocks, type Bytes } from './batch.ts'

export type { Bytes } from './batch.ts'

export interface LogFilesOptions {
  /** Folder below which all logs are. */
  readonly root: string
  readonly clock: Clock
  /** Files open at once; the one that was written least lately is closed. Default 512. */
  readonly maxOpen?: number
  /** Bytes that may wait to be written; more are refused. Default 64 MiB. */
  readonly maxWaiting?: number
  /**
   * Bytes a second from which on this thread writes them itself: handing them to the pool takes it 2 to 3 µs a call, which counts where
   * much comes. While less does, nothing else waits for a disk, be it for ever. Default 16 MiB.
   */
  readonly busyAt?: number
}

/** Milliseconds after which a file is opened anew, so that one that was deleted or moved comes back (framework-services 4.3). */
const reopenMs = 10_000
/** So many that wait are written at once, while they are in the processor's cache. */
const enoughBytes = 64 * 1024
/** A write that took this thread so long, milliseconds, has others wait for the disk for so many times as long: it costs what else goes on here no more than that share. */
const slow = { ms: 20, times: 20 } as const
/** How long what comes is counted before it is said to be much, or little, milliseconds. */
const countedMs = 100
const flags = constants.O_RDWR | constants.O_APPEND
const always = (): boolean => true
const newline = 10

interface OpenFile {
  readonly handle: FileHandle
  readonly openedAt: number
}

/** What a file needs of its siblings. */
interface Siblings {
  readonly clock: Clock
  readonly blocks: Blocks
  /** Has {@link LogFile.write} called soon. */
  due(file: LogFile): void
  /** So many bytes wait no longer. */
  done(bytes: number): void
  /** Whether so much comes that it is written at once. */
  isBusy(now: number, bytes: number): boolean
  /** Until when the disk is slow, monotonic milliseconds. */
  slowUntil: number
  /** Files that the pool writes, and since when, the oldest first. */
  readonly writing: Map<LogFile, number>
}

/** One file: its lines are written in the order in which they came, those that wait together. */
class LogFile {
  readonly #root: string
  readonly #path: string
  readonly #siblings: Siblings
  #open: OpenFile | undefined
  #waiting: Batch | undefined
  #writing: Batch | undefined
  #mayBegin = always

  constructor(root: string, path: string, siblings: Siblings) {
    this.#root = root
    this.#path = path
    this.#siblings = siblings
  }

  /** Nobody writes and nothing waits. */
  get idle(): boolean {
    return this.#waiting === undefined && this.#writing === undefined
  }

  /** Copies the bytes. Resolves when the kernel has them. */
  append(bytes: Bytes, mayBegin: () => boolean): Promise<void> {
    if (this.#waiting === undefined) {
      this.#mayBegin = mayBegin
      this.#waiting = new Batch(this.#siblings.blocks)
      if (this.#writing === undefined) this.#siblings.due(this)
    }
    const batch = this.#waiting
    batch.add(bytes)
    if (batch.length >= enoughBytes) this.write()
    return batch.written
  }

  /** Writes what waits, unless a write is under way. */
  write(): void {
    const batch = this.#waiting
    if (batch === undefined || this.#writing !== undefined) return
    this.#waiting = undefined
    const now = this.#siblings.clock.monotonic()
    const written = this.#writeNow(batch, now)
    if (written === batch.length) this.#settle(batch)
    else void this.#writeRest(batch, now, written)
  }

  /** @returns how many bytes were written */
  #writeNow(batch: Batch, now: number): number {
    const isBusy = this.#siblings.isBusy(now, batch.length)
    if (!isBusy || this.#open === undefined || now - this.#open.openedAt >= reopenMs || now < this.#siblings.slowUntil) return 0
    try {
      return writevSync(this.#open.handle.fd, batch.parts())
    } catch {
      // Who writes the rest finds out why.
      return 0
    } finally {
      const then = this.#siblings.clock.monotonic()
      if (then - now > slow.ms) this.#siblings.slowUntil = then + (then - now) * slow.times
    }
  }

  async #writeRest(batch: Batch, now: number, written: number): Promise<void> {
    this.#writing = batch
    this.#siblings.writing.set(this, now)
    let failure: Failure | undefined
    try {
      await appendRest(await this.#ready(now), batch.parts(), written)
    } catch (cause) {
      failure = new Failure('LOG_WRITE', `the log ${this.#path} cannot be written`, { cause, remedy: 'check the space and the mode of the log folder' })
    }
    this.#writing = undefined
    this.#siblings.writing.delete(this)
    this.#settle(batch, failure)
    if (this.#waiting !== undefined) this.#siblings.due(this)
  }

  #settle(batch: Batch, failure?: Failure): void {
    this.#siblings.done(batch.length)
    batch.settle(failure)
  }

  async #ready(now: number): Promise<FileHandle> {
    if (this.#open !== undefined && now - this.#open.openedAt < reopenMs) return this.#open.handle
    await this.close()
    const path = join(this.#root, this.#path)
    const handle = await open(path, flags).catch((error: unknown) => {
      if (!isMissing(error)) throw error
      if (!this.#mayBegin()) throw new Failure('LOG_FILES', 'too many logs are begun in its name', { temporary: true })
      // An empty folder may be put away just now.
      return begin(path).catch((failed: unknown) => (isMissing(failed) ? begin(path) : Promise.reject(failed)))
    })
    await endLine(handle).catch(async (error: unknown) => {
      await handle.close()
      throw error
    })
    this.#open = { handle, openedAt: now }
    return handle
  }

  async close(): Promise<void> {
    const open = this.#open
    this.#open = undefined
    await open?.handle.close()
  }

  /** Resolves when nothing waits, and the file is closed. */
  async end(): Promise<void> {
    while (!this.idle) await (this.#writing ?? this.#waiting)?.written.catch(() => {})
    await this.close()
  }
}

const isMissing = (error: unknown): boolean => (error as { code?: unknown }).code === 'ENOENT'

async function begin(path: string): Promise<FileHandle> {
  await mkdir(dirname(path), { recursive: true })
  return open(path, flags | constants.O_CREAT, 0o644)
}

/**
 * A process that was killed in the middle of a write leaves half a line, with which the next one would become one: it gets an
 * end. It is not taken away, as a service that sends its lines without one was told that they are kept. What this process
 * has written itself is left as it was sent.
 */
async function endLine(handle: FileHandle): Promise<void> {
  const { size, mtimeMs } = await handle.stat()
  if (size === 0 || mtimeMs >= performance.timeOrigin) return
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1)
  if (buffer[0] !== newline) await handle.write('\n')
}

/** Nothing of it stays when the disk does not take all of it: half a line would become one with the next. */
async function appendRest(handle: FileHandle, parts: readonly Buffer[], before: number): Promise<void> {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  let written = before
  try {
    if (written === 0) written = (await handle.writev(parts)).bytesWritten
    if (written === length) return
    // A disk that is nearly full takes the first of it.
    const all = Buffer.concat(parts)
    while (written < length) written += (await handle.write(all, written)).bytesWritten
  } catch (error) {
    if (written > 0) await handle.truncate((await handle.stat()).size - written)
    throw error
  }
}

/** Appends to many files, of which few are open: the writers of logs. */
export class LogFiles {
  readonly #options: Required<LogFilesOptions>
  /** In order of use, the longest unused first. */
  readonly #files = new Map<string, LogFile>()
  readonly #siblings: Siblings
  #due: LogFile[] = []
  #waiting = 0
  /** What came since when, and whether that before it was much. */
  #came = { bytes: 0, since: -Infinity, isMuch: false }

  constructor(options: LogFilesOptions) {
    this.#options = { maxOpen: 512, maxWaiting: 64 << 20, busyAt: 16 << 20, ...options }
    this.#siblings = {
      clock: options.clock, blocks: new Blocks(), slowUntil: -Infinity, writing: new Map(),
      due: (file) => this.#plan(file), done: (bytes) => void (this.#waiting -= bytes), isBusy: (now, bytes) => this.#isBusy(now, bytes),
    }
  }

  /**
   * Resolves when the kernel has the bytes; they stand in one piece.
   * @param path below the root
   * @param mayBegin is asked when there is no such file yet
   * @throws TarsCallError with the code of overload when too much waits; Failure `LOG_WRITE` when it cannot be written
   */
  append(path: string, bytes: Bytes, mayBegin = always): Promise<void> {
    if (this.#waiting + bytes.length > this.#options.maxWaiting) return Promise.reject(new TarsCallError(ret.overload, `${this.#waiting} bytes of logs wait to be written already`, { remedy: 'use a faster disk, or write less' }))
    this.#waiting += bytes.length
    return this.#file(path).append(bytes, mayBegin)
  }

  /** Whether the file is being written; one that only is open is closed. @param path absolute */
  isBusy(path: string): boolean {
    const key = relative(this.#options.root, path)
    const file = this.#files.get(key)
    if (file === undefined) return false
    if (!file.idle) return true
    this.#files.delete(key)
    void file.close().catch(() => {})
    return false
  }

  /** Numbers for metrics. */
  get size(): { readonly open: number; readonly waitingBytes: number; readonly oldestWriteMs: number } {
    const now = this.#options.clock.monotonic()
    const [since = now] = this.#siblings.writing.values()
    return { open: this.#files.size, waitingBytes: this.#waiting, oldestWriteMs: now - since }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#files.values()].map((file) => file.end()))
    this.#files.clear()
  }

  #file(path: string): LogFile {
    const known = this.#files.get(path)
    if (known !== undefined && !known.idle) return known
    const file = known ?? new LogFile(this.#options.root, path, this.#siblings)
    this.#files.delete(path)
    if (this.#files.size >= this.#options.maxOpen) this.#evict()
    this.#files.set(path, file)
    return file
  }

  #isBusy(now: number, bytes: number): boolean {
    const { since } = this.#came
    if (now - since >= countedMs) this.#came = { bytes: 0, since: now, isMuch: this.#came.bytes / (now - since) >= this.#options.busyAt / 1000 }
    this.#came.bytes += bytes
    return this.#came.isMuch
  }

  /** Whatever comes in this turn of the event loop and the next, or while a file is being written, is written together: a large write costs little more than a small one. */
  #plan(file: LogFile): void {
    this.#due.push(file)
    if (this.#due.length === 1) setImmediate(setImmediate, this.#write)
  }

  readonly #write = (): void => {
    const due = this.#due
    this.#due = []
    for (const file of due) file.write()
  }

  #evict(): void {
    for (const [path, file] of this.#files) {
      if (!file.idle) continue
      this.#files.delete(path)
      void file.close().catch(() => {})
      return
    }
  }
}
