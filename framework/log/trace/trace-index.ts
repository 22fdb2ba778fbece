import { Failure } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'
import { Thread } from '#store/thread.ts'
import type { TopologyQuestion } from './answers.ts'
import type { TraceStore } from './collector.ts'
import type { ThreadData } from './index-thread.ts'
import type { TraceLine } from './line.ts'
import type { Finished, Unfinished } from './store.ts'

/** Where the threads' code is: beside this file, from the sources or in the bundle. */
const file = new URL(import.meta.url.endsWith('.ts') ? './index-thread.ts' : './trace-index.mjs', import.meta.url)
/** A thread that had nothing to do for so long is ended, milliseconds: it takes 25 MB. */
const idleMs = 30_000

/** The index of traces in threads of its own, one for writes and one for questions: neither logs nor each other wait for what they do, or for its disk. */
export class TraceIndex implements TraceStore {
  readonly #writer: Thread
  readonly #reader: Thread

  /** @param folder made when missing */
  constructor(folder: string, log: Logger) {
    const thread = (asked: boolean): Thread => new Thread({ file, data: { folder, asked } satisfies ThreadData, idleMs, log })
    this.#writer = thread(false)
    this.#reader = thread(true)
  }

  async addLines(day: string, lines: readonly TraceLine[]): Promise<void> {
    await this.#writer.call('addLines', [day, lines])
  }

  async finish(over: readonly Finished[]): Promise<void> {
    await this.#writer.call('finish', [over])
  }

  /** @throws Failure LOG_TRACES when there can be no index in the folder */
  async unfinished(): Promise<readonly Unfinished[]> {
    return (await this.#writer.call('unfinished', [])) as readonly Unfinished[]
  }

  /** @returns the body of the answer, in version 1 */
  async answer(question: TopologyQuestion): Promise<Uint8Array> {
    try {
      return (await this.#reader.call('answer', [question])) as Uint8Array
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== 'STORE_SQLITE') throw error
      // Who writes sets a damaged file aside.
      return (await this.#writer.call('answer', [question])) as Uint8Array
    }
  }

  /** Forgets days before this one, unless it is told to leave it. @returns how many traces */
  async forgetBefore(day: string, signal: AbortSignal): Promise<number> {
    for (let all = 0; ;) {
      const { rows, traces } = (await this.#writer.call('forgetSome', [day])) as { readonly rows: number; readonly traces: number }
      all += traces
      if (rows === 0 || signal.aborted) return all
    }
  }

  async close(): Promise<void> {
    await this.#writer.close()
    await this.#reader.close()
  }
}
