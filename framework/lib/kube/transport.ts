import { readFileSync } from 'node:fs'
import http from 'node:http'
import type { IncomingMessage } from 'node:http'
import https from 'node:https'
import type { Clock } from '#base/clock.ts'
import type { KubeConfig } from './config.ts'
import { errorFromStatus, networkError } from './errors.ts'
import type { KubeError } from './errors.ts'
import { ServerClock } from './server-clock.ts'
import type { Status } from './types.ts'

export interface TransportRequest {
  readonly method: string
  /** Path and query below the server's URL, starting with `/`. */
  readonly path: string
  readonly body?: unknown
  readonly contentType?: string | undefined
  readonly accept?: string | undefined
  readonly signal?: AbortSignal | undefined
  /** Milliseconds without a byte until the request fails; 0 waits for ever. */
  readonly timeoutMs?: number | undefined
}

export interface Transport {
  /** Resolves with the parsed JSON (or the text, when the answer is not JSON) of a 2xx; rejects with KubeError otherwise. */
  json(request: TransportRequest): Promise<unknown>
  /** Resolves with the open answer of a 2xx. */
  stream(request: TransportRequest): Promise<IncomingMessage>
  /** The API server's time. */
  readonly clock: Clock
  /** Ends idle connections. */
  close(): void
}

const tokenLifeMs = 60_000

/** HTTP(S) to one API server over kept-alive connections. */
export function createTransport(config: KubeConfig): Transport {
  const base = new URL(config.server)
  const secure = base.protocol === 'https:'
  const agent = secure ? new https.Agent({ keepAlive: true, ...tlsOptions(config) }) : new http.Agent({ keepAlive: true })
  const token = tokenSource(config)
  const impersonation = config.impersonate === undefined ? {} : { 'impersonate-user': config.impersonate }
  const prefix = base.pathname.replace(/\/$/, '')

  const clock = new ServerClock()

  const open = (request: TransportRequest, payload: Buffer | undefined): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const askedAt = clock.monotonic()
      const outgoing = (secure ? https : http).request({
        agent,
        host: base.hostname.replace(/^\[|\]$/g, ''),
        port: base.port === '' ? (secure ? 443 : 80) : Number(base.port),
        method: request.method,
        path: prefix + request.path,
        headers: { ...headersOf(request, payload, token()), ...impersonation },
        ...(request.signal === undefined ? {} : { signal: request.signal }),
      })
      outgoing.on('socket', (socket) => socket.setKeepAlive(true, 30_000))
      outgoing.on('response', (answer) => {
        clock.note(answer.headers.date, askedAt)
        resolve(answer)
      })
      outgoing.on('error', (error) => reject(retryable(error, outgoing.reusedSocket, request.method)))
      const timeoutMs = request.timeoutMs ?? 30_000
      if (timeoutMs > 0) outgoing.setTimeout(timeoutMs, () => outgoing.destroy(new Error(`no answer within ${timeoutMs} ms`)))
      outgoing.end(payload)
    })

  const stream = async (request: TransportRequest): Promise<IncomingMessage> => {
    const payload = payloadOf(request.body)
    const answer = await withFreshSocket(() => open(request, payload)).catch((error: unknown) => {
      request.signal?.throwIfAborted()
      throw networkError(`${request.method} ${config.server}${request.path.split('?')[0]} got no answer`, error)
    })
    if (answer.statusCode !== undefined && answer.statusCode < 300) return answer
    throw refusal(await readText(answer), answer)
  }

  return {
    stream, clock,
    async json(request) {
      const answer = await stream(request)
      const text = await readText(answer)
      return answer.headers['content-type']?.includes('json') === true ? parseBody(text) : text
    },
    close: () => agent.destroy(),
  }
}

class StaleSocket extends Error {}

/** A kept-alive connection that the server closed in the same moment: nothing was lost, a reading call may be sent again. */
function retryable(error: Error, reused: boolean, method: string): Error {
  return reused && method === 'GET' && (error as NodeJS.ErrnoException).code === 'ECONNRESET' ? new StaleSocket('stale connection', { cause: error }) : error
}

async function withFreshSocket<T>(send: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await send()
    } catch (error) {
      if (!(error instanceof StaleSocket) || tries > 16) throw error
    }
  }
}

function tlsOptions(config: KubeConfig): https.AgentOptions {
  return {
    ...(config.ca === undefined ? {} : { ca: config.ca }),
    ...(config.cert === undefined ? {} : { cert: config.cert }),
    ...(config.key === undefined ? {} : { key: config.key }),
    ...(config.tlsServerName === undefined ? {} : { servername: config.tlsServerName }),
    rejectUnauthorized: config.insecureSkipTlsVerify !== true,
  }
}

/** The Authorization header's value; a token file is read again once a minute. */
function tokenSource({ token, tokenFile, username, password }: KubeConfig): () => string | undefined {
  const basic = username === undefined ? undefined : `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}`
  const fixed = token === undefined ? basic : `Bearer ${token}`
  if (tokenFile === undefined) return () => fixed
  let read = { at: -Infinity, value: fixed }
  return () => {
    if (performance.now() - read.at > tokenLifeMs) read = { at: performance.now(), value: `Bearer ${readFileSync(tokenFile, 'utf8').trim()}` }
    return read.value
  }
}

function headersOf(request: TransportRequest, payload: Buffer | undefined, authorization: string | undefined): http.OutgoingHttpHeaders {
  return {
    accept: request.accept ?? 'application/json',
    'user-agent': 'tarsk8s',
    ...(authorization === undefined ? {} : { authorization }),
    ...(payload === undefined ? {} : { 'content-type': request.contentType ?? 'application/json', 'content-length': payload.length }),
  }
}

function payloadOf(body: unknown): Buffer | undefined {
  if (body === undefined) return undefined
  return Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
}

async function readText(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of answer) chunks.push(chunk as Buffer)
  } catch (cause) {
    throw networkError('the API server broke off its answer', cause)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parseBody(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw networkError('the API server sent JSON that is cut off or damaged', cause)
  }
}

function refusal(text: string, answer: IncomingMessage): KubeError {
  const status = answer.statusCode ?? 500
  const retryAfter = Number(answer.headers['retry-after'])
  const retryAfterMs = Number.isFinite(retryAfter) ? retryAfter * 1000 : undefined
  try {
    const body = JSON.parse(text) as Status
    if (body.kind === 'Status') return errorFromStatus(body, status, retryAfterMs)
  } catch {
    // not a Status: a proxy or a load balancer answered
  }
  return errorFromStatus({ message: `the API server answered ${status}: ${text.slice(0, 200)}` }, status, retryAfterMs)
}
