import { describe, Failure } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'
import { retry } from '#base/retry.ts'
import type { ServerDescriptor } from '#tars/protocol/RegistryDescriptor.ts'
import type { DescriptorFile } from './descriptor-file.ts'

/** Asks the registry once; rejects with a Failure whose `temporary` says whether asking again may help. */
export type FetchDescriptor = () => Promise<ServerDescriptor>

export interface DescriptorSourceOptions {
  readonly fetch: FetchDescriptor
  readonly file: DescriptorFile
  readonly log: Logger
}

/** How long a launch waits for a fresh descriptor when the last good one is at hand, milliseconds. */
const FRESH_MS = 2_000
const RETRY = { baseMs: 200, capMs: 5_000 }

/**
 * The service's descriptor: fresh from the registry when it answers in time, else the last good one, which is kept in
 * the work folder so that also a restarted container starts without a registry.
 */
export class DescriptorSource {
  readonly #options: DescriptorSourceOptions

  constructor(options: DescriptorSourceOptions) {
    this.#options = options
  }

  /**
   * Without a kept descriptor it asks until the registry answers or the signal aborts.
   * @throws Failure of the registry that no repetition helps, when there is no kept descriptor
   */
  async get(signal: AbortSignal): Promise<ServerDescriptor> {
    const { file, log } = this.#options
    const kept = file.read()
    if (kept === undefined) return this.#patiently(signal)
    const limit = AbortSignal.any([signal, AbortSignal.timeout(FRESH_MS)])
    try {
      return await before(this.#fresh(), limit)
    } catch (error) {
      signal.throwIfAborted()
      log.error('starting from the last good descriptor: the registry gives no fresh one', { reason: describe(error) })
      return kept
    }
  }

  /** Asks until the registry answers or the signal aborts. */
  fresh(signal: AbortSignal): Promise<ServerDescriptor> {
    return retry(() => this.#fresh(), { ...RETRY, attempts: Infinity, when: () => true, signal })
  }

  /** One try, at most `timeoutMs`; the kept one otherwise; undefined when there is neither. */
  async try(timeoutMs: number): Promise<ServerDescriptor | undefined> {
    return before(this.#fresh(), AbortSignal.timeout(timeoutMs)).catch(() => this.#options.file.read())
  }

  #patiently(signal: AbortSignal): Promise<ServerDescriptor> {
    const onRetry = (error: unknown, attempt: number): void => {
      if (attempt === 1) this.#options.log.error('the registry gives no descriptor; it is asked until it does', { reason: describe(error) })
    }
    return retry(() => this.#fresh(), { ...RETRY, attempts: PATIENT_TRIES, signal, onRetry })
  }

  async #fresh(): Promise<ServerDescriptor> {
    const descriptor = await this.#options.fetch()
    this.#options.file.keep(descriptor)
    return descriptor
  }
}

/** Tries before a launch counts as refused, so that the reason becomes visible in the state's message. */
const PATIENT_TRIES = 3

function before<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const late = (): void => reject(new Failure('REGISTRY_SLOW', 'the registry did not answer in time', { temporary: true }))
    signal.addEventListener('abort', late, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', late))
  })
}
