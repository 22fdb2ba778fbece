import { setTimeout as wait } from 'node:timers/promises'
import { retry } from '#base/retry.ts'
import { anonymous, type Credential, type Credentials } from './auth.ts'
import { parseChallenges, type Challenge } from './challenge.ts'
import { statusFailure } from './failures.ts'
import { Connections, readAll, type Answer, type Exchange, type Trust } from './transport.ts'

/**
 * Configurations of images that were read before, by digest: what a name stands for is asked each time, and with it whether
 * one may read it; what a digest stands for is the same for ever.
 */
export type KnownConfigs = Map<string, Buffer>

export interface RegistryAccess {
  readonly credentials?: Credentials
  /** Trust for a registry host; undefined for the default. */
  readonly trust?: (registry: string) => Trust | undefined
  /** Registries that are asked before this one when images are read, in this order. */
  readonly mirrors?: (registry: string) => readonly string[]
  /** Tries for what is temporary. Default 5. */
  readonly attempts?: number
  /** A registry from which nothing comes for so long is given up, and tried again. Milliseconds; default a minute. */
  readonly silenceMs?: number
  readonly configs?: KnownConfigs
}

/** An exchange within the registry's API; `path` may be an absolute URL that the registry gave. */
export interface Call extends Omit<Exchange, 'url'> {
  readonly path: string
  /** Token scopes, e.g. `repository:demo/app:pull,push` (distribution token specification). */
  readonly scopes: readonly string[]
  /** Statuses that are answers and not errors. */
  readonly expect: readonly number[]
}

const maximumErrorBody = 64 << 10
const maximumRedirects = 5

/** Speaks to one registry: answers its auth challenges, follows redirects, and tries again what is temporary. */
export class Session {
  readonly registry: string
  readonly #connections: Connections
  readonly #credential: Credential | undefined
  /** Tries for what is temporary. */
  readonly attempts: number
  readonly #authorization = new Map<string, string>()
  /** False since a body that was sent while it was made did not get through, or the registry wants chunks of some length: the others are made first. */
  streams = true

  /** @param repository that its credentials must be good for */
  constructor(registry: string, access: RegistryAccess = {}, repository = '') {
    this.registry = registry
    this.#connections = new Connections(registry, access.trust?.(registry) ?? {}, access.silenceMs)
    this.#credential = (access.credentials ?? anonymous)(registry, repository)
    this.attempts = access.attempts ?? 5
  }

  /** @throws the failures of {@link Connections.send} and of an unexpected status, after the tries are used up */
  call(call: Call): Promise<Answer> {
    return retry(() => this.once(call), { attempts: this.attempts, baseMs: 200, capMs: 5000, ...(call.signal === undefined ? {} : { signal: call.signal }) })
  }

  /** One try, for callers whose retry must look at the state of the registry first. */
  async once(call: Call): Promise<Answer> {
    const key = call.scopes.join(' ')
    let answer = await this.#follow(call, this.#authorization.get(key))
    if (answer.status === 401) {
      const authorization = await this.#answerChallenge(answer, call)
      if (authorization !== undefined) {
        this.#authorization.set(key, authorization)
        answer = await this.#follow(call, authorization)
      }
    }
    if (call.expect.includes(answer.status)) return answer
    const body = await readAll(answer, maximumErrorBody, this.registry, call.doing).catch(() => Buffer.alloc(0))
    await obeyRetryAfter(answer, call.signal)
    throw statusFailure(answer.status, body.toString('utf8'), this.registry, call.doing)
  }

