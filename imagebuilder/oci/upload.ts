import { isTemporary, Failure } from '#base/errors.ts'
import { retry } from '#base/retry.ts'
import { giveBack } from '../memory.ts'
import type { Session } from './session.ts'

/** Takes one blob's bytes in order. Nothing is visible to pullers before commit; abort leaves nothing behind. */
export interface BlobWriter {
  /** Waits when the receiver is slower; the buffer may be used again when it resolves. */
  write(chunk: Buffer): Promise<void>
  /** Ends the blob; its content must have this digest. */
  commit(digest: string): Promise<void>
  abort(): Promise<void>
}

/** After an abort, what is under way is heard to its end, and then what is left of the upload told to go; each for so long at most. Milliseconds. */
const giveUpMs = 5000

/** Sent in one request; two of them are in memory at once. Bytes. */
const chunkBytes = 6 << 20
/** The first request; each is twice the one before, so that a small blob is on its way before its end is known. Bytes. */
const firstBytes = 1 << 20

interface Chunk {
  /** Offset in the blob. */
  readonly start: number
  readonly bytes: Buffer
}

/**
 * A resumable upload (distribution-spec "Pushing a blob in chunks"). Each chunk is kept until the registry has it; after a
 * cut the registry is asked how far it got and the rest is sent.
 */
export class ChunkedUpload implements BlobWriter {
  readonly #session: Session
  readonly #scopes: readonly string[]
  readonly #doing: string
  readonly #signal: AbortSignal | undefined
  #location: string
  #filling = Buffer.allocUnsafeSlow(firstBytes)
  #filled = 0
  #inFlight = Buffer.allocUnsafeSlow(0)
  #sent = 0
  #sending: Promise<void> = Promise.resolve()

  /** @param location the upload URL that the registry answered to the POST */
  constructor(session: Session, location: string, options: { scopes: readonly string[]; doing: string; signal?: AbortSignal | undefined }) {
    this.#session = session
    this.#location = location
    this.#scopes = options.scopes
    this.#doing = options.doing
    this.#signal = options.signal
  }

