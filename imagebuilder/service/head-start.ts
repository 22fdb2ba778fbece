import { Failure } from '#base/errors.ts'
import type { BuiltImage } from '../build.ts'
import type { BuildFacts } from './build.ts'
import type { Loan } from './fair-queue.ts'
import type { Making } from './make-image.ts'

/**
 * An image in the making while its package is still on the way. Nobody sees anything of it until its build adopts it, and
 * until it is taken for that its place can be recalled at any time: it saves time and decides nothing.
 */
export class HeadStart {
  /** What it was begun with; rejects as the build would be refused. */
  readonly facts: Promise<BuildFacts>
  readonly loan: Loan
  readonly #abort = new AbortController()
  readonly #adopted = Promise.withResolvers<Making>()
  readonly #notes: string[] = []
  readonly #image: Promise<BuiltImage>
  #listener: Making | undefined
  #taken = false
  #dropped: Promise<void> | undefined

  /** @param loan of the place it runs in @param make makes the image when the facts are there */
  constructor(facts: Promise<BuildFacts>, loan: Loan, make: (facts: BuildFacts, making: Making) => Promise<BuiltImage>) {
    this.facts = facts
    this.loan = loan
    const making: Making = {
      signal: this.#abort.signal,
      confirmed: async () => (await this.#adopted.promise).confirmed(),
      onProgress: (at) => this.#listener?.onProgress(at),
      onNote: (note) => (this.#listener === undefined ? this.#notes.push(note) : this.#listener.onNote(note)),
    }
    this.#image = facts.then((known) => make(known, making))
    this.#image.catch(() => {})
    this.#adopted.promise.catch(() => {})
  }

  /** Its package is here: from now on its place is not given back. @returns false when it was dropped before */
  take(): boolean {
    this.#taken = this.#dropped === undefined
    return this.#taken
  }

  /** Somebody else wants its place. */
  recall(): void {
    if (!this.#taken) void this.drop()
  }

  /** Makes it the build's that has taken it. */
  adopt(making: Making): Promise<BuiltImage> {
    this.#listener = making
    for (const note of this.#notes) making.onNote(note)
    const { signal } = making
    if (signal.aborted) this.#abort.abort(signal.reason)
    signal.addEventListener('abort', () => this.#abort.abort(signal.reason), { once: true })
    this.#adopted.resolve(making)
    return this.#image
  }

  /** Ends it, unless a build has adopted it; resolves when nothing of it runs or is left at the registry. */
  drop(): Promise<void> {
    if (this.#listener !== undefined) return Promise.resolve()
    return (this.#dropped ??= this.#end())
  }

  async #end(): Promise<void> {
    const reason = new Failure('HEAD_START_DROPPED', 'the package is received before it is built')
    this.#abort.abort(reason)
    this.#adopted.reject(reason)
    await this.#image.catch(() => {})
    this.loan.end()
  }
}
