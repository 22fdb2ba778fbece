import { isTemporary, Failure } from '#base/errors.ts'
import { retry } from '#base/retry.ts'
import { Buffers } from '../memory.ts'
import type { Session } from './session.ts'
import { StreamedChunk } from './streamed-chunk.ts'

/** Takes one blob's bytes in order. Nothing is visible to pullers before commit; abort leaves nothing behind. */
export interface BlobWriter {
  /** Waits when the receiver is slower; the buffer may be used again when it resolves. */
  write(chunk: Buffer): Promise<void>
  /** Says that little more will come: what was written may be sent to its end meanwhile. */
  nearlyDone?(): void
  /** Ends the blob; its content must have this digest. */
  commit(digest: string): Promise<void>
  abort(): Promise<void>
}

/** After an abort, what is under way is heard to its end, and then what is left of the upload told to go; each for so long at most. Milliseconds. */
const giveUpMs = 5000

/** Sent in one request; two of them are in memory at once. Bytes. */
const chunkBytes = 6 << 20
/** A blob that is longer is on its way before its end is known. Bytes. */
const streamedBytes = 128 << 10

const buffers = new Buffers(chunkBytes, 2)
const none = Buffer.alloc(0)

interface Chunk {
  /** Offset in the blob. */
  readonly start: number
  readonly bytes: Buffer
}

/**
 * A resumable upload (distribution-spec "Pushing a blob in chunks"), the first chunk of which is gathered while the upload
 * begins, and sent while it is gathered. Each chunk is kept until the registry has it; after a cut the registry is asked how
 * far it got and the rest is sent.
 */
export class ChunkedUpload implements BlobWriter {
  readonly #session: Session
  readonly #scopes: readonly string[]
  readonly #doing: string
  readonly #signal: AbortSignal | undefined
  readonly #begun: Promise<void>
  #location = ''
  #filling: Buffer = none
  #filled = 0
  #inFlight: Buffer = none
  #stream: StreamedChunk | undefined
  #sent = 0
  #sending: Promise<void>

  /** @param location the upload URL that the registry answers to the POST */
  constructor(session: Session, location: Promise<string>, options: { scopes: readonly string[]; doing: string; signal?: AbortSignal | undefined }) {
    this.#session = session
    this.#scopes = options.scopes
    this.#doing = options.doing
    this.#signal = options.signal
    this.#begun = location.then((known) => {
      this.#location = known
      this.#streamOn()
    })
    this.#begun.catch(() => {})
    this.#sending = this.#begun
  }

  async write(bytes: Buffer): Promise<void> {
    for (let offset = 0; offset < bytes.length; ) {
      if (this.#filling === none) this.#filling = buffers.take()
      const copied = bytes.copy(this.#filling, this.#filled, offset)
      offset += copied
      this.#filled += copied
      this.#streamOn()
      if (this.#filled === chunkBytes) await this.#flush()
    }
  }

  nearlyDone(): void {
    if (this.#stream !== undefined) this.#close()
  }

  /** The last chunk goes with the digest, if it is not sent: one request less for the registry to write to its disk. */
  async commit(digest: string): Promise<void> {
    await this.#begun
    this.nearlyDone()
    await this.#sending
    await this.#end(digest, { start: this.#sent, bytes: this.#filling.subarray(0, this.#filled) })
    this.#leave()
  }

  /** Ends an upload that nothing was written to with its whole content (distribution-spec "POST then PUT"). */
  async commitWhole(digest: string, bytes: Buffer): Promise<void> {
    await this.#begun
    await this.#end(digest, { start: 0, bytes })
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
    await Promise.allSettled([this.#begun])
    await Promise.allSettled([this.#sending, this.#stream && this.#endStream(this.#stream, this.#filled)])
    this.#leave()
    if (this.#location === '') return
    const call = { method: 'DELETE', path: this.#location, expect: [202, 204, 404, 405], scopes: this.#scopes, doing: `giving up ${this.#doing}`, signal: AbortSignal.timeout(giveUpMs) } as const
    await this.#session.call(call).then((answer) => answer.body.resume(), () => {})
  }

  #leave(): void {
    for (const buffer of [this.#filling, this.#inFlight]) if (buffer !== none) buffers.leave(buffer)
    this.#filling = this.#inFlight = none
  }

  /** What the registry is doing with the upload must be over before it is told to forget it: else it makes it anew. */
  #common(): { scopes: readonly string[]; doing: string; signal: AbortSignal | undefined } {
    return { scopes: this.#scopes, doing: this.#doing, signal: later(this.#signal) }
  }

  /** Sends more of the first chunk, once there is enough of it. */
  #streamOn(): void {
    if (this.#location !== '' && this.#sent === 0 && this.#session.streams && this.#filled >= streamedBytes) this.#stream ??= new StreamedChunk(this.#session, { path: this.#location, ...this.#common() }, this.#filling, () => this.#close())
    this.#stream?.reach(this.#filled)
  }

  async #flush(): Promise<void> {
    await this.#sending
    if (this.#filled === chunkBytes) this.#close()
  }

  /** Ends the chunk that was gathered and sends it; the next is gathered in the other buffer. */
  #close(): void {
    const chunk = { start: this.#sent, bytes: this.#filling.subarray(0, this.#filled) }
    const stream = this.#stream
    ;[this.#filling, this.#inFlight] = [this.#inFlight, this.#filling]
    this.#filled = 0
    this.#stream = undefined
    this.#sent += chunk.bytes.length
    this.#sending = this.#send(chunk, stream)
    this.#sending.catch(() => {})
  }

  #retry(operation: (attempt: number) => Promise<void>): Promise<void> {
    return retry(operation, { attempts: 6, baseMs: 200, capMs: 5000, when: isTemporary, ...(this.#signal === undefined ? {} : { signal: this.#signal }) })
  }

  /** @param stream the request that carries the chunk already */
  async #send(chunk: Chunk, stream: StreamedChunk | undefined): Promise<void> {
    if (stream !== undefined && (await this.#endStream(stream, chunk.bytes.length))) return
    await this.#retry(async (attempt) => {
      const offset = attempt === 1 && stream === undefined ? chunk.start : await this.#received(chunk)
      const end = chunk.start + chunk.bytes.length
      if (offset >= end) return
      const headers = { 'content-type': 'application/octet-stream', 'content-range': `${offset}-${end - 1}` }
      const answer = await this.#session.once({ method: 'PATCH', path: this.#location, headers, body: [chunk.bytes.subarray(offset - chunk.start)], expect: [202, 204, 404], ...this.#common() })
      answer.body.resume()
      if (answer.status === 404) throw this.#forgotten()
      this.#location = answer.headers.location ?? this.#location
    })
  }

  /** Hears the request to its end, whatever the signal says. @returns false when it did not get through */
  async #endStream(stream: StreamedChunk, length: number): Promise<boolean> {
    try {
      this.#location = (await stream.end(length)) ?? this.#location
      return true
    } catch {
      this.#session.streams = false
      return false
    }
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
