import { Agent as HttpAgent, request as httpRequest, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { Readable } from 'node:stream'
import { Failure } from '#base/errors.ts'
import { connectionFailure } from './failures.ts'
import { isLoopback } from './reference.ts'

/** How far a registry is trusted. Default: TLS with the public certificates; plain HTTP for a loopback address. */
export interface Trust {
  /** True: plain HTTP. */
  readonly plainHttp?: boolean
  /** PEM certificates of authorities to trust besides none other. */
  readonly ca?: string
}

/** One HTTP exchange; the body is whole in memory (a manifest or one chunk of an upload), so that it can be sent again. */
export interface Exchange {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: URL
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: readonly Buffer[]
  readonly signal?: AbortSignal | undefined
  /** For the error text, e.g. `uploading the package layer`. */
  readonly doing: string
  /**
   * Of a request without a body that makes something at the registry: hears the answer that comes when nobody waits for it
   * any more. Without it the request is cut then, and nobody knows what it made.
   */
  readonly late?: (answer: Answer) => Promise<void>
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  /** Must be read or destroyed by the receiver. */
  readonly body: Readable
}

/** A connection on which nothing moves for so long is taken for cut, unless told otherwise. Milliseconds. */
const usualSilenceMs = 60_000
/** So long an answer is heard that nobody waits for any more. Milliseconds. */
const lateMs = 600_000
/** Of an answer that comes before all was sent so much is heard. */
const earlyBytes = 64 << 10

/** Keep-alive HTTP(S) connections to one registry (and to the token service and storage it points to). */
export class Connections {
  readonly registry: string
  readonly #trust: Trust
  readonly #silenceMs: number
  readonly #http = new HttpAgent({ keepAlive: true, maxSockets: 16 })
  readonly #https: HttpsAgent
  /** Answers that are heard for the registry's sake. */
  readonly #late = new Set<Promise<void>>()

  constructor(registry: string, trust: Trust = {}, silenceMs = usualSilenceMs) {
    this.registry = registry
    this.#silenceMs = silenceMs
    this.#trust = trust
    this.#https = new HttpsAgent({ keepAlive: true, maxSockets: 16, ...(trust.ca === undefined ? {} : { ca: trust.ca }) })
  }

  /** `http://host` or `https://host`, the root of the registry's URLs. */
  get origin(): string {
    return `${(this.#trust.plainHttp ?? isLoopback(this.registry)) ? 'http' : 'https'}://${this.registry}`
  }

  /** Sends and resolves at the answer's head; the body is not read any more then. @throws REGISTRY_UNREACHABLE, REGISTRY_TLS, REGISTRY_CUT or the abort reason */
  async send({ body = [], late, ...exchange }: Exchange): Promise<Answer> {
    if (late !== undefined) return this.#sendAndHear(exchange, late)
    const length = body.reduce((sum, part) => sum + part.length, 0)
    const sized = exchange.method === 'GET' || exchange.method === 'HEAD' ? {} : { 'content-length': String(length) }
    const { request, answer } = this.open({ ...exchange, headers: { ...exchange.headers, ...sized } })
    for (const part of body) request.write(part)
    request.end()
    const given = await answer
    return request.writableFinished ? given : heard(request, given)
  }

  /** Begins a request whose body, of whatever length, is the caller's to write and to end; the answer is as that of `send`. */
  open({ method, url, headers, signal, doing }: Omit<Exchange, 'body' | 'late'>, silenceMs = this.#silenceMs): { readonly request: ClientRequest; readonly answer: Promise<Answer> } {
    const secure = url.protocol === 'https:'
    const options: RequestOptions = { method, agent: secure ? this.#https : this.#http, headers: { 'user-agent': 'tarsk8s', ...headers }, ...(signal === undefined ? {} : { signal }) }
    const request = (secure ? httpsRequest : httpRequest)(url, options)
    request.setTimeout(silenceMs, () => request.destroy(silent(url.host, doing, silenceMs)))
    const answer = new Promise<Answer>((resolve, reject) => {
      request.on('response', (body) => resolve({ status: body.statusCode ?? 0, headers: body.headers, body }))
      request.on('error', (error) => reject(signal?.aborted === true ? (signal.reason as Error) : connectionFailure(error, url.host, doing)))
    })
    return { request, answer }
  }

  /** Waits no longer than others, and hears on. */
  async #sendAndHear({ signal, ...exchange }: Exchange, late: NonNullable<Exchange['late']>): Promise<Answer> {
    const { request, answer } = this.open({ ...exchange, headers: { ...exchange.headers, 'content-length': '0' } }, lateMs)
    request.end()
    const silence = new AbortController()
    const timer = setTimeout(() => silence.abort(silent(exchange.url.host, exchange.doing, this.#silenceMs)), this.#silenceMs)
    try {
      return await unlessAborted(answer, AbortSignal.any([silence.signal, ...(signal === undefined ? [] : [signal])]))
    } catch (error) {
      const heard = answer.then(late).catch(() => {})
      this.#late.add(heard)
      void heard.then(() => this.#late.delete(heard))
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  /** What is still heard is heard to its end. */
  close(): void {
    void Promise.allSettled(this.#late).then(() => {
      this.#http.destroy()
      this.#https.destroy()
    })
  }
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = (): void => reject(signal.reason as Error)
    if (signal.aborted) return leave()
    signal.addEventListener('abort', leave, { once: true })
    work.then(resolve, reject)
  })
}

/** Whoever is answered before all was sent sends no more: the socket would go on reading memory that may be given back. */
async function heard(request: ClientRequest, answer: Answer): Promise<Answer> {
  const parts: Buffer[] = []
  let size = 0
  try {
    for await (const part of answer.body as AsyncIterable<Buffer>) {
      parts.push(part)
      size += part.length
      if (size > earlyBytes) break
    }
  } catch {
    // It is cut off: what came of it has to do.
  }
  request.destroy()
  return { ...answer, body: Readable.from(parts) }
}

function silent(host: string, doing: string, ms: number): Failure {
  return new Failure('REGISTRY_CUT', `registry ${host} has been silent for ${ms / 1000} s while ${doing}`, { temporary: true, remedy: 'look at the load of the registry' })
}

/** The whole body; at most `limit` bytes are read. @throws REGISTRY_ANSWER_TOO_LARGE, REGISTRY_CUT */
export async function readAll(answer: Answer, limit: number, registry: string, doing: string): Promise<Buffer> {
  const body = await whole(answer.body as AsyncIterable<Buffer>, limit).catch((error: unknown) => {
    throw connectionFailure(error, registry, doing)
  })
  if (body === undefined) throw new Failure('REGISTRY_ANSWER_TOO_LARGE', `registry ${registry} answered more than ${limit} bytes while ${doing}`, { remedy: 'check that the address is that of a registry' })
  return body
}

/** All of it; undefined when it has more than `limit` bytes, which are not waited for. */
export async function whole(body: AsyncIterable<Buffer>, limit: number): Promise<Buffer | undefined> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of body) {
    size += part.length
    if (size > limit) return undefined
    parts.push(part)
  }
  return Buffer.concat(parts)
}
