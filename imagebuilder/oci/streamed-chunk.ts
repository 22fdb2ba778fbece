import { Failure } from '#base/errors.ts'
import type { Call, Session } from './session.ts'
import type { Answer } from './transport.ts'

/** Sent at a time. Bytes. */
const pieceBytes = 128 << 10
/** A request to which nothing was added for so long is ended: registries and the proxies before them give up silent ones. Milliseconds. */
const idleMs = 500

/**
 * The first part of a blob, sent while it is made: one request without a length, as Docker pushes blobs (distribution's HTTP
 * API V2, "Stream upload"), so that the registry is done with the part soon after its end. It saves time and decides
 * nothing: when it does not get through, the registry is asked what it has of the part, and the rest is sent again.
 */
export class StreamedChunk {
  readonly #bytes: Buffer
  readonly #request: ReturnType<Session['open']>['request']
  readonly #answer: Promise<Answer>
  readonly #idle: NodeJS.Timeout
  #sent = 0

  /** @param bytes the memory that the part is gathered in @param onIdle hears when the part should end, for nothing is added */
  constructor(session: Session, call: Pick<Call, 'path' | 'scopes' | 'doing' | 'signal'>, bytes: Buffer, onIdle: () => void) {
    this.#bytes = bytes
    const { request, answer } = session.open({ ...call, method: 'PATCH', headers: { 'content-type': 'application/octet-stream' } })
    this.#request = request
    this.#answer = answer.then((given) => this.#heard(given))
    this.#answer.catch(() => {})
    this.#idle = setTimeout(onIdle, idleMs).unref()
  }

  /** Says that the part has so many bytes by now. */
  reach(length: number): void {
    if (length - this.#sent >= pieceBytes) this.#send(length)
  }

  /** Ends the part, which has so many bytes. @returns where the upload goes on @throws REGISTRY_CUT, REGISTRY_BUSY */
  async end(length: number): Promise<string | undefined> {
    if (length > this.#sent) this.#send(length)
    clearTimeout(this.#idle)
    if (!this.#request.destroyed) this.#request.end()
    const { status, headers } = await this.#answer
    if (status !== 202 && status !== 204) throw refused(status)
    return headers.location
  }

  #send(length: number): void {
    this.#idle.refresh()
    if (!this.#request.destroyed) this.#request.write(this.#bytes.subarray(this.#sent, length))
    this.#sent = length
  }

  /** An answer before all was sent is none to the whole part: nobody reads on, and the part's memory may be given back. */
  #heard(answer: Answer): Answer {
    answer.body.on('error', () => {}).resume()
    if (this.#request.writableFinished) return answer
    this.#request.destroy()
    throw refused(answer.status)
  }
}

function refused(status: number): Failure {
  return new Failure('REGISTRY_BUSY', `the registry did not take a stream (HTTP ${status})`, { temporary: true, remedy: 'send what it does not have by its length' })
}
