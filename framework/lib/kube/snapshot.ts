import { mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { Lifetime, type Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import type { Informer } from './informer.ts'
import type { KubeObject } from './types.ts'

/** Read models by the names under which their objects are kept. */
export type Informers = Readonly<Record<string, Informer<never>>>

/** Layout of the file; a file of another one is not read. */
const layout = 1

interface Content {
  readonly layout: number
  readonly objects: Readonly<Record<string, readonly KubeObject[]>>
}

/**
 * Gives informers what a file says they knew last, so that a process which starts while the API server is away need not
 * wait for it. The first list corrects it.
 * @returns how old that knowledge is, milliseconds; undefined when there is no such file or it cannot be used
 */
function restoreSnapshot(file: string, informers: Informers, log: Logger): number | undefined {
  try {
    const ageMs = Math.max(0, Date.now() - statSync(file).mtimeMs)
    const content = JSON.parse(readFileSync(file, 'utf8')) as Content
    if (content.layout !== layout) throw new Error(`it has layout ${content.layout}, not ${layout}`)
    for (const [name, informer] of Object.entries(informers)) (informer as unknown as Informer).seed((content.objects[name] ?? []) as never[], ageMs)
    return ageMs
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ENOENT') log.error('the snapshot of what was known is not used', { file, error })
    return undefined
  }
}

export interface KnownOptions {
  readonly file: string
  readonly informers: Informers
  /** Resolves when everything that is needed was listed. */
  readonly synced: Promise<unknown>
  /** Milliseconds the API server is waited for before what was known earlier counts. */
  readonly patienceMs: number
  /** Keeps the file from then on, until it is stopped. */
  readonly lifetime: Lifetime
  readonly log: Logger
}

/** Resolves when there is something to answer from: what the API server lists or, when it does not in time, what was known earlier. */
export async function whenKnown({ file, informers, synced, patienceMs, lifetime, log }: KnownOptions): Promise<void> {
  synced.catch(() => {})
  const patience = new AbortController()
  const late = new Promise<'late'>((resolve) => {
    const timer = setTimeout(resolve, patienceMs, 'late')
    patience.signal.addEventListener('abort', () => clearTimeout(timer))
  })
  const first = await Promise.race([synced, late]).finally(() => patience.abort())
  const ageMs = first === 'late' ? restoreSnapshot(file, informers, log) : undefined
  if (first === 'late' && ageMs === undefined) await synced
  lifetime.own(keepSnapshot(file, informers, log))
  if (ageMs === undefined) return
  log.error('the API server does not answer: what was known before this start is served', { ageSeconds: Math.round(ageMs / 1000) })
  synced.then(() => log.info('the API server answers again'), () => {})
}

/** Age above which what is known is not called confirmed, milliseconds: a silent watch has a bookmark about once a minute. */
const confirmedMs = 120_000

/**
 * Keeps what informers know in a file: written at most once in `everyMs` when it has changed, and dated anew while the API
 * server confirms it. Nothing is written before everything was listed once.
 */
function keepSnapshot(file: string, informers: Informers, log: Logger, everyMs = 5000): Running {
  const lifetime = new Lifetime()
  const all = Object.entries(informers)
  let dirty = true
  for (const [, informer] of all) lifetime.onStop(informer.onChange(() => void (dirty = true)))
  const save = (): void => {
    if (all.some(([, informer]) => !informer.hasSynced || informer.ageMs() > confirmedMs)) return
    try {
      if (dirty) write(file, { layout, objects: Object.fromEntries(all.map(([name, informer]) => [name, informer.list()])) })
      else utimesSync(file, new Date(), new Date())
      dirty = false
    } catch (error) {
      dirty = true
      log.error('what is known is not kept for the next start', { file, error })
    }
  }
  const timer = setInterval(save, everyMs)
  lifetime.onStop(save)
  lifetime.onStop(() => clearInterval(timer))
  return lifetime
}

function write(file: string, content: Content): void {
  mkdirSync(dirname(file), { recursive: true })
  const draft = `${file}.new`
  try {
    writeFileSync(draft, JSON.stringify(content), { mode: 0o600 })
    renameSync(draft, file)
  } catch (error) {
    // Half of it would only take room on a disk that has none.
    rmSync(draft, { force: true })
    throw error
  }
}
