import type { Phase } from './timage.ts'

/** One thing that a build tells; `time` is RFC 3339. */
export type BuildEvent = { readonly id: number; readonly time: string } & (
  | { readonly type: 'phase'; readonly phase: Phase; readonly message: string }
  /** For people: what the base is, what became of a layer. */
  | { readonly type: 'note'; readonly message: string }
  /** Bytes of the package: read, and all of them; compressed ones sent. */
  | { readonly type: 'progress'; readonly read: number; readonly size: number; readonly pushed: number }
)

type Told<T = BuildEvent> = T extends BuildEvent ? Omit<T, 'id' | 'time'> : never

/** What a build told, and tells; it can be followed from any event on. */
export class BuildLog {
  readonly #events: BuildEvent[] = []
  #next = 1
  #ended = false
  #changed = Promise.withResolvers<void>()

  /** Of several reports of progress in a row, the last is kept. */
  add(told: Told): void {
    if (this.#ended) return
    if (told.type === 'progress' && this.#events.at(-1)?.type === 'progress') this.#events.pop()
    this.#events.push({ ...told, id: this.#next++, time: new Date().toISOString() })
    this.#wake()
  }

  end(): void {
    this.#ended = true
    this.#wake()
  }

  /** Everything behind the event of this number, until the build has ended or the signal aborts. */
  async *follow(after: number, signal: AbortSignal): AsyncGenerator<BuildEvent> {
    const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    for (let last = after; !signal.aborted; ) {
      const changed = this.#changed.promise
      const next = this.#events.find(({ id }) => id > last)
      if (next !== undefined) {
        last = next.id
        yield next
      } else if (this.#ended) return
      else await Promise.race([changed, aborted])
    }
  }

  #wake(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }
}
