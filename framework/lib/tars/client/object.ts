import { Failure } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'
import type { Endpoint } from '../endpoint.ts'
import type { ClientCall } from './call.ts'
import type { EndpointSet } from './endpoint-set.ts'
import { failures } from './failures.ts'
import type { EndpointNode } from './node.ts'

/** After the registry failed or knew no endpoint it is not asked again for this long, milliseconds. */
const retryAfterMs = 1000

export interface ObjectParts {
  readonly name: string
  readonly endpoints: EndpointSet
  /** Asks the registry; absent for an object with fixed endpoints. */
  readonly locate: ((name: string) => Promise<readonly Endpoint[]>) | undefined
  readonly refreshIntervalMs: number
  readonly now: () => number
  readonly log: Logger
}

/** One remote object: knows its endpoints, keeps them fresh, and sends each call to one that can be reached. */
export class RemoteObject {
  readonly #parts: ObjectParts
  #refreshing: Promise<void> | undefined
  #askAgainAt = 0
  #problem: unknown

  constructor(parts: ObjectParts) {
    this.#parts = parts
  }

  /** Sends the call, which settles in any case. */
  dispatch(call: ClientCall): void {
    const { endpoints, now } = this.#parts
    if (this.#stale()) {
      const refreshed = this.#refresh()
      if (endpoints.size === 0 || endpoints.dead(now())) return void refreshed.then(() => this.#choose(call))
    }
    this.#choose(call)
  }

  async end(): Promise<void> {
    await this.#parts.endpoints.end()
  }

  #choose(call: ClientCall): void {
    if (call.settled) return
    const node = this.#parts.endpoints.pick(call.tried, this.#parts.now())
    if (node === undefined) return call.fail(this.#unreachable(call))
    const link = node.link()
    if (link.open) return this.#send(node, call)
    link.ready.then(() => this.#sendOnceOpen(node, call), (error: unknown) => this.#next(node, call, error))
  }

  #sendOnceOpen(node: EndpointNode, call: ClientCall): void {
    if (call.settled) return
    if (node.link().open) this.#send(node, call)
    else this.#next(node, call, failures.closed(node.label, 'it was closed at once'))
  }

  #send(node: EndpointNode, call: ClientCall): void {
    node.link().send(call)
    if (call.settled) return
    call.promise.then(() => node.succeeded(), (error: unknown) => this.#judge(node, error))
  }

  // The connection failed before the call was sent: the next endpoint may have it.
  #next(node: EndpointNode, call: ClientCall, error: unknown): void {
    node.failed(this.#parts.now())
    call.tried.add(node)
    this.#problem = error
    this.#askAgainAt = Math.min(this.#askAgainAt, this.#parts.now() + retryAfterMs)
    this.#choose(call)
  }

  #judge(node: EndpointNode, error: unknown): void {
    if (!(error instanceof Failure)) return
    if (error.code === 'TARS_TIMEOUT') node.timedOut(this.#parts.now())
    else if (error.code === 'TARS_CALL_REFUSED' || error.code === 'TARS_BAD_RESULT') node.succeeded()
  }

  #unreachable(call: ClientCall): unknown {
    if (call.tried.size > 0 && this.#problem instanceof Failure) return this.#problem
    return failures.noEndpoint(this.#parts.name, this.#problem === undefined ? 'the registry lists none' : 'the registry did not answer', this.#problem)
  }

  #stale(): boolean {
    return this.#parts.locate !== undefined && this.#parts.now() >= this.#askAgainAt
  }

  #refresh(): Promise<void> {
    this.#refreshing ??= this.#ask().finally(() => (this.#refreshing = undefined))
    return this.#refreshing
  }

  // A failure or an empty answer changes nothing: what was known may still work (framework-services.md 11.1).
  async #ask(): Promise<void> {
    const { locate, name, endpoints, now, log, refreshIntervalMs } = this.#parts
    try {
      const found = (await locate?.(name)) ?? []
      if (found.length > 0) endpoints.update(found)
      this.#problem = undefined
      this.#askAgainAt = now() + (found.length > 0 ? refreshIntervalMs : retryAfterMs)
    } catch (error) {
      this.#problem = error
      this.#askAgainAt = now() + retryAfterMs
      log.error('the registry did not tell the endpoints of an object', { object: name, known: endpoints.size, error })
    }
  }
}
