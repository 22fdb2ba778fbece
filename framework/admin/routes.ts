import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Failure } from '#base/errors.ts'
import type { CommandAnswer, Health, NotificationPage, PodList, ServerCommand, ServerList, ServerRow } from './contract.ts'
import { unknownPod, unknownServer } from './errors.ts'
import type { View } from './model/view.ts'

export interface RouteParts {
  readonly view: View
  /** @throws Failure CALLER_REFUSED when who asks may not command a server */
  readonly admit: (request: FastifyRequest, row: ServerRow) => Promise<void>
  readonly command: (row: ServerRow, command: ServerCommand, pod: string | undefined) => Promise<CommandAnswer>
  readonly notifications: (row: ServerRow, page: number) => Promise<NotificationPage>
}

type Query = Readonly<Record<string, string | string[] | undefined>>

/** The reading routes and the commands, below `/api/v1` (contract.ts has their bodies). */
export function addRoutes(http: FastifyInstance, { view, admit, command, notifications }: RouteParts): void {
  const named = (request: FastifyRequest): ServerRow => {
    const { name } = request.params as { name: string }
    const row = view.server(name)
    if (row === undefined) throw unknownServer(name)
    return row
  }

  http.get('/healthz', (): Health => ({ status: 'ok', ageMs: age(view) }))

  http.get('/api/v1/servers', (request): ServerList => {
    const wanted = Object.entries(texts(request, ['app', 'server', 'variant']))
    const servers = view.servers().filter((row) => wanted.every(([field, value]) => row[field as 'app' | 'server' | 'variant'] === value))
    return { servers, ageMs: age(view) }
  })

  http.get('/api/v1/servers/:name', (request): ServerRow => named(request))

  http.get('/api/v1/servers/:name/notifications', (request) => notifications(named(request), wholeNumber(request, 'page') ?? 0))

  for (const verb of ['start', 'stop', 'restart'] as const) {
    http.post(`/api/v1/servers/:name/${verb}`, async (request) => {
      const row = named(request)
      await admit(request, row)
      return command(row, verb, texts(request, ['pod'])['pod'])
    })
  }

  http.get('/api/v1/pods', (request): PodList => {
    const { server } = texts(request, ['server'])
    const rows = server === undefined ? view.servers() : [view.server(server) ?? refuse(unknownServer(server))]
    return { pods: rows.flatMap((row) => row.pods.map((pod) => ({ ...pod, server: row.name }))), ageMs: age(view) }
  })

  http.get('/api/v1/pods/:pod', (request) => {
    const { pod: name } = request.params as { pod: string }
    const row = view.serverOfPod(name)
    const pod = row?.pods.find((one) => one.name === name)
    if (row === undefined || pod === undefined) throw unknownPod(name)
    return { ...pod, server: row.name }
  })
}

function age(view: View): number {
  return Math.round(view.ageMs())
}

function refuse(error: Failure): never {
  throw error
}

/** Query parameters that are given at most once; an unknown one is refused, so that a slip of the pen is no silent "all". */
export function texts<const K extends string>(request: FastifyRequest, known: readonly K[]): Partial<Record<K, string>> {
  const query = request.query as Query
  for (const [name, value] of Object.entries(query)) {
    if (!known.includes(name as K)) throw invalid(name, known.length === 0 ? 'is not known here' : `is not known here: use ${known.join(', ')}`)
    if (Array.isArray(value)) throw invalid(name, 'may be given once')
  }
  return query as Partial<Record<K, string>>
}

export function wholeNumber(request: FastifyRequest, name: string, known: readonly string[] = [name]): number | undefined {
  const text = texts(request, known)[name]
  if (text === undefined) return undefined
  if (!/^\d{1,9}$/.test(text)) throw invalid(name, `must be a whole number from 0, not "${text}"`)
  return Number(text)
}

export function invalid(name: string, rule: string): Failure {
  return new Failure('QUERY_INVALID', `the query parameter ${name} ${rule}`)
}
