import { readFile } from 'node:fs/promises'
import http from 'node:http'
import https from 'node:https'
import { Failure } from '#base/errors.ts'
import { steadyTime, tooSlow } from '../dataset.ts'

export interface ElasticOptions {
  /** `http://host:port` or https, maybe with a path, of one cluster; the next is tried when one does not answer. */
  readonly urls: readonly string[]
  readonly user?: string | undefined
  readonly password?: string | undefined
  /** An API key as Elasticsearch gives it ("encoded"), in place of user and password. */
  readonly apiKey?: string | undefined
  /** A file of certificates (PEM) of the authorities that are trusted; default: those that Node comes with. Read anew after a failure, so that it may change. */
  readonly caFile?: string | undefined
  /** Milliseconds for one answer. Default 30,000. */
  readonly timeoutMs?: number
}

export interface ElasticAnswer {
  readonly status: number
  // What a server answers is what it is; each reader checks what it takes.
  readonly body: ElasticBody
}

/** JSON of Elasticsearch's API, of which each caller reads what it knows. */
// oxlint-disable-next-line typescript/no-explicit-any
export type ElasticBody = any

interface Sent {
  readonly method: string
  readonly path: string
  readonly body: string | undefined
  readonly contentType: string
  readonly until: number
}

/** Speaks to Elasticsearch 7 and 8, and OpenSearch 1 to 3, in what they have in common. */
export class ElasticHttp {
  readonly #options: ElasticOptions
  readonly #plain = new http.Agent({ keepAlive: true })
  #secure: https.Agent | undefined
  #preferred = 0

  constructor(options: ElasticOptions) {
    this.#options = options
  }

  /**
   * @param body JSON, or ready lines for `_bulk`
   * @param until when nobody waits for the answer any more, by {@link steadyTime}; the server ends a search whose connection has gone
   * @throws Failure STORE_AWAY, temporary, when no node answers, or not in time, or answers 429 or 5xx; STORE_QUESTION when it is not answered until then
   */
  async request(method: string, path: string, body?: object | string, until = Number.POSITIVE_INFINITY): Promise<ElasticAnswer> {
    const { urls } = this.#options
    const text = typeof body === 'string' ? { body, contentType: 'application/x-ndjson' } : { body: body && JSON.stringify(body), contentType: 'application/json' }
    const sent = { method, path, until, ...text }
    let failure: unknown
    for (let tried = 0; tried < urls.length; tried++) {
      try {
        return await this.#once(urls[this.#preferred] ?? '', sent)
      } catch (error) {
        if (steadyTime() >= until) throw tooSlow()
        failure = error
        this.#preferred = (this.#preferred + 1) % urls.length
      }
    }
    throw failure
  }

  /** The same, when only success will do. @throws Failure STORE_REFUSED for any other answer */
  async done(method: string, path: string, body?: object | string): Promise<ElasticBody> {
    const answer = await this.request(method, path, body)
    if (answer.status < 300) return answer.body
    throw new Failure('STORE_REFUSED', `${method} ${path} was answered ${answer.status}: ${reasonOf(answer.body)}`, { temporary: true, remedy: 'see what the document store allows' })
  }

  /** Ends idle connections. */
  close(): void {
    this.#plain.destroy()
    this.#secure?.destroy()
  }

  async #once(url: string, sent: Sent): Promise<ElasticAnswer> {
    const away = (what: string, cause?: unknown, context = {}, remedy = 'see whether it runs'): Failure => new Failure('STORE_AWAY', `the document store ${url} ${what}`, { temporary: true, context, remedy, ...(cause === undefined ? {} : { cause }) })
    let status: number
    let text: string
    try {
      ;({ status, text } = await this.#exchange(url, sent))
    } catch (cause) {
      // What is trusted may have changed meanwhile. That an answer takes long says nothing about it, and others wait for theirs.
      if (!isTimeout(cause)) {
        this.#secure?.destroy()
        this.#secure = undefined
      }
      throw away('does not answer', cause, {}, remedyOf(cause))
    }
    if (status === 429 || status >= 500) throw away(`answered ${status}: ${text.slice(0, 300)}`, undefined, { status })
    if (status === 401 || status === 403) throw away(`lets nobody in as ${this.#who()} (${status})`, undefined, {}, 'give it a user with a password, or an API key, that may write to its indices')
    try {
      return { status, body: JSON.parse(text || '{}') as ElasticBody }
    } catch (cause) {
      throw away(`answered ${status} with no JSON`, cause)
    }
  }

