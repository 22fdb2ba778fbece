interface Known {
  readonly text: string
  readonly bytes: Buffer
}

/**
 * Texts that come again and again, found by their bytes: nothing is decoded for them, and as the same strings they are
 * quick keys of maps.
 */
export class KnownTexts {
  readonly #buckets: readonly (readonly Known[])[]

  constructor(texts: Iterable<string>) {
    const all = [...new Set(texts)].map((text) => ({ text, bytes: Buffer.from(text) }))
    const size = 2 ** Math.ceil(Math.log2(2 * all.length + 1))
    this.#buckets = Array.from({ length: size }, (_, at) => all.filter(({ bytes }) => bucketOf(bytes, 0, bytes.length) % size === at))
  }

  /** The text of these bytes; undefined when it is not among them. */
  find(bytes: Buffer, start: number, end: number): string | undefined {
    const bucket = this.#buckets[bucketOf(bytes, start, end) & (this.#buckets.length - 1)] as readonly Known[]
    for (const known of bucket) if (isSame(known.bytes, bytes, start, end)) return known.text
    return undefined
  }
}

/** Length, middle and end tell names of servants and functions apart. */
function bucketOf(bytes: Buffer, start: number, end: number): number {
  return start === end ? 0 : ((end - start) * 31 + (bytes[(start + end) >> 1] as number)) * 31 + (bytes[end - 1] as number)
}

function isSame(known: Buffer, bytes: Buffer, start: number, end: number): boolean {
  if (known.length !== end - start) return false
  for (let i = known.length - 1; i >= 0; i--) if (known[i] !== bytes[start + i]) return false
  return true
}
