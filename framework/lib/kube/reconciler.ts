import { setImmediate as othersFirst } from 'node:timers/promises'
import { Failure } from '#base/errors.ts'
import type { Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import { isAlreadyExists, isConflict, isNotFound } from './errors.ts'
import { WorkQueue } from './work-queue.ts'
import type { WorkQueueOptions } from './work-queue.ts'

/** Thrown by a reconcile function when trying again is of no use until something changes. */
export class TerminalError extends Failure {}

/** `requeueAfterMs`: look at this key again after so many milliseconds. */
export interface ReconcileResult {
  readonly requeueAfterMs?: number
}

/** Brings the world in line for one key. Level-triggered: the key says what to look at, never what happened. */
export type Reconcile = (key: string, signal: AbortSignal) => Promise<ReconcileResult | void>

export interface ReconcilerOptions extends WorkQueueOptions {
  readonly name: string
  readonly reconcile: Reconcile
  readonly log: Logger
  /** Keys worked on at a time. Default 2. */
  readonly workers?: number
}

export interface Reconciler extends Running {
  enqueue(key: string): void
  enqueueAfter(key: string, delayMs: number): void
  /** True when no key waits, is delayed or is being worked on. */
  readonly idle: boolean
  readonly name: string
  /** Keys that wait to be worked on. */
  readonly waiting: number
  /** Since it started. */
  readonly counts: Readonly<Record<Outcome, number>>
}

/** refused: not to be tried again until something changes. */
type Outcome = 'succeeded' | 'failed' | 'refused'

/** Failures of a key in a row from which on also what passes by itself is logged as an error. */
const patience = 3

/**
 * Runs `reconcile` for every key enqueued; failures are logged and retried with the key's own back-off. That an object was
 * changed or deleted meanwhile is part of the work: it becomes an error when it does not end.
 */
export function startReconciler(options: ReconcilerOptions): Reconciler {
  const queue = new WorkQueue(options)
  const abort = new AbortController()
  const counts: Record<Outcome, number> = { succeeded: 0, failed: 0, refused: 0 }
  const counted: ReconcilerOptions & Counting = { ...options, note: (outcome) => void counts[outcome]++ }
  const workers = Array.from({ length: options.workers ?? 2 }, () => work(queue, counted, abort.signal))
  const done = Promise.all(workers).then(() => {})
  return {
    enqueue: (key) => queue.add(key),
    enqueueAfter: (key, delayMs) => queue.addAfter(key, delayMs),
    get idle() {
      return queue.idle
    },
    name: options.name,
    get waiting() {
      return queue.size
    },
    counts,
    async stop() {
      abort.abort()
      queue.close()
      await done
    },
    done,
  }
}

/**
 * Keys for which there is nothing to do meet no I/O, and many of them in a row would keep everything else in this process waiting:
 * after so many milliseconds that goes first.
 */
const turnMs = 10

interface Counting {
  readonly note: (outcome: Outcome) => void
}

async function work(queue: WorkQueue, options: ReconcilerOptions & Counting, signal: AbortSignal): Promise<void> {
  let begun = performance.now()
  for (let key = await queue.take(); key !== undefined; key = await queue.take()) {
    try {
      await attempt(queue, options, key, signal)
    } finally {
      queue.finished(key)
    }
    if (performance.now() - begun < turnMs) continue
    await othersFirst()
    begun = performance.now()
  }
}

async function attempt(queue: WorkQueue, { name, reconcile, log, note }: ReconcilerOptions & Counting, key: string, signal: AbortSignal): Promise<void> {
  try {
    const result = await reconcile(key, signal)
    queue.forget(key)
    note('succeeded')
    if (result?.requeueAfterMs !== undefined) queue.addAfter(key, result.requeueAfterMs)
  } catch (error) {
    if (signal.aborted) return
    if (error instanceof TerminalError) {
      queue.forget(key)
      note('refused')
      log.error('reconcile refused', { reconciler: name, key, error })
      return
    }
    note('failed')
    const retryInMs = queue.addRateLimited(key)
    const failures = queue.failures(key)
    const fields = { reconciler: name, key, error, failures, retryInMs: Math.round(retryInMs) }
    if (failures <= patience && isRace(error)) log.info('reconcile meets a change, and is done again', fields)
    else log.error('reconcile failed', fields)
  }
}

/** Another writer was faster: the object was changed, made or deleted meanwhile. */
function isRace(error: unknown): boolean {
  return isConflict(error) || isAlreadyExists(error) || isNotFound(error)
}
