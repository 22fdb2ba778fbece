import { Failure } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'
import type { Endpoint } from '../endpoint.ts'
import type { ClientCall } from './call.ts'
import type { EndpointSet } from './endpoint-set.ts'
import { failures } from './failures.ts'
import type { Link } from './link.ts'
import type { EndpointNode } from './node.ts'

/** After the registry failed or knew no endpoint it is not asked again for this long, milliseconds. */
const retryAfterMs = 1000

/** However much fails, the registry is not asked more often than this, milliseconds. */
const leastPauseMs = 300

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
  #waiting: Promise<void> | undefined
  #askAgainAt = 0
  #askedAt = -Infinity
  #problem: unknown

  constructor(parts: ObjectParts) {
    this.#parts = parts
    parts.endpoints.onLost = (node) => {
      node.avoid(parts.now())
      this.#askSoon()
    }
  }

  /** Sends the call, which settles in any case. */
  dispatch(call: ClientCall): void {
    const { endpoints, now } = this.#parts
    if (this.#refreshing !== undefined || this.#stale()) {
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
    if (node === undefined) return this.#exhausted(call)
    const link = node.link()
    if (link.open) return this.#send(node, link, call)
    link.ready.then(() => this.#sendOnceOpen(node, link, call), (error: unknown) => this.#next(node, call, error))
  }

  #sendOnceOpen(node: EndpointNode, link: Link, call: ClientCall): void {
    if (call.settled) return
    if (link.open) this.#send(node, link, call)
    else this.#next(node, call, failures.closed(node.label, 'it was closed at once'))
  }

  #send(node: EndpointNode, link: Link, call: ClientCall): void {
    link.send(call)
    if (call.settled) return
    call.promise.then(() => node.succeeded(link), (error: unknown) => this.#judge(node, link, error))
  }

  // The connection failed before the call was sent: the next endpoint may have it.
  #next(node: EndpointNode, call: ClientCall, error: unknown): void {
    node.failed(this.#parts.now())
    call.tried.add(node)
    call.unreached = error
    this.#askSoon()
    this.#choose(call)
  }

  #judge(node: EndpointNode, link: Link, error: unknown): void {
    if (!(error instanceof Failure)) return
    if (error.code === 'TARS_CALL_REFUSED' || error.code === 'TARS_BAD_RESULT') return node.succeeded(link)
    if (error.code !== 'TARS_TIMEOUT') return
    node.timedOut(this.#parts.now())
    this.#askSoon()
  }

  // No known endpoint took the call, which was not sent: the registry may know another by now, and is asked once.
  #exhausted(call: ClientCall): void {
    if (this.#parts.locate === undefined || call.lookedAgain || call.tried.size === 0) return call.fail(this.#unreachable(call))
    call.lookedAgain = true
    void this.#refreshSoon().then(() => this.#choose(call))
  }

  #unreachable(call: ClientCall): unknown {
    if (call.unreached !== undefined) return call.unreached
    return failures.noEndpoint(this.#parts.name, this.#problem === undefined ? 'the registry lists none' : 'the registry did not answer', this.#problem)
  }

  #stale(): boolean {
    return this.#parts.locate !== undefined && this.#parts.now() >= this.#askAgainAt
  }

  // What is known may be wrong: the next call asks the registry again.
  #askSoon(): void {
    this.#askAgainBy(this.#askedAt + leastPauseMs)
  }

  #askAgainBy(time: number): void {
    this.#askAgainAt = Math.min(this.#askAgainAt, time)
  }

  // One answer for all that wait; not before the least pause is over.
  #refreshSoon(): Promise<void> {
    const pause = this.#askedAt + leastPauseMs - this.#parts.now()
    if (this.#refreshing !== undefined || pause <= 0) return this.#refresh()
    this.#waiting ??= new Promise<void>((resolve) => setTimeout(resolve, pause)).then(() => {
      this.#waiting = undefined
      return this.#refresh()
    })
    return this.#waiting
  }

  #refresh(): Promise<void> {
    this.#refreshing ??= this.#ask().finally(() => (this.#refreshing = undefined))
    return this.#refreshing
  }

  // A failure or an empty answer changes nothing: what was known may still work (framework-services.md 11.1).
  async #ask(): Promise<void> {
    const { locate, name, endpoints, now, log, refreshIntervalMs } = this.#parts
    this.#askedAt = now()
    this.#askAgainAt = Infinity // what fails from here on may shorten it again
    try {
      const found = (await locate?.(name)) ?? []
      if (found.length > 0) endpoints.update(found)
      this.#problem = undefined
      this.#askAgainBy(now() + (found.length > 0 ? refreshIntervalMs : retryAfterMs))
    } catch (error) {
      this.#problem = error
      this.#askAgainBy(now() + retryAfterMs)
      log.error('the registry did not tell the endpoints of an object', { object: name, known: endpoints.size, error })
    }
  }
}
