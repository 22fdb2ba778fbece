import http from 'node:http'
import { boundConnections } from './connections.ts'
import { Lifetime, type Running } from './lifecycle.ts'
import { metricsType } from './metrics.ts'
import { pathOf } from './path-of.ts'
import { processMetrics } from './process-metrics.ts'

export interface HealthOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** What is not ready, and why; undefined when all is. */
  readonly problem: () => string | undefined
  /** What `/metrics` says, beside what the process says of itself. */
  readonly metrics: () => string
}

export interface Health extends Running {
  readonly port: number
}

/** Serves `/livez` (the process answers) and `/readyz` (200, or 503 with the reason) over HTTP, as probes ask for them, and `/metrics`. */
export async function startHealth({ host, port, problem, metrics }: HealthOptions): Promise<Health> {
  const server = http.createServer((request, response) => {
    const pathname = pathOf(request.url)
    if (pathname === '/metrics') {
      response.writeHead(200, { 'content-type': metricsType }).end(metrics() + processMetrics())
      return
    }
    const reason = pathname === '/readyz' ? problem() : undefined
    const known = ['/livez', '/healthz', '/readyz'].includes(pathname)
    response.writeHead(known ? (reason === undefined ? 200 : 503) : 404, { 'content-type': 'text/plain; charset=utf-8' }).end(known ? `${reason ?? 'ok'}\n` : 'use /livez, /readyz or /metrics\n')
  })
  boundConnections(server)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  const life = new Lifetime()
  life.onStop(async () => {
    const closed = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    await closed
  })
  const address = server.address()
  return { port: typeof address === 'object' && address !== null ? address.port : port, stop: () => life.stop(), done: life.done }
}
