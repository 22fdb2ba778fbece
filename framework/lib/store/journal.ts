import { closeSync, fdatasync, ftruncateSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { crc32 } from 'node:zlib'
import { makeStoreFolder } from './folder.ts'
import { headBytes, Tape, TapeReader } from './tape.ts'

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

  /** Names of journals that are there; before the first tape these are an earlier process'. */
  leftovers(): string[] {
    return [...new Set(filesIn(this.#folder).map(({ name }) => name))]
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

  /** What comes after says all that the parts before the last one say: they go once that is on the disk. */
  async dropEarlierParts(name: string): Promise<void> {
    const last = this.#parts.get(name)
    // A flush that is under way may have begun before the last write.
    await last?.flushing
    if (last === undefined || this.#parts.get(name) !== last) return
    await flush(last)
    for (const one of filesIn(this.#folder)) if (one.name === name && one.part < last.number) await rm(one.path, { force: true })
  }

  /** The window was handed on. */
  async remove(name: string): Promise<void> {
    this.#pending.delete(name)
    this.#close(name)
    // A large file takes a while to go.
    for (const one of filesIn(this.#folder)) if (one.name === name) await rm(one.path, { force: true })
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
      writeAll(this.#parts.get(name) ?? this.#open(name, 0), tape.taken)
      tape.clear()
      this.#spare = tape
    }
  }

  #open(name: string, number: number): Part {
    const part = { number, file: openSync(join(this.#folder, `${name}.${String(number).padStart(4, '0')}.tapes`), 'a'), bytes: 0, dirty: false, flushing: undefined }
    this.#parts.set(name, part)
    return part
  }

  #close(name: string): void {
    const part = this.#parts.get(name)
    this.#parts.delete(name)
    if (part !== undefined) closePart(part)
  }

  #flush(): void {
    for (const part of this.#parts.values()) if (part.dirty && part.flushing === undefined) flush(part).catch(() => {})
  }
}

/** Writes a part to the disk itself, while no other call does. @throws the disk's error */
function flush(part: Part): Promise<void> {
  part.dirty = false
  const flushed = promisify(fdatasync)(part.file)
  part.flushing = flushed.catch(() => {}).then(() => void (part.flushing = undefined))
  return flushed
}

interface JournalFile {
  readonly name: string
  readonly part: number
  readonly path: string
}

function filesIn(folder: string): JournalFile[] {
  return readdirSync(folder).sort().flatMap((file) => {
    const [, name, part] = /^([0-9a-z-]+)\.(\d+)\.tapes$/.exec(file) ?? []
    return name === undefined ? [] : [{ name, part: Number(part), path: join(folder, file) }]
  })
}

/** What the journal of a window says. */
export function* tapesIn(folder: string, window: string): Iterable<TapeReader> {
  for (const { name, path } of filesIn(folder)) if (name === window) yield* tapesOf(readFileSync(path))
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

/** The head of each write is how many bytes follow, and their CRC-32. */
function writeAll(part: Part, bytes: Buffer): void {
  bytes.writeUInt32BE(bytes.length - headBytes)
  bytes.writeUInt32BE(crc32(bytes.subarray(headBytes)), 4)
  try {
    const written = writeSync(part.file, bytes)
    if (written < bytes.length) throw new Error(`only ${written} of ${bytes.length} bytes could be written`)
  } catch (error) {
    // Half of it would hide what comes after it.
    ftruncateSync(part.file, part.bytes)
    throw error
  }
  part.bytes += bytes.length
  part.dirty = true
}
