import { closeSync, fdatasync, ftruncateSync, openSync, readdirSync, readFileSync, writevSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { makeStoreFolder } from './folder.ts'
import { Tape, TapeReader } from './tape.ts'

/** What an earlier process had not handed on. */
export interface Leftover {
  readonly name: string
  readonly tapes: Iterable<TapeReader>
}

/** The file of a window that is written to. */
interface Part {
  readonly number: number
  readonly file: number
  bytes: number
  /** Written since it was last flushed to the disk. */
  dirty: boolean
  /** While it is flushed. */
  flushing: Promise<void> | undefined
}

/** Before the bytes of each write: how many, and their CRC-32. */
const headBytes = 8
/** How often what was written is flushed to the disk, milliseconds: so much of it the end of the machine may take. */
const flushEveryMs = 1000

/**
 * What was taken in and is not handed on yet: tapes, in files for each window of time. All that is taken down in one turn of
 * the event loop is one write, of which all or nothing is found again. What was written survives the end of the process at once, as the kernel has it, and
 * the end of the machine after a second, when it was flushed to the disk. Nobody waits for that: a disk takes longer to
 * answer than all the rest, for each report, to save one second of a machine's last minute.
 */
export class Journal {
  readonly #folder: string
  readonly #parts = new Map<string, Part>()
  readonly #pending = new Map<string, Tape>()
  readonly #timer: NodeJS.Timeout
  #commit: Promise<void> | undefined
  /** One that was written, to be used again. */
  #spare: Tape | undefined

  /** @param folder made when missing @throws Failure STORE_FOLDER */
  constructor(folder: string) {
    this.#folder = folder
    makeStoreFolder(folder)
    this.#timer = setInterval(() => this.#flush(), flushEveryMs).unref()
  }

  /** Journals that are there; before the first tape these are an earlier process'. */
  leftovers(): Leftover[] {
    return [...new Set(this.#files().map(({ name }) => name))].map((name) => ({ name, tapes: this.#tapes(name) }))
  }

  /** Takes down for a window's journal; {@link written} follows. */
  tape(name: string): Tape {
    const pending = this.#pending.get(name)
    if (pending !== undefined) return pending
    const tape = this.#spare ?? new Tape()
    this.#spare = undefined
    this.#pending.set(name, tape)
    return tape
  }

  /** Resolves when what was taken down so far is written; rejects when the disk refuses. */
  written(): Promise<void> {
    this.#commit ??= new Promise((resolve, reject) => {
      setImmediate(() => {
        try {
          this.#write()
          resolve()
        } catch (error) {
          reject(error as Error)
        }
      })
    })
    return this.#commit
  }

  /** Bytes of the part of a window's journal that is written to. */
  bytes(name: string): number {
    return this.#parts.get(name)?.bytes ?? 0
  }

  /** What is not written yet, and what is taken down from now on, is in a new part. */
  beginPart(name: string): void {
    const before = this.#parts.get(name)
    this.#open(name, (before?.number ?? 0) + 1)
    if (before !== undefined) closePart(before)
  }

  /** What comes after says all that the parts before the last one say. */
  async dropEarlierParts(name: string): Promise<void> {
    const last = this.#parts.get(name)?.number ?? 0
    for (const one of this.#files()) if (one.name === name && one.part < last) await rm(one.path, { force: true })
  }

  /** The window was handed on. */
  async remove(name: string): Promise<void> {
    this.#pending.delete(name)
    this.#close(name)
    // A large file takes a while to go.
    for (const one of this.#files()) if (one.name === name) await rm(one.path, { force: true })
  }

  close(): void {
    clearInterval(this.#timer)
    this.#write()
    for (const name of [...this.#parts.keys()]) this.#close(name)
  }

  #write(): void {
    const pending = [...this.#pending]
    this.#pending.clear()
    this.#commit = undefined
    for (const [name, tape] of pending) {
      writeAll(this.#parts.get(name) ?? this.#open(name, 0), tape.bytes)
      tape.clear()
      this.#spare = tape
    }
  }

  #open(name: string, number: number): Part {
    const part = { number, file: openSync(join(this.#folder, `${name}.${String(number).padStart(4, '0')}.journal`), 'a'), bytes: 0, dirty: false, flushing: undefined }
    this.#parts.set(name, part)
    return part
  }

  #close(name: string): void {
    const part = this.#parts.get(name)
    this.#parts.delete(name)
    if (part !== undefined) closePart(part)
  }

  #flush(): void {
    for (const part of this.#parts.values()) {
      if (!part.dirty || part.flushing !== undefined) continue
      part.dirty = false
      part.flushing = new Promise<void>((resolve) => fdatasync(part.file, () => resolve())).then(() => void (part.flushing = undefined))
    }
  }

  #files(): { readonly name: string; readonly part: number; readonly path: string }[] {
    return readdirSync(this.#folder).sort().flatMap((file) => {
      const [, name, part] = /^([0-9a-z-]+)\.(\d+)\.journal$/.exec(file) ?? []
      return name === undefined ? [] : [{ name, part: Number(part), path: join(this.#folder, file) }]
    })
  }

  *#tapes(name: string): Generator<TapeReader> {
    for (const { path } of this.#files().filter((one) => one.name === name)) yield* tapesOf(readFileSync(path))
  }
}

function closePart({ file, flushing }: Part): void {
  if (flushing === undefined) closeSync(file)
  else void flushing.then(() => closeSync(file))
}

/** The last write of a part may be cut off: its process or machine ended meanwhile. */
function* tapesOf(bytes: Buffer): Generator<TapeReader> {
  for (let at = 0; at + headBytes <= bytes.length;) {
    const from = at + headBytes
    const to = from + bytes.readUInt32BE(at)
    const some = bytes.subarray(from, to)
    if (to > bytes.length || crc32(some) !== bytes.readUInt32BE(at + 4)) return
    yield new TapeReader(some)
    at = to
  }
}

function writeAll(part: Part, some: Buffer): void {
  const head = Buffer.alloc(headBytes)
  head.writeUInt32BE(some.length)
  head.writeUInt32BE(crc32(some), 4)
  const bytes = headBytes + some.length
  try {
    const written = writevSync(part.file, [head, some])
    if (written < bytes) throw new Error(`only ${written} of ${bytes} bytes could be written`)
  } catch (error) {
    // Half of it would hide what comes after it.
    ftruncateSync(part.file, part.bytes)
    throw error
  }
  part.bytes += bytes
  part.dirty = true
}
