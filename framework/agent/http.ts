import type { AddressInfo } from 'node:net'
import Fastify, { type FastifyRequest } from 'fastify'
import { boundConnections } from '#base/connections.ts'
import { describe, Failure } from '#base/errors.ts'
import { Lifetime, type Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import { metricsType } from '#base/metrics.ts'
import { processMetrics } from '#base/process-metrics.ts'
import type { Fact } from './node/facts.ts'
import { askPort, fine, portRefusal, type PortAnswer } from './node/ports.ts'

export interface HttpOptions {
  readonly address: string
  /** 0 takes a free one. */
  readonly port: number
  readonly facts: Readonly<Record<string, () => Promise<Fact>>>
  readonly health: () => object
  readonly metrics: () => Promise<string>
  readonly log: Logger
}

/** Serves the agent's endpoint; the paths are those of K8sFramework's first agent (node-and-image E, E0). */
export async function startHttp({ address, port, facts, health, metrics, log }: HttpOptions): Promise<Running & { readonly port: number }> {
  const http = Fastify({ logger: false, bodyLimit: 1024, forceCloseConnections: true, requestTimeout: 2000 })
  boundConnections(http.server)
  http.setErrorHandler((error, request, reply) => {
    log.error('request failed', { url: request.url, error })
    return reply.code(500).send({ err_info: { err_code: -1, err_msg: describe(error) } })
  })
  http.get('/healthz', health)
  http.get('/metrics', async (_request, reply) => reply.type(metricsType).send((await metrics()) + processMetrics()))
  http.get('/port', answerPort)
  for (const [name, read] of Object.entries(facts)) http.get(`/${name}`, async () => ({ err_info: fine, ...(await read()) }))
  try {
    await http.listen({ host: address, port })
  } catch (cause) {
    throw new Failure('AGENT_LISTEN', `${address}:${port} cannot be listened on`, { cause, remedy: 'set TARSAGENT_LISTEN and TAF_AGENT_PORT to an address of this node and a free port' })
  }
  const lifetime = new Lifetime()
  lifetime.onStop(() => http.close())
  return Object.assign(lifetime, { port: (http.server.address() as AddressInfo).port })
}

async function answerPort(request: FastifyRequest): Promise<PortAnswer> {
  const { host, port } = request.query as { host?: string | string[]; port?: string | string[] }
  const text = port === undefined || port === '' ? '0' : port
  if (Array.isArray(host) || Array.isArray(text)) return portRefusal('host and port may be given once')
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) return portRefusal(`port must be a number from 0 to 65535, not "${text}"`)
  return await askPort(host === undefined || host === '' ? '127.0.0.1' : host, Number(text))
}
