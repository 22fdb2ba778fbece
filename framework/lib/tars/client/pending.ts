import type { ClientCall } from './call.ts'

/** Calls that wait for an answer on one connection, by request id. */
export class PendingCalls {
  readonly #calls = new Map<number, ClientCall>()
  readonly #onEmpty: () => void

  constructor(onEmpty: () => void) {
    this.#onEmpty = onEmpty
  }

  get size(): number {
    return this.#calls.size
  }

  add(call: ClientCall): void {
    this.#calls.set(call.requestId, call)
    call.onSettled = this.#remove
  }

  /** The call that a response is for; undefined when it has settled already or never was. */
  find(requestId: number): ClientCall | undefined {
    return this.#calls.get(requestId)
  }

  failAll(error: unknown): void {
    for (const call of this.#calls.values()) call.fail(error) // removing while iterating is defined for a Map
  }

  readonly #remove = (call: ClientCall): void => {
    this.#calls.delete(call.requestId)
    if (this.#calls.size === 0) this.#onEmpty()
  }
}
