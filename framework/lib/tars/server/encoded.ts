/**
 * A result that is in wire form already, in pieces that follow each other. Their bytes are kept as texts of one character each
 * (Latin-1): in memory each is one object, where a Buffer is several in far places.
 */
export class Encoded {
  readonly latin1: readonly string[]

  constructor(...latin1: readonly string[]) {
    this.latin1 = latin1
  }
}

/** A copy of the bytes of a result. */
export function bodyOf({ latin1 }: Encoded): Buffer {
  return Buffer.from(latin1.join(''), 'latin1')
}

/**
 * Lets a servant method answer with a body it encoded earlier, so that an answer that is asked for often is not encoded
 * each time.
 * @param body return value and out parameters in the layout of version 1, copied; a caller of another version gets them
 *   decoded and laid out anew
 */
export function encoded(body: Buffer): Encoded {
  return new Encoded(body.toString('latin1'))
}
