/** A small seeded generator (mulberry32), so that a failing run can be repeated from its seed. */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** An integer of 0…limit-1. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let t = this.#state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return Math.floor(((t ^ (t >>> 14)) >>> 0) / 0x100000000 * limit)
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T
  }
}

type Mutation = (bytes: Buffer, random: Random) => Buffer

/** Values that lengths, counts and heads are likely to be misread at. */
const nasty = [0x00, 0x01, 0x0a, 0x0b, 0x7f, 0x80, 0xf0, 0xfa, 0xff]

const mutations: readonly Mutation[] = [
  (bytes, random) => (bytes.length === 0 ? bytes : flip(bytes, random.below(bytes.length), 1 << random.below(8))),
  (bytes, random) => replace(bytes, random.below(bytes.length + 1), Buffer.from([random.pick(nasty)])),
  (bytes, random) => replace(bytes, random.below(bytes.length + 1), Buffer.from([0x7f, 0xff, 0xff, 0xff])),
  (bytes, random) => bytes.subarray(0, random.below(bytes.length + 1)),
  (bytes, random) => bytes.subarray(random.below(bytes.length + 1)),
  (bytes, random) => splice(bytes, random.below(bytes.length + 1), Buffer.from(Array.from({ length: random.below(20) }, () => random.below(256)))),
  (bytes, random) => {
    const from = random.below(bytes.length + 1)
    return splice(bytes, random.below(bytes.length + 1), bytes.subarray(from, from + random.below(40)))
  },
]

/** One to four random changes to a copy. */
export function mutate(bytes: Buffer, random: Random): Buffer {
  let out = Buffer.from(bytes)
  for (let i = random.below(4); i >= 0; i--) out = Buffer.from(random.pick(mutations)(out, random))
  return out
}

function flip(bytes: Buffer, at: number, bits: number): Buffer {
  bytes[at] = (bytes[at] as number) ^ bits
  return bytes
}

function replace(bytes: Buffer, at: number, by: Buffer): Buffer {
  by.copy(bytes, at)
  return bytes
}

function splice(bytes: Buffer, at: number, what: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), what, bytes.subarray(at)])
}
