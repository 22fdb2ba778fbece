// An HTTP proxy before a registry that does harm in a chosen phase of the traffic with one repository.
import { Agent, createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http'
import { pipeline } from 'node:stream'

/** What a builder does at a registry, in the order of a build. */
export const phases = ['read manifest', 'read blob', 'look', 'start', 'chunk', 'commit', 'publish'] as const
export type Phase = (typeof phases)[number]

/**
 * `cut`: the connection is reset in the middle of the request · `500` and `401`: such an answer, the latter without a
 * challenge that could be met · `slow`: the answer never comes
 */
export const harms = ['cut', '500', '401', 'slow'] as const
export type Harm = (typeof harms)[number]
/** `late`: the registry does what it is asked for, and its answer comes when the plan is lifted. */
type Planned = Harm | 'late'

interface Plan {
  readonly phase: Phase
  readonly harm: Planned
  readonly lifted: Promise<void>
  /** Requests yet to be harmed. */
  left: number
  harmed: number
}

export interface FaultyRegistry {
  /** host:port to use instead of the registry's. */
  readonly address: string
  /** What it was asked for so far: `METHOD /path?query`, bytes of the body as far as it came, and whether it came to its end. */
  readonly requests: { readonly line: string; bytes: number; whole: boolean }[]
  /** Harms the next `times` requests of a phase with a repository. @returns how many were harmed so far, and a promise of the first */
  plan(repository: string, phase: Phase, harm: Planned, times: number): { readonly harmed: () => number; readonly first: Promise<void>; lift(): void }
  stop(): Promise<void>
}

/** The phase of a request, by the distribution-spec's endpoints. */
function phaseOf(method: string, path: string): Phase | undefined {
  const reads = method === 'GET' || method === 'HEAD'
  if (path.includes('/manifests/')) return reads ? 'read manifest' : 'publish'
  if (path.includes('/blobs/uploads')) return ({ POST: 'start', PATCH: 'chunk', PUT: 'commit' } as const)[method]
  if (path.includes('/blobs/')) return method === 'HEAD' ? 'look' : 'read blob'
  return undefined
}

/** @param target host:port of the registry */
export async function faultyRegistry(target: string): Promise<FaultyRegistry> {
  const [host = '', port = ''] = target.split(':')
  const agent = new Agent({ keepAlive: true })
  const requests: FaultyRegistry['requests'] = []
  const plans = new Map<string, Plan & { readonly begun: () => void }>()

  const harm = (kind: Harm, request: IncomingMessage, response: ServerResponse): void => {
    if (kind === 'slow') return void request.resume()
    if (kind === 'cut') return request.once('data', () => request.socket.resetAndDestroy()).once('end', () => request.socket.resetAndDestroy()), undefined
    request.resume()
    response.writeHead(Number(kind), { 'content-type': 'application/json' }).end(JSON.stringify({ errors: [{ code: kind === '401' ? 'UNAUTHORIZED' : 'UNKNOWN', message: 'planned' }] }))
  }

  const server = createServer((request, response) => {
    const { method = '', url = '' } = request
    const record = { line: `${method} ${url}`, bytes: 0, whole: false }
    requests.push(record)
    request.on('data', (part: Buffer) => (record.bytes += part.length)).once('end', () => (record.whole = true))
    const [, repository = ''] = /^\/v2\/(.+?)\/(?:manifests|blobs)\//.exec(url) ?? []
    const plan = plans.get(repository)
    let late: Promise<void> | undefined
    if (plan !== undefined && plan.left > 0 && phaseOf(method, url) === plan.phase) {
      plan.left--
      plan.harmed++
      plan.begun()
      if (plan.harm !== 'late') return harm(plan.harm, request, response)
      late = plan.lifted
    }
    const upstream = forward({ host, port: Number(port), method, path: url, headers: { ...request.headers, host: request.headers.host ?? target }, agent }, async (answer) => {
      await late
      if (response.destroyed) return void answer.destroy()
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      pipeline(answer, response, () => {})
    })
    upstream.on('error', () => response.destroy())
    pipeline(request, upstream, () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port: own } = server.address() as { port: number }
  return {
    address: `127.0.0.1:${own}`,
    requests,
    plan(repository, phase, kind, times) {
      const [first, lifted] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      const plan = { phase, harm: kind, lifted: lifted.promise, left: times, harmed: 0, begun: first.resolve }
      plans.set(repository, plan)
      return { harmed: () => plan.harmed, first: first.promise, lift: () => (lifted.resolve(), void (plan.left = 0)) }
    },
    stop: () =>
      new Promise((resolve) => {
        agent.destroy()
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