  /** Begins a request whose body is written while it is sent. It goes out once, as one that the registry has let in before. */
  open(call: Omit<Call, 'body' | 'expect'>): ReturnType<Connections['open']> {
    const url = new URL(call.path, this.#connections.origin)
    return this.#connections.open({ ...call, url, headers: this.#headers(call, url, this.#authorization.get(call.scopes.join(' '))) })
  }

  close(): void {
    this.#connections.close()
  }

  /** The registry's credentials go to nobody else, and not by plain HTTP where it speaks TLS. Hosts are compared as URLs have them: in lower case, without a usual port. */
  #headers(call: Pick<Call, 'headers'>, url: URL, authorization: string | undefined): Readonly<Record<string, string>> {
    const own = new URL(this.#connections.origin)
    const isOwn = url.host === own.host && (url.protocol === own.protocol || url.protocol === 'https:')
    return { ...call.headers, ...(isOwn && authorization !== undefined ? { authorization } : {}) }
  }

  async #follow(call: Call, authorization: string | undefined): Promise<Answer> {
    let url = new URL(call.path, this.#connections.origin)
    for (let redirects = 0; ; redirects++) {
      const answer = await this.#connections.send({ ...call, url, headers: this.#headers(call, url, authorization) })
      const target = answer.headers.location
      if (![301, 302, 303, 307, 308].includes(answer.status) || target === undefined || redirects === maximumRedirects) return answer
      answer.body.resume()
      url = new URL(target, url)
    }
  }

  async #answerChallenge(answer: Answer, call: Call): Promise<string | undefined> {
    answer.body.resume()
    const challenges = parseChallenges(answer.headers['www-authenticate'] ?? '')
    const bearer = challenges.find((challenge) => challenge.scheme === 'bearer')
    if (bearer !== undefined) return `Bearer ${await this.#fetchToken(bearer, call)}`
    const basic = challenges.some((challenge) => challenge.scheme === 'basic')
    return basic && this.#credential !== undefined ? basicHeader(this.#credential) : undefined
  }

  async #fetchToken(challenge: Challenge, call: Call): Promise<string> {
    const realm = new URL(challenge.parameters['realm'] ?? '', this.#connections.origin)
    const scopes = call.scopes.length > 0 ? call.scopes : [challenge.parameters['scope'] ?? '']
    const doing = `asking ${realm.host} for a token`
    const exchange = tokenExchange({ realm, service: challenge.parameters['service'] ?? '', scopes, credential: this.#credential })
    const answer = await this.#connections.send({ ...exchange, doing, signal: call.signal })
    const body = (await readAll(answer, 1 << 20, realm.host, doing)).toString('utf8')
    const token = answer.status === 200 ? tokenOf(body) : undefined
    if (token === undefined) throw statusFailure(answer.status, answer.status === 200 ? 'no token in the answer' : body, realm.host, doing)
    return token
  }
}

interface TokenQuestion {
  readonly realm: URL
  readonly service: string
  readonly scopes: readonly string[]
  readonly credential: Credential | undefined
}

/** GET with Basic, or POST with the refresh token (distribution "Token authentication" and "OAuth2 token"). */
function tokenExchange({ realm, service, scopes, credential }: TokenQuestion): Pick<Exchange, 'method' | 'url' | 'headers' | 'body'> {
  if (credential?.identityToken !== undefined) {
    const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: credential.identityToken, client_id: 'tarsk8s', service, scope: scopes.join(' ') })
    return { method: 'POST', url: realm, headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: [Buffer.from(form.toString())] }
  }
  const url = new URL(realm)
  if (service !== '') url.searchParams.set('service', service)
  for (const scope of scopes) url.searchParams.append('scope', scope)
  return { method: 'GET', url, ...(credential === undefined ? {} : { headers: { authorization: basicHeader(credential) } }) }
}

function tokenOf(body: string): string | undefined {
  try {
    const document = JSON.parse(body) as { token?: string; access_token?: string }
    return document.token ?? document.access_token
  } catch {
    return undefined
  }
}

function basicHeader(credential: Credential): string {
  return `Basic ${Buffer.from(`${credential.username}:${credential.password}`).toString('base64')}`
}

/** Waits as long as a busy registry asks, at most 30 s, before the failure is handed to the retry. */
async function obeyRetryAfter(answer: Answer, signal: AbortSignal | undefined): Promise<void> {
  const seconds = Number(answer.headers['retry-after'])
  if ((answer.status !== 429 && answer.status !== 503) || !(seconds > 0)) return
  await wait(Math.min(seconds, 30) * 1000, undefined, signal === undefined ? {} : { signal })
}
