import type { IncomingMessage } from 'node:http'
import { Failure } from '#base/errors.ts'

/** The caller's fault. */
export class Refusal extends Failure {
  readonly status: number

  constructor(status: number, message: string, remedy: string) {
    super('WEBHOOK_REVIEW_INVALID', message, { remedy })
    this.status = status
  }
}

/** Bytes of all reviews that are on their way: twice the largest. */
const usualMost = 512 * 1024 * 1024
/** Values of a review: each takes tens of bytes, however few it has. Lists of 10,000 objects have a million. */
const mostValues = 8_000_000
const [comma, colon, list, object] = [',', ':', '[', '{'].map((sign) => sign.charCodeAt(0))

/** Reads reviews, of which all together take so much memory: when there is more, the one that has most is not read on. */
export class ReviewReader {
  readonly #most: number
  /** Bytes that came, by request. */
  readonly #held = new Map<IncomingMessage, number>()

  /** @param most bytes that are held */
  constructor(most = usualMost) {
    this.#most = most
  }

  /** @param most bytes of the review @throws Refusal */
  async read(request: IncomingMessage, most: number): Promise<unknown> {
    try {
      return parsed(await this.#whole(request, most))
    } finally {
      this.#held.delete(request)
    }
  }

  async #whole(request: IncomingMessage, most: number): Promise<Buffer> {
    const chunks: Buffer[] = []
    let [size, values] = [0, 0]
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      size += chunk.length
      values += valuesIn(chunk)
      if (size > most || values > mostValues) {
        // The rest is thrown away unread, so that the caller comes to the answer.
        request.resume()
        throw new Refusal(413, `the review has more than ${size > most ? `${most} bytes` : `${mostValues} values`}`, 'ask for fewer objects at a time')
      }
      chunks.push(chunk)
      this.#hold(request, size)
    }
    return Buffer.concat(chunks)
  }

  #hold(request: IncomingMessage, size: number): void {
    this.#held.set(request, size)
    let sum = 0
    for (const bytes of this.#held.values()) sum += bytes
    if (sum <= this.#most) return
    const [largest] = [...this.#held].reduce((a, b) => (b[1] > a[1] ? b : a))
    this.#held.delete(largest)
    largest.destroy(new Refusal(503, 'reviews that are on their way have too many bytes, and this one most', 'ask for fewer objects at a time, or later'))
  }
}

/** How many there are at most: text that looks so counts as well. */
function valuesIn(json: Buffer): number {
  let count = 0
  for (let index = 0; index < json.length; index++) {
    const byte = json[index]
    if (byte === comma || byte === colon || byte === list || byte === object) count++
  }
  return count
}

function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    throw new Refusal(400, 'the body is not JSON', 'send a review as JSON')
  }
}
