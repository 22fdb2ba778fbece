import type { IncomingMessage, ServerResponse } from 'node:http'
import https from 'node:https'
import { Lifetime } from '#base/lifecycle.ts'
import type { Running } from '#base/lifecycle.ts'
import type { UserInfo } from '#kube/admission.ts'
import type { KeyPair } from '#kube/x509.ts'
import type { Api, ApiRequest } from '../api.ts'
import { unauthorized, unknownPath } from '../errors.ts'
import { isObject } from '../json.ts'
import { authenticator } from './authenticate.ts'
import { parseBody, readBody } from './body.ts'
import { apiVersions, groupList, oneGroup, resourceList, serverVersion } from './discovery.ts'
import { dispatch } from './dispatch.ts'
import { openapiDocument, openapiIndex } from './openapi.ts'
import { sendError, sendJson, sendText } from './respond.ts'
import { answerReview } from './reviews.ts'
import { parseRoute } from './route.ts'

export interface Listening extends Running {
  readonly url: string
}

export interface ListenOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly token: string
  /** Makes a fresh key and certificate; asked again once a month. */
  readonly certificate: () => KeyPair
}

/** How long stop() waits for requests under way. */
const patienceMs = 3000
const renewalMs = 2_147_483_647 // the longest timer there is: 24 days

/** Serves the API until stopped; open watches are ended then. */
export async function listen(api: Api, { host, port, token, certificate }: ListenOptions): Promise<Listening> {
  const authenticate = authenticator(token)
  const server = https.createServer({ ...certificate(), keepAliveTimeout: 120_000, requestTimeout: 60_000 }, (request, response) => {
    answer(api, request, response, authenticate).catch((error: unknown) => {
      if (!response.destroyed) sendError(response, error, api.log)
    })
  })
  const renewal = setInterval(() => server.setSecureContext(certificate()), renewalMs).unref()
  const life = new Lifetime()
  life.onStop(() => clearInterval(renewal))
  life.onStop(async () => {
    // What is under way is answered; a client that does not take its answer is cut off.
    const cutOff = setTimeout(() => server.closeAllConnections(), patienceMs)
    // Connections fall idle one by one as their answers end.
    const sweep = setInterval(() => server.closeIdleConnections(), 20)
    await new Promise((resolve) => server.close(resolve))
    clearTimeout(cutOff)
    clearInterval(sweep)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  const address = server.address()
  const bound = typeof address === 'object' && address !== null ? address.port : port
  return { url: `https://${host.includes(':') ? `[${host}]` : host}:${bound}`, stop: () => life.stop(), done: life.done }
}

type Authenticate = (request: IncomingMessage) => UserInfo | undefined

async function answer(api: Api, request: IncomingMessage, response: ServerResponse, authenticate: Authenticate): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://server')
  if (/^\/(readyz|livez|healthz)(\/|$)/.test(url.pathname)) return sendText(response, 200, 'ok')
  const user = authenticate(request)
  if (user === undefined) throw unauthorized()
  const document = request.method === 'GET' ? documentAt(api, url.pathname) : undefined
  if (document !== undefined) return sendJson(response, 200, document)
  await resourceRequest(api, { request, response, url, user })
}

/** Documents about the API itself. */
function documentAt({ catalog }: Api, path: string): unknown {
  const parts = path.split('/').filter((part) => part !== '')
  const [root, second, third] = parts
  if (path === '/version' || path === '/version/') return serverVersion
  if (root === 'openapi') return openapiAt(catalog, parts)
  if (root === 'api') return parts.length === 1 ? apiVersions : parts.length === 2 ? resourceList(catalog, '', second ?? '') : undefined
  if (root !== 'apis') return undefined
  if (second === undefined) return groupList(catalog)
  if (third === undefined) return oneGroup(catalog, second)
  return parts.length === 3 ? resourceList(catalog, second, third) : undefined
}

function openapiAt(catalog: Api['catalog'], parts: readonly string[]): unknown {
  const [, version, root, group = '', apiVersion = ''] = parts
  if (version !== 'v3') return undefined
  if (root === undefined) return openapiIndex(catalog)
  return root === 'api' ? openapiDocument(catalog, '', group) : openapiDocument(catalog, group, apiVersion)
}

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly url: URL
  readonly user: UserInfo
}

async function resourceRequest(api: Api, exchange: Exchange): Promise<void> {
  const { request, response, url, user } = exchange
  const route = parseRoute(url.pathname)
  if (route === undefined) throw unknownPath()
  const payload = await readBody(request)
  const contentType = request.headers['content-type'] ?? ''
  if (request.method === 'POST') {
    const given = route.group.startsWith('auth') && payload.length > 0 ? parseBody(payload, contentType) : {}
    const review = answerReview(route.group, route.plural, isObject(given) ? given : {}, user)
    if (review !== undefined) return sendJson(response, 201, review)
  }
  const definition = api.catalog.find(route.group, route.version, route.plural)
  if (definition === undefined) throw unknownPath()
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  const call: ApiRequest = {
    ...route, definition, payload, contentType, user, method: request.method ?? 'GET', query: url.searchParams,
    agent: agentOf(request), warnings: definition.warning === undefined ? [] : [definition.warning], signal: gone.signal,
  }
  const reply = await dispatch(api, call, response, request.headers.accept ?? '')
  if (reply !== undefined) sendJson(response, reply.code, reply.body, call.warnings)
}

/** `kubectl/v1.32 (…)` → `kubectl`: who manages fields when the client does not say. */
function agentOf({ headers }: IncomingMessage): string {
  return (headers['user-agent'] ?? '').split('/')[0]?.slice(0, 128) ?? 'unknown'
}