  /** Sends once more what a kept-alive connection lost that the other side had closed: all that is asked for may be asked for twice. */
  async #exchange(url: string, sent: Sent): Promise<{ readonly status: number; readonly text: string }> {
    for (;;) {
      const { promise, stale } = await this.#send(new URL(url), sent)
      try {
        return await promise
      } catch (error) {
        if (!stale(error)) throw error
      }
    }
  }

  async #send(base: URL, { method, path, body, contentType, until }: Sent) {
    const secure = base.protocol === 'https:'
    const agent = secure ? await this.#secureAgent() : this.#plain
    const headers = { ...this.#authorization(), accept: 'application/json', ...(body === undefined ? {} : { 'content-type': contentType, 'content-length': Buffer.byteLength(body) }) }
    const signal = AbortSignal.timeout(Math.ceil(Math.max(0, Math.min(this.#options.timeoutMs ?? 30_000, until - steadyTime()))))
    const request = (secure ? https : http).request({
      agent, method, headers, host: base.hostname.replace(/^\[|\]$/g, ''), port: base.port === '' ? undefined : Number(base.port), path: base.pathname.replace(/\/$/, '') + path, signal,
    })
    const promise = new Promise<{ status: number; text: string }>((resolve, reject) => {
      // One that is cut off in an answer looks like a lost connection.
      const fail = (error: unknown): void => reject(signal.aborted ? signal.reason : error)
      request.on('error', fail)
      request.on('response', (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('error', fail)
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString() }))
      })
    })
    request.end(body)
    return { promise, stale: (error: unknown) => request.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET' }
  }

  async #secureAgent(): Promise<https.Agent> {
    if (this.#secure !== undefined) return this.#secure
    const { caFile } = this.#options
    const ca = caFile === undefined ? {} : { ca: await readFile(caFile) }
    return (this.#secure ??= new https.Agent({ keepAlive: true, ...ca }))
  }

  #authorization(): Record<string, string> {
    const { user, password, apiKey } = this.#options
    if (apiKey !== undefined) return { authorization: `ApiKey ${apiKey}` }
    return user === undefined ? {} : { authorization: `Basic ${Buffer.from(`${user}:${password ?? ''}`).toString('base64')}` }
  }

  #who(): string {
    const { user, apiKey } = this.#options
    return apiKey !== undefined ? 'the holder of this API key' : user === undefined ? 'a stranger' : `"${user}"`
  }
}

/** It was not there in time. */
const isTimeout = (error: unknown): boolean => error instanceof Error && error.name === 'TimeoutError'

/** Certificates that nobody vouches for, by Node's codes. */
const unknownAuthority = new Set(['SELF_SIGNED_CERT_IN_CHAIN', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'UNABLE_TO_GET_ISSUER_CERT', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY'])

function remedyOf(cause: unknown): string {
  const { code = '', syscall } = cause as NodeJS.ErrnoException
  if (unknownAuthority.has(code)) return 'name the file with the authority of its certificate in TARSSTORE_CA'
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'name its node as its certificate does'
  if (code === 'EPROTO' || code === 'ERR_SSL_WRONG_VERSION_NUMBER') return 'see whether it speaks TLS: its node may be http://'
  if (code.startsWith('HPE_') || (code === 'ECONNRESET' && syscall === undefined)) return 'see whether it speaks TLS only: its node is then https://'
  if (code === 'ENOENT' || code === 'EACCES') return 'see that the file of TARSSTORE_CA can be read'
  return 'see whether it runs'
}

/** The sentence in an error of Elasticsearch. */
export function reasonOf(body: ElasticBody): string {
  const error = body?.error
  const root = error?.failed_shards?.[0]?.reason ?? error?.root_cause?.[0] ?? error
  return String(root?.reason ?? root ?? JSON.stringify(body)).slice(0, 300)
}
