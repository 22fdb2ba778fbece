import { closeSync, ftruncateSync, fstatSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { makeStoreFolder } from './folder.ts'

/** What an earlier process had not handed on. */
export interface Leftover {
  readonly name: string
  /** Those that were written whole. */
  readonly records: Iterable<unknown>
}

/**
 * What was taken in and is not handed on yet, a file for each window of time, so that the end of the process loses nothing
 * of it (the end of the machine may). All that is appended in one turn of the event loop is one write.
 */
export class Journal {
  readonly #folder: string
  readonly #files = new Map<string, number>()
  #pending: { readonly name: string; readonly text: string }[] = []
  #commit: Promise<void> | undefined

  /** @param folder made when missing @throws Failure STORE_FOLDER */
  constructor(folder: string) {
    this.#folder = folder
    makeStoreFolder(folder)
  }

  /** Journals that are there; before the first append these are an earlier process'. */
  leftovers(): Leftover[] {
    const names = readdirSync(this.#folder).map((file) => /^([0-9a-z-]+)\.journal$/.exec(file)?.[1]).filter((name) => name !== undefined)
    return names.sort().map((name) => ({ name, records: recordsOf(readFileSync(this.#file(name), 'utf8')) }))
  }

  /** Adds to a window's journal. Resolves when it is written; rejects when the disk refuses. */
  append(name: string, record: unknown): Promise<void> {
    this.#pending.push({ name, text: `${JSON.stringify(record)}\n` })
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

  /** Bytes of a window's journal. */
  bytes(name: string): number {
    const file = this.#files.get(name)
    return file === undefined ? 0 : fstatSync(file).size
  }

  /** Puts these records in place of a window's journal. */
  replace(name: string, records: Iterable<unknown>): void {
    this.#write()
    const draft = `${this.#file(name)}.part`
    const file = openSync(draft, 'w')
    for (const record of records) writeAll(file, `${JSON.stringify(record)}\n`)
    renameSync(draft, this.#file(name))
    this.#close(name)
    this.#files.set(name, file)
  }

  /** The window was handed on. */
  remove(name: string): void {
    this.#pending = this.#pending.filter((one) => one.name !== name)
    this.#close(name)
    rmSync(this.#file(name), { force: true })
  }

  close(): void {
    this.#write()
    for (const name of [...this.#files.keys()]) this.#close(name)
  }

  #write(): void {
    const pending = this.#pending
    this.#pending = []
    this.#commit = undefined
    for (const [name, some] of Map.groupBy(pending, (one) => one.name)) this.#append(name, some.map(({ text }) => text).join(''))
  }

  #append(name: string, text: string): void {
    const file = this.#files.get(name) ?? openSync(this.#file(name), 'a')
    this.#files.set(name, file)
    const before = fstatSync(file).size
    try {
      writeAll(file, text)
    } catch (error) {
      // Half a record would swallow the next one.
      ftruncateSync(file, before)
      throw error
    }
  }

  #file(name: string): string {
    return join(this.#folder, `${name}.journal`)
  }

  #close(name: string): void {
    const file = this.#files.get(name)
    this.#files.delete(name)
    if (file !== undefined) closeSync(file)
  }
}

function writeAll(file: number, text: string): void {
  const bytes = Buffer.from(text)
  for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written)
}

/** The last one may be cut off: its process ended while it wrote, and acknowledged nothing of it. */
function* recordsOf(text: string): Generator<unknown> {
  for (const line of text.split('\n')) {
    if (line === '') continue
    try {
      yield JSON.parse(line) as unknown
    } catch {
      continue
    }
  }
}
