// What well-known registries do otherwise than the reference, each by a proxy that changes the answers of a real one:
// Docker Hub's rate limit and its redirects to a store, Harbor's and others' refused mounts, answers 202, absolute locations.
import { randomBytes } from 'node:crypto'
import { createServer, request as forward, type IncomingMessage, type OutgoingHttpHeaders, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseLocation } from '../../imagebuilder/oci/location.ts'
import { distributionRegistry, type ForeignRegistry } from '../rig/registry.ts'
import { elf, tgz, write } from './rig/archives.ts'
import { runCrane, workbench, type Workbench } from './rig/image.ts'

interface Asked {
  readonly method: string
  readonly url: string
  readonly authorized: boolean
  /** The body comes without its length. */
  readonly streamed: boolean
  /** Of the body, where it is told; bytes. */
  readonly length: number
}

interface Habit {
  /** Answers in the registry's stead. */
  readonly instead?: (asked: Asked, response: ServerResponse, times: number) => boolean
  /** Another path to ask the registry for. */
  readonly path?: (asked: Asked) => string
  /** Another status and other headers of its answer. */
  readonly answer?: (asked: Asked, status: number, headers: OutgoingHttpHeaders) => number
}

let bench: Workbench
let registry: ForeignRegistry
/** A store of blobs beside the registry, as the ones that registries redirect to; it refuses who brings credentials. */
let store: Server
let file: string

beforeAll(async () => {
  bench = await workbench()
  registry = await distributionRegistry(bench.path('registry'))
  await bench.base(registry.address)
  file = await write(bench.path('release.tgz'), tgz([{ name: 'HelloServer', mode: 0o755, content: elf() }, { name: 'data', content: randomBytes(7_000_000) }]))
  store = createServer((asked, response) => {
    if (asked.headers.authorization !== undefined) return void response.writeHead(400).end('only one auth mechanism allowed')
    pass(asked, response, asked.url ?? '', {})
  })
  await listening(store)
})
afterAll(async () => {
  store.close()
  await registry.stop()
  await bench.clean()
})

const askedBy = ({ method = '', url = '', headers }: IncomingMessage): Asked => ({ method, url, authorized: headers.authorization !== undefined, streamed: headers['transfer-encoding'] === 'chunked', length: Number(headers['content-length'] ?? NaN) })

const listening = (server: Server): Promise<void> => new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
const addressOf = (server: Server): string => `127.0.0.1:${(server.address() as AddressInfo).port}`

function pass(asked: IncomingMessage, response: ServerResponse, path: string, habit: Habit): void {
  const [host = '', port = ''] = registry.address.split(':')
  const upstream = forward({ host, port: Number(port), method: asked.method, path, headers: asked.headers }, (answer) => {
    const headers: OutgoingHttpHeaders = { ...answer.headers }
    const told = askedBy(asked)
    response.writeHead(habit.answer?.(told, answer.statusCode ?? 500, headers) ?? answer.statusCode ?? 500, headers)
    answer.pipe(response)
  })
  upstream.on('error', () => response.destroy())
  asked.pipe(upstream)
}

