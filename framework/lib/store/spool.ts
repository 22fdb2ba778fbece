import { readdirSync, rmSync, statSync } from 'node:fs'
import { open, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Lifetime } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import { metric } from '#base/metrics.ts'
import { backoff, sleep } from '#base/retry.ts'
import type { Dataset, Row, Store } from './dataset.ts'
import { makeStoreFolder } from './folder.ts'
import { inGroups } from './groups.ts'

export interface SpoolOptions {
  /** Made when missing. */
  readonly folder: string
  readonly dataset: Dataset
  readonly store: Pick<Store, 'write'>
  readonly log: Logger
  /** Bytes that may wait; beyond it the oldest go, counted. Default 512 MiB. */
  readonly maxBytes?: number
  /** First delay after a failure, milliseconds; doubles up to 30 s. Default 500. */
  readonly retryMs?: number
  /** Rows of one file; one write to the store. They are made and written in one turn of the event loop. Default 500. */
  readonly rowsAFile?: number
}

interface Waiting {
  readonly name: string
  readonly rows: number
  readonly bytes: number
}

/**
 * What is on its way to the store, in files that survive the end of the process: a batch is a file until the store has it.
 * Files go out in the order of their names. As ids of rows are given by who makes them, what went out twice is kept once.
 */
export class Spool extends Lifetime {
  readonly #options: Required<SpoolOptions>
  readonly #abort = new AbortController()
  #waiting: Waiting[] = []
  /** Files that no longer wait, and go. */
  #removing = 0
  #loop: Promise<void> | undefined
  #wake = Promise.withResolvers<void>()
  #settled = Promise.withResolvers<void>()
  /** Rows. */
  readonly counts = { written: 0, dropped: 0, refused: 0 }
  #failures = 0

  /** Starts to deliver, what an earlier process left first. @throws Failure STORE_FOLDER */
  constructor(options: SpoolOptions) {
    super()
    this.#options = { maxBytes: 512 << 20, retryMs: 500, rowsAFile: 500, ...options }
    makeStoreFolder(options.folder)
    this.#waiting = readdirSync(options.folder).sort().flatMap((name) => this.#known(name))
    this.#loop = this.#run()
    this.onStop(async () => {
      this.#abort.abort()
      this.#wake.resolve()
      await this.#loop
    })
  }

  /**
   * Takes rows over: they are in files, flushed to the disk, when it resolves. Calling it again with the same batch is no harm.
   * @param batch its place in the order, and unique: `[0-9a-z-]+`
   * @param rows made as they are written, some a turn of the event loop
   * @throws the disk's error; then the batch must be given again
   */
  async put(batch: string, rows: Iterable<Row>): Promise<void> {
    const { folder, maxBytes, rowsAFile } = this.#options
    let part = 0
    for (const some of inGroups(rows, rowsAFile)) {
      const name = `${batch}.${String(part++).padStart(4, '0')}.${some.length}.json`
      const bytes = await writeWhole(join(folder, name), JSON.stringify(some))
      if (!this.#waiting.some((one) => one.name === name)) this.#waiting.push({ name, rows: some.length, bytes })
      while (this.bytes > maxBytes && this.#waiting.length > 1) await this.#drop(this.#waiting[0], 'too much waits for the store')
      this.#wake.resolve()
    }
    await syncFolder(folder)
  }

  /** What waits. */
  get bytes(): number {
    return this.#waiting.reduce((sum, { bytes }) => sum + bytes, 0)
  }

  get rows(): number {
    return this.#waiting.reduce((sum, { rows }) => sum + rows, 0)
  }

  /** Since when the store does not take what waits; undefined when it does. */
  get failing(): boolean {
    return this.#failures > 0
  }

  /** Resolves when nothing waits. */
  async empty(): Promise<void> {
    while (this.#waiting.length + this.#removing > 0 && !this.#abort.signal.aborted) await this.#settled.promise
  }

  metrics(): string {
    const labels = { dataset: this.#options.dataset.name }
    return [
      metric('tarsstore_spool_bytes', 'Bytes that wait for the store.', [[this.bytes, labels]]),
      metric('tarsstore_spool_rows', 'Rows that wait for the store.', [[this.rows, labels]]),
      metric('tarsstore_failing', 'Whether the store does not take what waits.', [[Number(this.failing), labels]]),
      metric('tarsstore_written_rows_total', 'Rows that the store has taken.', [[this.counts.written, labels]]),
      metric('tarsstore_dropped_rows_total', 'Rows lost: the store was away for too long, or their file was damaged.', [[this.counts.dropped, labels]]),
      metric('tarsstore_refused_rows_total', 'Rows that the store did not want, or has no room for.', [[this.counts.refused, labels]]),
    ].join('')
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort
    while (!signal.aborted) {
      const [next] = this.#waiting
      if (next === undefined) {
        await this.#wake.promise
        this.#wake = Promise.withResolvers<void>()
      } else await this.#deliver(next, signal)
    }
    this.#settled.resolve()
  }

  async #deliver(next: Waiting, signal: AbortSignal): Promise<void> {
    const { dataset, store, log, retryMs } = this.#options
    try {
      const rows = await rowsIn(join(this.#options.folder, next.name))
      if (rows === undefined) return await this.#drop(next, 'their file is damaged or gone')
      const refused = await store.write(dataset, rows)
      if (refused > 0) log.error('rows that the store did not want, or has no room for', { dataset: dataset.name, rows: refused })
      this.counts.refused += refused
      this.counts.written += rows.length - refused
      this.#failures = 0
      await this.#remove(next)
    } catch (error) {
      if (this.#failures++ === 0) log.error('the store does not take what is to be kept; it waits', { dataset: dataset.name, error })
      await sleep(backoff(this.#failures, { baseMs: retryMs, capMs: 30_000 }), signal).catch(() => {})
    }
  }

  async #drop(waiting: Waiting | undefined, why: string): Promise<void> {
    // It may have gone while it was being read.
    if (waiting === undefined || !this.#waiting.includes(waiting)) return
    this.counts.dropped += waiting.rows
    this.#options.log.error('rows lost', { dataset: this.#options.dataset.name, rows: waiting.rows, why })
    await this.#remove(waiting)
  }

  /** A busy disk may take long to forget a file, which nobody who reports is to wait for. */
  async #remove(waiting: Waiting): Promise<void> {
    this.#waiting = this.#waiting.filter((one) => one !== waiting)
    this.#removing++
    try {
      await rm(join(this.#options.folder, waiting.name), { force: true })
    } finally {
      this.#removing--
      this.#settled.resolve()
      this.#settled = Promise.withResolvers<void>()
    }
  }

  #known(name: string): Waiting[] {
    const rows = /^[0-9a-z-]+\.\d+\.(\d+)\.json$/.exec(name)?.[1]
    const file = join(this.#options.folder, name)
    if (rows !== undefined) return [{ name, rows: Number(rows), bytes: statSync(file).size }]
    if (name.endsWith('.part')) rmSync(file, { force: true })
    return []
  }
}

/** Undefined when they are no longer there. @throws the disk's error */
async function rowsIn(file: string): Promise<Row[] | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Row[]
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Names that files were given in it are on the disk. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** The file appears as a whole, its bytes on the disk. @returns its bytes */
async function writeWhole(file: string, text: string): Promise<number> {
  const draft = `${file}.part`
  const bytes = Buffer.from(text)
  try {
    const handle = await open(draft, 'w')
    try {
      await handle.writeFile(bytes)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(draft, file)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
  return bytes.length
}
