import { readFileSync } from 'node:fs'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Lifetime, type Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import type { Informer } from './informer.ts'
import { keyOf, type KubeObject } from './types.ts'

/** Read models by the names under which their objects are kept. */
export type Informers = Readonly<Record<string, Informer<never>>>

/**
 * First line of the file, always of the same length: a file of another layout is not read. It says when the API server confirmed what
 * the lines after it say, or an earlier time. Each of those is a {@link Note}; of an object the last one counts.
 */
const layout = 3
const firstLine = (confirmed: Date): string => `${JSON.stringify({ layout, confirmed })}\n`

/** The read model and an object that it has, or the key of one that is gone. */
type Note = readonly [name: string, object: KubeObject | string]

/**
 * Gives informers what a file says they knew last, so that a process which starts while the API server is away need not
 * wait for it. The first list corrects it.
 * @returns how old that knowledge is, milliseconds, Infinity when the clock was set back since; undefined when there is no such file or it cannot be used
 */
function restoreSnapshot(file: string, informers: Informers, log: Logger): number | undefined {
  try {
    const { confirmed, known } = readNotes(readFileSync(file, 'utf8'))
    const ageMs = confirmed > Date.now() ? Infinity : Date.now() - confirmed
    for (const [name, informer] of Object.entries(informers)) (informer as unknown as Informer).seed([...(known.get(name)?.values() ?? [])], ageMs)
    return ageMs
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ENOENT') log.error('the snapshot of what was known is not used', { file, error })
    return undefined
  }
}

/** When they were confirmed, and objects by name of their read model and key. What comes after the last end of a line was being written when its process was killed. */
function readNotes(text: string): { readonly confirmed: number; readonly known: ReadonlyMap<string, ReadonlyMap<string, KubeObject>> } {
  const [first = '', ...lines] = text.split('\n').slice(0, -1)
  const confirmed = new Date((JSON.parse(first) as { confirmed: string }).confirmed)
  if (`${first}\n` !== firstLine(confirmed)) throw new Error(`it is not of layout ${layout}`)
  const known = new Map<string, Map<string, KubeObject>>()
  for (const line of lines) {
    const [name, object] = JSON.parse(line) as Note
    const objects = known.get(name) ?? new Map<string, KubeObject>()
    known.set(name, objects)
    if (typeof object === 'string') objects.delete(object)
    else objects.set(keyOf(object), object)
  }
  return { confirmed: confirmed.getTime(), known }
}

export interface KnownOptions {
  readonly file: string
  readonly informers: Informers
  /** What is kept beside it, as far as it is known: nothing waits for it. */
  readonly beside?: Informers
  /** Resolves when everything that is needed was listed. */
  readonly synced: Promise<unknown>
  /** Milliseconds the API server is waited for before what was known earlier counts. */
  readonly patienceMs: number
  /** Keeps the file from then on, until it is stopped. */
  readonly lifetime: Lifetime
  /** Milliseconds between two looks at what has changed. Default 5000. */
  readonly everyMs?: number
  readonly log: Logger
}

/** Resolves when there is something to answer from: what the API server lists or, when it does not in time, what was known earlier. */
export async function whenKnown({ file, informers, beside = {}, synced, patienceMs, lifetime, everyMs = 5000, log }: KnownOptions): Promise<void> {
  synced.catch(() => {})
  const patience = new AbortController()
  const late = new Promise<'late'>((resolve) => {
    const timer = setTimeout(resolve, patienceMs, 'late')
    patience.signal.addEventListener('abort', () => clearTimeout(timer))
  })
  const first = await Promise.race([synced, late]).finally(() => patience.abort())
  const ageMs = first === 'late' ? restoreSnapshot(file, { ...informers, ...beside }, log) : undefined
  if (first === 'late' && ageMs === undefined) await synced
  lifetime.own(keepSnapshot({ file, informers, beside, everyMs, log }))
  if (ageMs === undefined) return
  log.error('the API server does not answer: what was known before this start is served', { ageSeconds: Number.isFinite(ageMs) ? Math.round(ageMs / 1000) : 'unknown' })
  synced.then(() => log.info('the API server answers again'), () => {})
}

