import { constants } from 'node:fs'
import { mkdir, open, type FileHandle } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '#base/clock.ts'
import { Failure } from '#base/errors.ts'
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
}

/** Milliseconds after which a file is opened anew, so that one that was deleted or moved comes back (framework-services 4.3). */
const reopenMs = 10_000
const flags = constants.O_RDWR | constants.O_CREAT | constants.O_APPEND
const newline = 10

interface OpenFile {
  readonly handle: FileHandle
  readonly openedAt: number
}

/** One file: its lines are written in the order in which they came, those that wait together. */
class LogFile {
  readonly path: string
  #waiting: Batch
  #open: OpenFile | undefined
  /** The write under way, and the one that follows it. */
  #running: Promise<void> | undefined
  #queued: Promise<void> | undefined
  readonly #clock: Clock
  readonly #blocks: Blocks

  constructor(path: string, clock: Clock, blocks: Blocks) {
    this.path = path
    this.#clock = clock
    this.#blocks = blocks
    this.#waiting = new Batch(blocks)
  }

  /** Nobody writes and nothing waits. */
  get idle(): boolean {
    return this.#running === undefined && this.#queued === undefined
  }

  /** Copies the bytes. Resolves when the kernel has them. */
  append(bytes: Bytes): Promise<void> {
    this.#waiting.add(bytes)
    // Whatever comes in the same turn of the event loop, or while one write is under way, is written together.
    this.#queued ??= (this.#running ?? nextTurn()).then(() => this.#begin(), () => this.#begin())
    return this.#queued
  }

  #begin(): Promise<void> {
    this.#queued = undefined
    const running = this.#write().finally(() => {
      this.#running = undefined
    })
    this.#running = running
    return running
  }

  async #write(): Promise<void> {
    const batch = this.#waiting
    this.#waiting = new Batch(this.#blocks)
    try {
      const { handle } = await this.#ready()
      await appendWhole(handle, batch.parts())
    } finally {
      batch.release()
    }
  }

  async #ready(): Promise<OpenFile> {
    const now = this.#clock.monotonic()
    if (this.#open !== undefined && now - this.#open.openedAt < reopenMs) return this.#open
    await this.close()
    const handle = await open(this.path, flags, 0o644).catch(async (error: unknown) => {
      if ((error as { code?: unknown }).code !== 'ENOENT') throw error
      await mkdir(dirname(this.path), { recursive: true })
      return open(this.path, flags, 0o644)
    })
    await endLine(handle).catch(async (error: unknown) => {
      await handle.close()
      throw error
    })
    return (this.#open = { handle, openedAt: now })
  }

  async close(): Promise<void> {
    const open = this.#open
    this.#open = undefined
    await open?.handle.close()
  }

  /** Resolves when nothing waits, and the file is closed. */
  async end(): Promise<void> {
    while (!this.idle) await (this.#queued ?? this.#running)?.catch(() => {})
    await this.close()
  }
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
async function appendWhole(handle: FileHandle, parts: readonly Buffer[]): Promise<void> {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  let written = 0
  try {
    written = (await handle.writev(parts)).bytesWritten
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
  readonly #blocks = new Blocks()
  #waiting = 0

  constructor(options: LogFilesOptions) {
    this.#options = { maxOpen: 512, maxWaiting: 64 << 20, ...options }
  }

  /**
   * Resolves when the kernel has the bytes; they stand in one piece.
   * @param path below the root
   * @throws Failure `LOG_BUSY` when too much waits, `LOG_WRITE` when it cannot be written
   */
  async append(path: string, bytes: Bytes): Promise<void> {
    const { maxWaiting } = this.#options
    if (this.#waiting + bytes.length > maxWaiting) throw new Failure('LOG_BUSY', `${this.#waiting} bytes of logs wait to be written already`, { temporary: true, remedy: 'use a faster disk, or write less' })
    this.#waiting += bytes.length
    try {
      await this.#file(path).append(bytes)
    } catch (cause) {
      throw new Failure('LOG_WRITE', `the log ${path} cannot be written`, { cause, remedy: 'check the space and the mode of the log folder' })
    } finally {
      this.#waiting -= bytes.length
    }
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
  get size(): { readonly open: number; readonly waitingBytes: number } {
    return { open: this.#files.size, waitingBytes: this.#waiting }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#files.values()].map((file) => file.end()))
    this.#files.clear()
  }

  #file(path: string): LogFile {
    const file = this.#files.get(path) ?? new LogFile(join(this.#options.root, path), this.#options.clock, this.#blocks)
    this.#files.delete(path)
    this.#files.set(path, file)
    if (this.#files.size > this.#options.maxOpen) this.#evict()
    return file
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
