import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Settings } from '../env.ts'
import type { Output } from '../output/output.ts'
import type { CallerGuard } from '../servants/caller-guard.ts'
import type { Supervisor } from '../service/supervisor.ts'
import { listenHttp } from './listener.ts'
import { metricsText } from './metrics.ts'

/** What can be seen. */
export interface Sights {
  readonly settings: Settings
  readonly supervisor: Supervisor
  readonly guard: Pick<CallerGuard, 'isOtherPod'>
  readonly output: Pick<Output, 'lostLines'>
  /** The service is PID 1 of its container, and hears of the pod's end before this process does. */
  readonly besides: boolean
}

interface Page {
  readonly status: 200 | 403 | 404 | 405 | 503
  readonly type: string
  readonly body: string
}

const text = (status: Page['status'], body: string): Page => ({ status, type: 'text/plain; charset=utf-8', body: `${body}\n` })

/**
 * | path | answer |
 * |---|---|
 * | /healthz | 200 while the supervisor works; 503 when only a new container helps |
 * | /readyz | 200 exactly while setting and present state are Active; 503 with the state and why |
 * | /status | JSON: all that is known of the service |
 * | /metrics | Prometheus text format 0.0.4 |
 * | /prestop | begins the stop; 200 when callers had the drain delay. Only beside a service that is PID 1: the kubelet's preStop hook |
 */
const pages: Readonly<Record<string, (sights: Sights, peer: string) => Page | Promise<Page>>> = {
  '/healthz': ({ supervisor: { helpless } }) => (helpless === undefined ? text(200, 'ok') : text(503, helpless)),
  '/readyz': ({ supervisor: { view } }) => (view.setting === 'Active' && view.present === 'Active' ? text(200, 'ok') : text(503, `${view.setting}/${view.present}: ${view.message}`)),
  '/status': (sights) => ({ status: 200, type: 'application/json', body: `${JSON.stringify(statusOf(sights))}\n` }),
  '/metrics': (sights) => ({ status: 200, type: 'text/plain; version=0.0.4; charset=utf-8', body: metricsText(sights) }),
  '/prestop': preStop,
}

/** The kubelet's address cannot be known, as it may be any of its node; who has an address as another server's pod is not it. */
async function preStop({ besides, supervisor, guard }: Sights, peer: string): Promise<Page> {
  if (!besides) return text(404, 'this tarsnode is PID 1 and hears of the end by SIGTERM')
  if (await guard.isOtherPod(peer)) return text(403, 'a pod of another server does not stop this one')
  await supervisor.leave()
  return text(200, 'callers have gone')
}

/** The document of /status. */
export function statusOf({ settings, supervisor, output }: Omit<Sights, 'guard'>) {
  const { app, server, podName } = settings
  return {
    server: `${app}.${server}`, pod: podName, ...supervisor.view, state: supervisor.state, since: new Date(supervisor.since).toISOString(),
    lastExit: supervisor.lastExit ?? null, crashLoop: supervisor.crashLoop, crashesInRow: supervisor.crashesInRow,
    heartbeats: supervisor.heartbeats, lostLines: output.lostLines,
  }
}

/** Listens on the local address for who is in the pod, and on the pod's for the kubelet's probes and for Prometheus. */
export function openEyes(sights: Sights): Promise<() => void> {
  const { localAddress, podIP, httpPort } = sights.settings
  return listenHttp([...new Set([localAddress, podIP])], httpPort, async (request, response) => send(response, await pageOf(request, sights)))
}

function pageOf({ method, url = '/', socket }: IncomingMessage, sights: Sights): Page | Promise<Page> {
  const page = pages[url.split('?', 1)[0] ?? '']
  if (page === undefined) return text(404, `nothing is here; there are ${Object.keys(pages).join(', ')}`)
  return method === 'GET' || method === 'HEAD' ? page(sights, socket.remoteAddress ?? '') : text(405, 'only GET is answered')
}

function send(response: ServerResponse, { status, type, body }: Page): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) }).end(body)
}