/** Age above which what is known is not called confirmed, milliseconds: a silent watch has a bookmark about once a minute. */
const confirmedMs = 120_000

/**
 * Keeps what informers know in a file: at most once in `everyMs` what has changed is added to it, and it says when the
 * API server confirmed it. Nothing is written before everything that is needed was listed once.
 */
function keepSnapshot({ file, informers, beside, everyMs, log }: Required<Pick<KnownOptions, 'file' | 'informers' | 'beside' | 'everyMs' | 'log'>>): Running {
  const lifetime = new Lifetime()
  const needed = Object.values(informers)
  const all = { ...informers, ...beside }
  const journal = new Journal(file, all)
  for (const [name, informer] of Object.entries(all)) lifetime.onStop(informer.onChange((type, object: KubeObject) => journal.note(name, object, type === 'deleted')))
  let saving = Promise.resolve()
  const save = (): Promise<void> => (saving = saving.then(async () => {
    const ageMs = Math.max(...needed.map((informer) => informer.ageMs()))
    if (needed.some((informer) => !informer.hasSynced) || ageMs > confirmedMs) return
    await journal.save(new Date(Date.now() - ageMs)).catch((error: unknown) => log.error('what is known is not kept for the next start', { file, error }))
  }))
  const timer = setInterval(() => void save(), everyMs)
  lifetime.onStop(save)
  lifetime.onStop(() => clearInterval(timer))
  return lifetime
}

/** Characters that are written at once: whoever is served meanwhile hardly waits for it. */
const pieceLength = 16 * 1024

/** Lines that say nothing any more, beyond as many as there are objects, before the file is written anew. */
const idleLines = 1000

/** The file: whole when it is first written or has become twice what it need be, and then longer by each change. */
class Journal {
  readonly #file: string
  readonly #informers: readonly (readonly [name: string, informer: Informer])[]
  /** What the file does not say yet, by name and key. */
  #changed = new Map<string, Note>()
  /** Lines in the file; Infinity when it is not what it should be. */
  #lines = Infinity

  constructor(file: string, informers: Informers) {
    this.#file = file
    this.#informers = Object.entries(informers) as unknown as [string, Informer][]
  }

  note(name: string, object: KubeObject, gone: boolean): void {
    // The whole of it is written first.
    if (this.#lines === Infinity) return
    const key = keyOf(object)
    this.#changed.set(`${name} ${key}`, [name, gone ? key : object])
  }

  async save(confirmed: Date): Promise<void> {
    const objects = this.#informers.reduce((sum, [, { size }]) => sum + size, 0)
    if (this.#lines > 2 * objects + idleLines) await this.#rewrite(confirmed)
    const changed = this.#changed
    this.#changed = new Map()
    try {
      if (changed.size > 0) await this.#write(this.#file, 'a', '', changed.values())
      // Last: killed before, it says that all of this is as old as what was there before.
      await this.#date(confirmed)
    } catch (error) {
      this.#lines = Infinity
      throw error
    }
  }

  async #date(confirmed: Date): Promise<void> {
    const file = await open(this.#file, 'r+')
    try {
      await file.write(firstLine(confirmed), 0)
    } finally {
      await file.close()
    }
  }

  async #rewrite(confirmed: Date): Promise<void> {
    this.#lines = 0
    this.#changed = new Map()
    const draft = `${this.#file}.new`
    try {
      await mkdir(dirname(this.#file), { recursive: true })
      await this.#write(draft, 'w', firstLine(confirmed), this.#informers.flatMap(([name, informer]) => informer.list().map((object): Note => [name, object])))
      await rename(draft, this.#file)
    } catch (error) {
      this.#lines = Infinity
      // Half of it would only take room on a disk that has none.
      await rm(draft, { force: true })
      throw error
    }
  }

  async #write(path: string, flags: 'a' | 'w', head: string, notes: Iterable<Note>): Promise<void> {
    const file = await open(path, flags, 0o600)
    try {
      let text = head
      for (const note of notes) {
        text += `${JSON.stringify(note)}\n`
        this.#lines++
        if (text.length < pieceLength) continue
        await file.appendFile(text)
        text = ''
      }
      await file.appendFile(text)
    } finally {
      await file.close()
    }
  }
}
