import { Failure } from '#base/errors.ts'

export interface ElasticOptions {
  /** `http://host:port` or https, of one cluster; the next is tried when one does not answer. */
  readonly urls: readonly string[]
  readonly user?: string | undefined
  readonly password?: string | undefined
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

/** Speaks to Elasticsearch 7 and 8, and OpenSearch 1 to 3, in what they have in common. */
export class ElasticHttp {
  readonly #options: ElasticOptions
  #preferred = 0

  constructor(options: ElasticOptions) {
    this.#options = options
  }

  /**
   * @param body JSON, or ready lines for `_bulk`
   * @throws Failure STORE_AWAY, temporary, when no node answers, or not in time, or answers 429 or 5xx
   */
  async request(method: string, path: string, body?: object | string): Promise<ElasticAnswer> {
    const { urls } = this.#options
    let failure: unknown
    for (let tried = 0; tried < urls.length; tried++) {
      try {
        return await this.#once(urls[this.#preferred] ?? '', method, path, body)
      } catch (error) {
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

  async #once(url: string, method: string, path: string, body: object | string | undefined): Promise<ElasticAnswer> {
    const { user, password, timeoutMs = 30_000 } = this.#options
    const headers: Record<string, string> = body === undefined ? {} : { 'content-type': typeof body === 'string' ? 'application/x-ndjson' : 'application/json' }
    if (user !== undefined) headers['authorization'] = `Basic ${Buffer.from(`${user}:${password ?? ''}`).toString('base64')}`
    const away = (what: string, cause?: unknown, context = {}): Failure => new Failure('STORE_AWAY', `the document store ${url} ${what}`, { temporary: true, context, remedy: 'see whether it runs', ...(cause === undefined ? {} : { cause }) })
    let status: number
    let text: string
    try {
      const response = await fetch(url + path, { method, headers, signal: AbortSignal.timeout(timeoutMs), ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }) })
      status = response.status
      text = await response.text()
    } catch (cause) {
      throw away('does not answer', cause)
    }
    if (status === 429 || status >= 500) throw away(`answered ${status}: ${text.slice(0, 300)}`, undefined, { status })
    if (status === 401 || status === 403) throw away(`lets nobody in as ${user === undefined ? 'a stranger' : `"${user}"`} (${status})`)
    try {
      return { status, body: JSON.parse(text || '{}') as ElasticBody }
    } catch (cause) {
      throw away(`answered ${status} with no JSON`, cause)
    }
  }
}

/** The sentence in an error of Elasticsearch. */
export function reasonOf(body: ElasticBody): string {
  const error = body?.error
  const root = error?.failed_shards?.[0]?.reason ?? error?.root_cause?.[0] ?? error
  return String(root?.reason ?? root ?? JSON.stringify(body)).slice(0, 300)
}
