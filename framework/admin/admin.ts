import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { boundConnections } from '#base/connections.ts'
import { Failure, describe } from '#base/errors.ts'
import { HttpCounters } from '#base/http-counters.ts'
import { Lifetime, type Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import { metric, metricsType } from '#base/metrics.ts'
import { processMetrics } from '#base/process-metrics.ts'
import type { CallerSettings } from '#kube/caller-check.ts'
import type { KubeClient } from '#kube/client.ts'
import { Communicator } from '#tars/client.ts'
import type { Credentials } from '#tars/security.ts'
import { admitFor, startAppCheck } from './callers.ts'
import type { ServerRow } from './contract.ts'
import { refusalOf } from './errors.ts'
import { addHostPortRoute } from './host-ports.ts'
import { addLogRoute } from './logs.ts'
import { startView, type View } from './model/view.ts'
import { commandPods } from './nodes.ts'
import { notificationPage } from './notifications.ts'
import { addRoutes } from './routes.ts'

export interface AdminOptions {
  readonly client: KubeClient
  readonly namespace: string
  readonly address: string
  /** 0 takes a free one. */
  readonly port: number
  /** Port of tarsagent on every node. */
  readonly agentPort: number
  /** As whom it asks tarsnotify, and whom it trusts. Default: as nobody. */
  readonly credentials?: Credentials
  /** Pods may command their own application only, and read its logs. Default: any. */
  readonly callers?: CallerSettings | undefined
  readonly log: Logger
  readonly signal: AbortSignal
}

export interface RunningAdmin extends Running {
  readonly port: number
  readonly url: string
}

/** tarsnotify's own server. */
const notifyServer = 'tars-tarsnotify'

/** Serves the HTTP API of contract.ts; listens once everything was listed. */
export async function startAdmin({ client, namespace, address, port, agentPort, credentials, callers, log, signal }: AdminOptions): Promise<RunningAdmin> {
  const lifetime = new Lifetime()
  const giveUp = () => void lifetime.stop().catch(() => {})
  signal.addEventListener('abort', giveUp, { once: true })
  lifetime.onStop(() => signal.removeEventListener('abort', giveUp))
  try {
    const view = lifetime.own(startView({ client, namespace, log }))
    await view.synced()
    const communicator = new Communicator({ timeoutMs: 5000, log, ...credentials })
    lifetime.onStop(() => communicator.close())
    const check = await startAppCheck({ client, namespace, callers, log }, lifetime)
    const admit = (request: FastifyRequest, row: ServerRow): Promise<void> => admitFor(check, request.socket.remoteAddress ?? '', [row.app])
    const stopping = new AbortController()
    const counters = new HttpCounters()
    const http = createHttp(log, counters)
    http.get('/metrics', (_request, reply) => reply.type(metricsType).send(metricsText(view, counters) + check.metrics()))
    addRoutes(http, {
      view,
      admit,
      command: async (row, command, pod) => ({ results: await commandPods(communicator, row, command, pod) }),
      notifications: (row, page) => notificationPage(communicator, view.server(notifyServer), row, page),
    })
    addHostPortRoute(http, { client, namespace, agentPort })
    addLogRoute(http, { view, admit, client, namespace, log, signal: stopping.signal })
    await listen(http, address, port)
    lifetime.onStop(() => {
      stopping.abort()
      return http.close()
    })
    const bound = (http.server.address() as AddressInfo).port
    log.info('admin serves', { address, port: bound })
    return Object.assign(lifetime, { port: bound, url: `http://${address.includes(':') ? `[${address}]` : address}:${bound}` })
  } catch (error) {
    await lifetime.stop().catch(() => {})
    throw error
  }
}

function metricsText(view: View, counters: HttpCounters): string {
  return [
    metric('tarsadmin_knowledge_age_seconds', 'Time since the API server last confirmed what is served.', [[view.ageMs() / 1000]]),
    metric('tarsadmin_servers', 'Servers that are known.', [[view.servers().length]]),
    counters.text(),
    processMetrics(),
  ].join('')
}

function createHttp(log: Logger, counters: HttpCounters): FastifyInstance {
  const http = Fastify({ logger: false, bodyLimit: 64 * 1024, forceCloseConnections: 'idle' })
  boundConnections(http.server, 1024)
  http.addHook('onRequest', refuseForeignOrigin)
  http.addHook('onResponse', async ({ method, routeOptions }, { statusCode }) => counters.count(method, routeOptions.url, statusCode))
  http.setNotFoundHandler((request: FastifyRequest, reply: FastifyReply) => {
    const { status, body } = refusalOf(new Failure('ROUTE_UNKNOWN', `there is no ${request.method} ${request.url.split('?')[0]}`))
    return reply.code(status).send(body)
  })
  http.setErrorHandler((error: unknown, request: FastifyRequest, reply: FastifyReply) => {
    const { status, body } = refusalOf(error)
    if (status >= 500) log.error('request failed', { method: request.method, url: request.url, error: describe(error) })
    return reply.code(status).send(body)
  })
  return http
}

/** A page of another site must not give commands through its visitor's browser. */
async function refuseForeignOrigin(request: FastifyRequest): Promise<void> {
  const { origin, host } = request.headers
  if (request.method === 'GET' || request.method === 'HEAD' || origin === undefined) return
  if (!URL.canParse(origin) || new URL(origin).host !== host) throw new Failure('ORIGIN_REFUSED', `commands from pages of ${origin} are refused`)
}

async function listen(http: FastifyInstance, host: string, port: number): Promise<void> {
  try {
    await http.listen({ host, port })
  } catch (cause) {
    throw new Failure('ADMIN_LISTEN', `${host}:${port} cannot be listened on`, { cause, remedy: 'set TARSADMIN_LISTEN and TARSADMIN_PORT to an address of this machine and a free port' })
  }
}
