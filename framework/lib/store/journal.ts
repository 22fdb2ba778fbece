import { closeSync, fdatasync, ftruncateSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { makeStoreFolder } from './folder.ts'

/** What an earlier process had not handed on. */
export interface Leftover {
  readonly name: string
  /** What was written whole, read. */
  readonly lines: Iterable<unknown>
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

/** How often what was written is flushed to the disk, milliseconds: so much of it the end of the machine may take. */
const flushEveryMs = 1000

/**
 * What was taken in and is not handed on yet: lines of JSON, in files for each window of time. All that is appended in one
 * turn of the event loop is one write. What was appended survives the end of the process at once, as the kernel has it, and
 * the end of the machine after a second, when it was flushed to the disk. Nobody waits for that: a disk takes longer to
 * answer than all the rest, for each report, to save one second of a machine's last minute.
 */
export class Journal {
  readonly #folder: string
  readonly #parts = new Map<string, Part>()
  readonly #pending = new Map<string, string>()
  readonly #timer: NodeJS.Timeout
  #commit: Promise<void> | undefined

  /** @param folder made when missing @throws Failure STORE_FOLDER */
  constructor(folder: string) {
    this.#folder = folder
    makeStoreFolder(folder)
    this.#timer = setInterval(() => this.#flush(), flushEveryMs).unref()
  }

  /** Journals that are there; before the first append these are an earlier process'. */
  leftovers(): Leftover[] {
    return [...new Set(this.#files().map(({ name }) => name))].map((name) => ({ name, lines: this.#lines(name) }))
  }

  /** Adds a line to a window's journal. Resolves when it is written; rejects when the disk refuses. @param json without the end of a line */
  append(name: string, json: string): Promise<void> {
    this.#pending.set(name, `${this.#pending.get(name) ?? ''}${json}\n`)
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

  /** What is not written yet, and what is appended from now on, is in a new part. */
  beginPart(name: string): void {
    const before = this.#parts.get(name)
    this.#open(name, (before?.number ?? 0) + 1)
    if (before !== undefined) closePart(before)
  }

  /** What comes after says all that the parts before the last one say. */
  dropEarlierParts(name: string): void {
    const last = this.#parts.get(name)?.number ?? 0
    for (const one of this.#files()) if (one.name === name && one.part < last) rmSync(one.path, { force: true })
  }

  /** The window was handed on. */
  remove(name: string): void {
    this.#pending.delete(name)
    this.#close(name)
    for (const one of this.#files()) if (one.name === name) rmSync(one.path, { force: true })
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
    for (const [name, text] of pending) writeAll(this.#parts.get(name) ?? this.#open(name, 0), text)
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

  /** The last line of a part may be cut off: its process ended while it wrote, and acknowledged nothing of it. */
  *#lines(name: string): Generator<unknown> {
    for (const { path } of this.#files().filter((one) => one.name === name)) {
      for (const line of readFileSync(path, 'utf8').split('\n')) {
        if (line === '') continue
        try {
          yield JSON.parse(line) as unknown
        } catch {
          continue
        }
      }
    }
  }
}

function closePart({ file, flushing }: Part): void {
  if (flushing === undefined) closeSync(file)
  else void flushing.then(() => closeSync(file))
}

function writeAll(part: Part, text: string): void {
  const bytes = Buffer.from(text)
  try {
    for (let written = 0; written < bytes.length;) written += writeSync(part.file, bytes, written)
  } catch (error) {
    // Half a line would swallow the next one.
    ftruncateSync(part.file, part.bytes)
    throw error
  }
  part.bytes += bytes.length
  part.dirty = true
}
