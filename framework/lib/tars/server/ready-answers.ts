import { Encoded } from './encoded.ts'

/** Slots an answer, so that most are found in the first one that is looked at. */
const spread = 2
const leastSlots = 2 * spread * 64

/**
 * Answers that are ready, by the bytes of the parameters that they answer. One is found without decoding these, and it is one
 * object in memory, body and parameters in turn: where there are many, each look elsewhere would cost more than the rest.
 */
export class ReadyAnswers {
  /** Pairs: the hash of an answer's parameters, and 1 + its number, or 0 where nothing is. It is in the first free pair after that of its hash. */
  #slots = new Int32Array(leastSlots)
  /** By number, as text of one character a byte (Latin-1). */
  readonly #answers: string[] = []
  readonly #free: number[] = []
  /** Bytes of parameters that may be known. */
  #longest = 0

  /** @param args parameters in the layout of version 1 @param body of the response; both are copied @returns the body, for a servant that is asked all the same */
  set(args: Buffer, body: Buffer): Encoded {
    const answer = new Encoded(Buffer.concat([body, args]), body.length)
    const at = this.#find(args)
    const known = this.#slots[at + 1] as number
    const number = known > 0 ? known - 1 : (this.#free.pop() ?? this.#answers.length)
    this.#answers[number] = answer.latin1
    this.#longest = Math.max(this.#longest, args.length)
    this.#slots[at] = hashOf(args)
    this.#slots[at + 1] = number + 1
    if (this.#answers.length * 2 * spread >= this.#slots.length) this.#grow()
    return answer
  }

  delete(args: Buffer): void {
    const at = this.#find(args)
    const known = this.#slots[at + 1] as number
    if (known === 0) return
    this.#answers[known - 1] = ''
    this.#free.push(known - 1)
    this.#slots[at + 1] = 0
    // What stands behind it may have stood there only because this was taken.
    for (let next = this.#after(at); this.#slots[next + 1] !== 0; next = this.#after(next)) this.#place(this.#slots, next)
  }

  clear(): void {
    this.#slots = new Int32Array(leastSlots)
    this.#answers.length = this.#free.length = this.#longest = 0
  }

  /** The body's bytes as text, and then those of `args`; undefined when there is no answer to these. */
  get(args: Buffer): string | undefined {
    if (args.length > this.#longest) return undefined
    const number = this.#slots[this.#find(args) + 1] as number
    return number === 0 ? undefined : this.#answers[number - 1]
  }

  /** Where these parameters are, or would be. */
  #find(args: Buffer): number {
    const hash = hashOf(args)
    let at = this.#first(hash)
    for (; this.#slots[at + 1] !== 0; at = this.#after(at)) {
      if (this.#slots[at] === hash && endsWith(this.#answers[(this.#slots[at + 1] as number) - 1] as string, args)) break
    }
    return at
  }

  #first(hash: number): number {
    return ((hash ^ (hash >>> 15)) << 1) & (this.#slots.length - 1)
  }

  #after(at: number): number {
    return (at + 2) & (this.#slots.length - 1)
  }

  /** Puts the pair at `from` of some slots where it belongs. */
  #place(slots: Int32Array, from: number): void {
    const [hash, number] = [slots[from] as number, slots[from + 1] as number]
    slots[from + 1] = 0
    let at = this.#first(hash)
    while (this.#slots[at + 1] !== 0) at = this.#after(at)
    this.#slots[at] = hash
    this.#slots[at + 1] = number
  }

  #grow(): void {
    const before = this.#slots
    this.#slots = new Int32Array(2 * before.length)
    for (let at = 0; at < before.length; at += 2) if (before[at + 1] !== 0) this.#place(before, at)
  }
}

/** FNV-1a. */
function hashOf(bytes: Buffer): number {
  let hash = 0x811c9dc5 | 0
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193)
  return hash
}

function endsWith(answer: string, args: Buffer): boolean {
  const start = answer.length - args.length
  if (start < 0) return false
  for (let i = args.length - 1; i >= 0; i--) if (answer.charCodeAt(start + i) !== args[i]) return false
  return true
}
