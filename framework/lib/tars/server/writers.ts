import { Writer } from '../codec/writer.ts'

/** Writers kept for reuse; each holds at most what Writer.reset leaves it. */
const keptWriters = 64

/** Lends writers, so that a connection holds one only while it has something to send. */
export class Writers {
  readonly #free: Writer[] = []

  borrow(): Writer {
    return this.#free.pop() ?? new Writer(4096)
  }

  give(writer: Writer): void {
    if (this.#free.length < keptWriters) this.#free.push(writer.reset())
  }
}