/** Serves the registry with a habit. */
async function withHabit(habit: Habit, use: (address: string) => Promise<void>): Promise<void> {
  const times = new Map<string, number>()
  const server = createServer((asked, response) => {
    const told = askedBy(asked)
    const count = (times.get(told.method) ?? 0) + 1
    times.set(told.method, count)
    if (habit.instead?.(told, response, count) === true) return void asked.resume()
    pass(asked, response, habit.path?.(told) ?? told.url, habit)
  })
  await listening(server)
  try {
    await use(addressOf(server))
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

const isUpload = ({ url }: Asked): boolean => url.includes('/blobs/uploads/')

const habits: Readonly<Record<string, () => Habit>> = {
  'is busy at times, and says when to come again': () => ({ instead: (_asked, response, times) => times % 3 === 1 && (response.writeHead(429, { 'retry-after': '0.05', 'content-type': 'application/json' }).end('{"errors":[{"code":"TOOMANYREQUESTS","message":"rate limit"}]}'), true) }),
  'wants credentials and redirects blobs to a store that must not see them': () => ({
    instead: ({ method, url, authorized }, response) => {
      if (!authorized) return (response.writeHead(401, { 'www-authenticate': 'Basic realm="registry"' }).end(), true)
      return method === 'GET' && url.includes('/blobs/sha256:') && (response.writeHead(307, { location: `http://${addressOf(store)}${url}` }).end(), true)
    },
  }),
  'mounts nothing': () => ({ path: ({ url }) => (url.includes('?mount=') ? url.slice(0, url.indexOf('?')) : url) }),
  'refuses mounts': () => ({ instead: ({ url }, response) => url.includes('?mount=') && (response.writeHead(403, { 'content-type': 'application/json' }).end('{"errors":[{"code":"DENIED"}]}'), true) }),
  'answers 202 where 201 is meant': () => ({ answer: ({ method }, status) => (method === 'PUT' && status === 201 ? 202 : status) }),
  'has locations that are paths, with a state in them': () => ({
    answer: (asked, status, headers) => {
      const location = headers['location']
      if (isUpload(asked) && typeof location === 'string') headers['location'] = `${new URL(location, 'http://x').pathname}${new URL(location, 'http://x').search}`
      return status
    },
  }),
  'says nothing of how far an upload is': () => ({ answer: ({ method }, status, headers) => (method === 'PATCH' && delete headers['range'], status) }),
  'wants the length of every body': () => ({ instead: ({ streamed }, response) => streamed && (response.writeHead(411).end(), true) }),
  'hangs up on a body without its length': () => ({ instead: ({ streamed }, response) => streamed && (response.destroy(), true) }),
  'answers questions for blobs with a page': () => ({ instead: ({ method, url }, response) => method === 'HEAD' && url.includes('/blobs/') && (response.writeHead(404, { 'content-type': 'text/html' }).end(), true) }),
}

test.each([3_000_000, 9_000_000])('a registry that takes no chunk under 5 MiB but the last, and says so: %i bytes', async (bytes) => {
  const least = 5 << 20
  const habit: Habit = {
    instead: ({ method, length }, response) => method === 'PATCH' && !(length >= least) && (response.writeHead(400, { 'content-type': 'application/json' }).end('{"errors":[{"code":"SIZE_INVALID"}]}'), true),
    answer: ({ method }, status, headers) => (method === 'POST' && (headers['oci-chunk-min-length'] = String(least)), status),
  }
  const content = await write(bench.path('large.tgz'), tgz([{ name: 'HelloServer', mode: 0o755, content: elf() }, { name: 'data', content: randomBytes(bytes) }]))
  await withHabit(habit, async (address) => {
    const built = await bench.build(address, { package: content, destination: parseLocation(`${address}/tars/least${bytes}:1`) })
    expect((await runCrane('digest', `${registry.address}/tars/least${bytes}:1`)).trim()).toBe(built.digest)
    expect(await runCrane('validate', '--remote', `${registry.address}/tars/least${bytes}:1`)).toMatch(/^PASS/)
  })
})

test.each(Object.keys(habits))('a registry that %s', async (name) => {
  await withHabit(habits[name]?.() ?? {}, async (address) => {
    const repository = `tars/habit${Object.keys(habits).indexOf(name)}`
    const access = { credentials: () => ({ username: 'tars', password: 'secret' }) }
    const built = await bench.build(address, { package: file, access, destination: parseLocation(`${address}/${repository}:1`) })
    expect((await runCrane('digest', `${registry.address}/${repository}:1`)).trim()).toBe(built.digest)
    expect(await runCrane('validate', '--remote', `${registry.address}/${repository}:1`)).toMatch(/^PASS/)
  })
})