  async write(bytes: Buffer): Promise<void> {
    for (let offset = 0; offset < bytes.length; ) {
      const copied = bytes.copy(this.#filling, this.#filled, offset)
      offset += copied
      this.#filled += copied
      if (this.#filled === this.#filling.length) await this.#flush()
    }
  }

  /** The last chunk goes with the digest: one request less for the registry to write to its disk. */
  async commit(digest: string): Promise<void> {
    await this.#sending
    await this.#end(digest, { start: this.#sent, bytes: this.#filling.subarray(0, this.#filled) })
    this.#giveBack()
  }

  /** Ends an upload that nothing was written to with its whole content (distribution-spec "POST then PUT"). */
  commitWhole(digest: string, bytes: Buffer): Promise<void> {
    return this.#end(digest, { start: 0, bytes })
  }

  #end(digest: string, chunk: Chunk): Promise<void> {
    return this.#retry(async (attempt) => {
      const offset = attempt === 1 ? chunk.start : await this.#received(chunk)
      const bytes = chunk.bytes.subarray(offset - chunk.start)
      const separator = this.#location.includes('?') ? '&' : '?'
      const range = offset === 0 ? {} : { 'content-range': `${offset}-${offset + bytes.length - 1}` }
      const body = bytes.length === 0 ? {} : { headers: { 'content-type': 'application/octet-stream', ...range }, body: [bytes] }
      const answer = await this.#session.once({ method: 'PUT', path: `${this.#location}${separator}digest=${encodeURIComponent(digest)}`, ...body, expect: [201, 202, 204, 404], ...this.#common() })
      answer.body.resume()
      if (answer.status === 404) throw this.#forgotten()
    })
  }

  async abort(): Promise<void> {
    await this.#sending.catch(() => {})
    this.#giveBack()
    const call = { method: 'DELETE', path: this.#location, expect: [202, 204, 404, 405], scopes: this.#scopes, doing: `giving up ${this.#doing}`, signal: AbortSignal.timeout(giveUpMs) } as const
    await this.#session.once(call).then((answer) => answer.body.resume(), () => {})
  }

  /** The buffer itself, or one that is as large as the next request is to be. */
  #grown(buffer: Buffer<ArrayBuffer>): Buffer<ArrayBuffer> {
    const bytes = Math.min(chunkBytes, 2 * this.#filling.length)
    if (buffer.length === bytes) return buffer
    giveBack(buffer)
    return Buffer.allocUnsafeSlow(bytes)
  }

  #giveBack(): void {
    giveBack(this.#filling)
    giveBack(this.#inFlight)
  }

  /** What the registry is doing with the upload must be over before it is told to forget it: else it makes it anew. */
  #common(): { scopes: readonly string[]; doing: string; signal: AbortSignal | undefined } {
    return { scopes: this.#scopes, doing: this.#doing, signal: later(this.#signal) }
  }

  /** Sends what was gathered, and goes on with the other buffer. */
  async #flush(): Promise<void> {
    await this.#sending
    const chunk = { start: this.#sent, bytes: this.#filling.subarray(0, this.#filled) }
    ;[this.#filling, this.#inFlight] = [this.#grown(this.#inFlight), this.#filling]
    this.#filled = 0
    this.#sent += chunk.bytes.length
    this.#sending = this.#send(chunk)
    this.#sending.catch(() => {})
  }

  #retry(operation: (attempt: number) => Promise<void>): Promise<void> {
    return retry(operation, { attempts: 6, baseMs: 200, capMs: 5000, when: isTemporary, ...(this.#signal === undefined ? {} : { signal: this.#signal }) })
  }

  #send(chunk: Chunk): Promise<void> {
    return this.#retry(async (attempt) => {
      const offset = attempt === 1 ? chunk.start : await this.#received(chunk)
      const end = chunk.start + chunk.bytes.length
      if (offset >= end) return
      const headers = { 'content-type': 'application/octet-stream', 'content-range': `${offset}-${end - 1}` }
      const answer = await this.#session.once({ method: 'PATCH', path: this.#location, headers, body: [chunk.bytes.subarray(offset - chunk.start)], expect: [202, 204, 404], ...this.#common() })
      answer.body.resume()
      if (answer.status === 404) throw this.#forgotten()
      this.#location = answer.headers.location ?? this.#location
    })
  }

  /** How many bytes of the blob the registry has. @throws REGISTRY_UPLOAD_LOST when it no longer knows what came before this chunk */
  async #received(chunk: Chunk): Promise<number> {
    const answer = await this.#session.once({ method: 'GET', path: this.#location, expect: [204, 202, 404], ...this.#common() })
    answer.body.resume()
    this.#location = answer.headers.location ?? this.#location
    const last = Number(/-(\d+)$/.exec(answer.headers.range ?? '')?.[1] ?? NaN)
    const received = last === 0 ? 0 : last + 1
    if (answer.status !== 404 && received >= chunk.start && received <= chunk.start + chunk.bytes.length) return received
    throw this.#forgotten()
  }

  #forgotten(): Failure {
    return new Failure('REGISTRY_UPLOAD_LOST', `registry ${this.#session.registry} lost the unfinished upload while ${this.#doing}`, { remedy: 'try again; the registry was restarted or cleaned up meanwhile' })
  }
}

const followers = new WeakMap<AbortSignal, AbortSignal>()

/**
 * A signal that follows another one late, for what leaves an upload at the registry: it is heard to its answer, for nothing
 * can be given up whose location is not known, or that is being written.
 */
export function later(signal: AbortSignal | undefined): AbortSignal | undefined {
  if (signal === undefined) return undefined
  const known = followers.get(signal)
  if (known !== undefined) return known
  const late = new AbortController()
  followers.set(signal, late.signal)
  signal.addEventListener('abort', () => setTimeout(() => late.abort(signal.reason), giveUpMs).unref(), { once: true })
  return late.signal
}
