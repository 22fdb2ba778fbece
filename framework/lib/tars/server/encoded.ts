/**
 * A result that is in wire form already. Its bytes are kept as text of one character each (Latin-1): in memory that is one
 * object beside its neighbours, where a Buffer is several in far places. With many answers the difference is most of
 * what sending one costs.
 */
export class Encoded {
  readonly latin1: string
  /** Bytes of the body, with which the text begins. */
  readonly length: number

  /** @param length of the body, where other bytes follow it */
  constructor(bytes: Buffer, length = bytes.length) {
    this.latin1 = bytes.toString('latin1')
    this.length = length
  }
}

/** A copy of the bytes of a result. */
export function bodyOf({ latin1, length }: Encoded): Buffer {
  return Buffer.from(latin1, 'latin1').subarray(0, length)
}

/**
 * Lets a servant method answer with a body it encoded earlier, so that an answer that is asked for often is not encoded
 * each time.
 * @param body return value and out parameters in the layout of version 1, copied; a caller of another version gets them
 *   decoded and laid out anew
 */
export function encoded(body: Buffer): Encoded {
  return new Encoded(body)
}
