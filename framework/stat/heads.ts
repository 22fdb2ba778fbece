import { describe } from '#base/errors.ts'
import { Reader } from '#tars/codec/reader.ts'
import { ret, TarsCallError } from '#tars/packet.ts'
import { readStatMicMsgHead, type StatMicMsgHead } from '#tars/protocol/StatF.ts'
import type { Reason, StatKey } from './model/record.ts'

/** Longest one that is remembered, bytes; native's names are shorter. */
const longest = 1024

/** A StatMicMsgHead in wire form. */
export class Head {
  readonly bytes: Buffer
  /** What came after it last. */
  next: Head | undefined
  /** What it says, by who sent it. */
  readonly keys = new Map<string, StatKey | Reason>()

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  /** @throws TarsCallError with the code of what cannot be decoded */
  read(): StatMicMsgHead {
    try {
      return readStatMicMsgHead(new Reader(this.bytes), 0)
    } catch (error) {
      throw new TarsCallError(ret.decodeError, describe(error))
    }
  }
}

/** Knows heads by their bytes: each minute brings the same ones again, mostly in the same order, and reading them is most of the work. */
export class Heads {
  readonly #most: number
  readonly #known = new Map<string, Head>()
  #keys = 0

  /** @param most heads and keys that are remembered */
  constructor(most: number) {
    this.#most = most
  }

  /** The head that comes next. @param last the one before it in its report */
  take(r: Reader, last: Head | undefined): Head {
    const guess = last?.next
    if (guess !== undefined && r.passOver(guess.bytes)) return guess
    const text = r.readWhole(0)
    const head = this.#known.get(text) ?? this.#learn(text)
    if (last !== undefined && text.length <= longest) last.next = head
    return head
  }

  /** Remembers what a head says. */
  know(head: Head, sender: string, key: StatKey | Reason): void {
    if (++this.#keys > this.#most) this.clear()
    if (head.bytes.length <= longest) head.keys.set(sender, key)
  }

  clear(): void {
    this.#known.clear()
    this.#keys = 0
  }

  #learn(text: string): Head {
    const head = new Head(Buffer.from(text, 'latin1'))
    if (text.length <= longest) this.#known.set(text, head)
    return head
  }
}
