import type { AnyObject } from '#kube/types.ts'
import type { Outbox } from '#store/outbox.ts'
import { rowOf } from './model/event-row.ts'

/** Events that are with the outbox at once: it writes so many without waiting for more. */
const atOnce = 1000

/** Hands events to an outbox as fast as it writes them: the list that a watch begins with may have more than it holds meanwhile. */
export class Feed {
  readonly #outbox: Pick<Outbox, 'add' | 'flush'>
  /** By uid. They are the watch's, so that waiting takes no memory of its own. */
  readonly #waiting = new Map<string, AnyObject>()
  #feeding: Promise<void> | undefined

  constructor(outbox: Pick<Outbox, 'add' | 'flush'>) {
    this.#outbox = outbox
  }

  /** Of an event that waits the newest version counts. */
  add(event: AnyObject): void {
    this.#waiting.set(event.metadata.uid ?? '', event)
    this.#feeding ??= this.#feed()
  }

  /** Resolves when all were offered to the disk. */
  async stop(): Promise<void> {
    while (this.#feeding !== undefined) await this.#outbox.flush()
  }

  async #feed(): Promise<void> {
    // After the whole list.
    await Promise.resolve()
    while (this.#waiting.size > 0) {
      const batch = [...this.#waiting.entries().take(atOnce)]
      for (const [uid] of batch) this.#waiting.delete(uid)
      // What the disk refuses the outbox keeps, and offers again.
      await Promise.allSettled(batch.map(([uid, event]) => this.#outbox.add(uid, rowOf(event))))
    }
    this.#feeding = undefined
  }
}
