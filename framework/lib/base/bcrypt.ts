// bcrypt (Provos and Mazières, "A Future-Adaptable Password Scheme", USENIX 1999), form $2a$, by the Blowfish cipher.

export interface BcryptOptions {
  /** Binary logarithm of the number of rounds: 4 to 31. */
  readonly cost: number
  /** 16 random bytes. */
  readonly salt: Uint8Array
}

/** Blowfish's subkeys and its four boxes of 256 words, in one: 18 and 1024 words. */
type State = Int32Array

const subkeys = 18
const stateWords = subkeys + 4 * 256
/** Bytes of a password that count, its closing 0 included. */
const keyBytes = 72

/** Hash of a password: 60 characters, salt and cost in them. */
export function bcrypt(password: string, { cost, salt }: BcryptOptions): string {
  const key = words(Buffer.from(`${password}\0`, 'utf8').subarray(0, keyBytes), subkeys)
  const saltKey = words(salt, subkeys)
  const state = initialState().slice()
  expand(state, key, saltKey)
  for (let round = 0; round < 2 ** cost; round++) {
    expand(state, key)
    expand(state, saltKey)
  }
  const text = words(Buffer.from('OrpheanBeholderScryDoubt'), 6)
  for (let pair = 0; pair < 6; pair += 2) for (let time = 0; time < 64; time++) encipher(state, text, pair)
  const bytes = Buffer.alloc(24)
  text.forEach((word, index) => bytes.writeInt32BE(word, index * 4))
  return `$2a$${String(cost).padStart(2, '0')}$${base64(salt)}${base64(bytes.subarray(0, 23))}`
}

/** The first `count` big-endian words of the bytes repeated without end. */
function words(bytes: Uint8Array, count: number): Int32Array {
  return Int32Array.from({ length: count }, (_, word) => [0, 1, 2, 3].reduce((value, byte) => (value << 8) | (bytes[(word * 4 + byte) % bytes.length] ?? 0), 0))
}

/** Mixes a key into the state; with a salt, its four words into what the state is made of, too. */
function expand(state: State, key: Int32Array, salt?: Int32Array): void {
  for (let index = 0; index < subkeys; index++) state[index] = at(state, index) ^ at(key, index)
  const pair = new Int32Array(2)
  for (let index = 0; index < stateWords; index += 2) {
    if (salt !== undefined) {
      pair[0] = at(pair, 0) ^ at(salt, index % 4)
      pair[1] = at(pair, 1) ^ at(salt, (index % 4) + 1)
    }
    encipher(state, pair, 0)
    state[index] = at(pair, 0)
    state[index + 1] = at(pair, 1)
  }
}

/** Blowfish: enciphers the two words at `offset`, in place. */
function encipher(state: State, block: Int32Array, offset: number): void {
  let left = at(block, offset)
  let right = at(block, offset + 1)
  for (let round = 0; round < 16; round += 2) {
    left ^= at(state, round)
    right ^= mixed(state, left) ^ at(state, round + 1)
    left ^= mixed(state, right)
  }
  block[offset] = right ^ at(state, 17)
  block[offset + 1] = left ^ at(state, 16)
}

/** Blowfish's function F. */
function mixed(state: State, word: number): number {
  const sum = at(state, subkeys + (word >>> 24)) + at(state, subkeys + 256 + ((word >>> 16) & 255))
  return ((sum ^ at(state, subkeys + 512 + ((word >>> 8) & 255))) + at(state, subkeys + 768 + (word & 255))) | 0
}

const at = (list: Int32Array, index: number): number => list[index] as number

/** The state before any key: the fraction of pi, in binary. Computed anew each time a hash is made would cost more than the hash. */
const initialState = once((): State => {
  const bits = BigInt(stateWords * 32)
  const guard = 64n
  const one = 1n << (bits + guard)
  // Machin: pi / 4 = 4 atan(1/5) - atan(1/239)
  const fraction = (16n * arctangent(5n, one) - 4n * arctangent(239n, one) - 3n * one) >> guard
  const text = fraction.toString(16).padStart(stateWords * 8, '0')
  return Int32Array.from({ length: stateWords }, (_, index) => Number.parseInt(text.slice(index * 8, index * 8 + 8), 16) | 0)
})

/** atan(1 / x), times `one`. */
function arctangent(x: bigint, one: bigint): bigint {
  let power = one / x
  let sum = power
  for (let n = 3n, sign = -1n; power > 0n; n += 2n, sign = -sign) {
    power /= x * x
    sum += (sign * power) / n
  }
  return sum
}

function once<T>(make: () => T): () => T {
  let made: T | undefined
  return () => (made ??= make())
}

const alphabet = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const standard = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** Base64 in bcrypt's own order of characters, not padded. */
function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64').replaceAll('=', '').replace(/./g, (character) => alphabet[standard.indexOf(character)] ?? '')
}
