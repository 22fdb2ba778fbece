/** A result that is in wire form already. */
export class Encoded {
  readonly body: Buffer

  constructor(body: Buffer) {
    this.body = body
  }
}

/**
 * Lets a servant method answer with a body it encoded earlier, so that an answer that is asked for often is not encoded
 * each time.
 * @param body return value and out parameters in the layout of version 1; a caller of another version gets them decoded
 *   and laid out anew
 */
export function encoded(body: Buffer): Encoded {
  return new Encoded(body)
}
