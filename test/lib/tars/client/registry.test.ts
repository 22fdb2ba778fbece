import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { Communicator } from '#tars/client.ts'
import { createEndpointF, QueryF, type EndpointF } from '#tars/protocol/QueryF.ts'
import { createServer, type TarsServer } from '#tars/server.ts'
import { ownAddress } from '../../../rig/own-address.ts'
import { Echo, echoServant, objectName, startEcho, type EchoProxy, type EchoServer } from '../server/echo.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

interface Registry extends TarsServer {
  /** What it answers: endpoints, a code other than 0, or an exception. */
  answer: () => readonly EndpointF[] | number
  asked: number
}

const locatorName = 'tars.tarsregistry.QueryObj'

/** Ends a server whose clients are in this process, and lets them hear of it: the ends of their connections are read in the next turn of the loop. */
async function gone(server: EchoServer): Promise<void> {
  await server.drain(0)
  for (let turns = 0; turns < 3; turns++) await turn()
}

/** A registry whose answers the test chooses. */
async function registry(): Promise<Registry> {
  const query = Object.fromEntries(Object.keys(QueryF.functions).map((name) => [name, () => ({ return: -1 })]))
  const servant = {
    ...query,
    findObjectByIdInSameGroup: () => {
      state.asked++
      const answer = state.answer()
      return typeof answer === 'number' ? { return: answer, activeEp: [], inactiveEp: [] } : { return: 0, activeEp: answer, inactiveEp: [] }
    },
  }
  const server = createServer({ adapters: [{ endpoint: 'tcp -h 127.0.0.1 -p 0', servants: { [locatorName]: { interface: QueryF, servant } } }] })
  await server.start()
  cleanups.push(() => server.drain(0))
  const state = Object.assign(server, { answer: (): readonly EndpointF[] | number => [], asked: 0 })
  return state
}

async function named(name: string, endpoint = 'tcp -h 127.0.0.1 -p 0'): Promise<EchoServer> {
  const server = await startEcho({ endpoint, servants: { [objectName]: { interface: Echo, servant: { ...echoServant(), text: () => name } } } })
  cleanups.push(() => server.drain(0))
  return server
}

const ep = (port: number, host = '127.0.0.1'): EndpointF => createEndpointF({ host, port, istcp: 1, timeout: 3000 })

function proxyBy(source: Registry, options: ConstructorParameters<typeof Communicator>[0] = {}): EchoProxy {
  const communicator = new Communicator({ timeoutMs: 60_000, locator: `${locatorName}@tcp -h 127.0.0.1 -p ${source.endpoints[0]?.port}`, ...options })
  cleanups.push(() => communicator.close())
  return communicator.proxy<EchoProxy>(Echo, objectName)
}

describe('an object found through the registry', () => {
  it('is asked for once, by however many first calls', async () => {
    const [source, server] = [await registry(), await named('a')]
    source.answer = () => [ep(server.port())]
    const proxy = proxyBy(source)
    expect(await Promise.all(Array.from({ length: 50 }, () => proxy.text('x')))).toEqual(Array.from({ length: 50 }, () => 'a'))
    expect(source.asked).toBe(1)
  })

  it('moves to other endpoints when the list changes', async () => {
    const [source, a, b] = [await registry(), await named('a'), await named('b')]
    source.answer = () => [ep(a.port())]
    const proxy = proxyBy(source, { refreshIntervalMs: 20 })
    expect(await proxy.text('x')).toBe('a')
    source.answer = () => [ep(b.port())]
    await expect.poll(() => proxy.text('x')).toBe('b')
  })

  it.each([
    ['fails', () => { throw new Error('registry trouble') }],
    ['answers a code', () => -1],
    ['answers an empty list', () => []],
  ])('stays where it was when the registry %s', async (_, answer) => {
    const [source, server] = [await registry(), await named('a')]
    source.answer = () => [ep(server.port())]
    const proxy = proxyBy(source, { refreshIntervalMs: 10 })
    await proxy.text('x')
    source.answer = answer as Registry['answer']
    await expect.poll(async () => (await proxy.text('x'), source.asked)).toBeGreaterThan(1)
    expect(await proxy.text('x')).toBe('a')
  })

  it('stays where it was when the registry is gone', async () => {
    const [source, server] = [await registry(), await named('a')]
    source.answer = () => [ep(server.port())]
    const proxy = proxyBy(source, { refreshIntervalMs: 10 })
    await proxy.text('x')
    await source.drain(0)
    for (let i = 0; i < 20; i++) expect(await proxy.slow('still', 5)).toBe('still')
  })

  it('fails with what the registry said when it was never found', async () => {
    const source = await registry()
    await expect(proxyBy(source).text('x')).rejects.toMatchObject({ code: 'TARS_NO_ENDPOINT', message: expect.stringContaining(`${objectName} is known: the registry lists none`) })
    await source.drain(0)
    await expect(proxyBy(source).text('x')).rejects.toMatchObject({ code: 'TARS_NO_ENDPOINT', cause: { code: 'TARS_CONNECT' } })
  })

  it('asks the registry again when every endpoint is dead', async () => {
    const [source, a, b] = [await registry(), await named('a'), await named('b')]
    source.answer = () => [ep(a.port())]
    const proxy = proxyBy(source)
    await proxy.text('x')
    source.answer = () => [ep(b.port())]
    await gone(a)
    await expect.poll(() => proxy.text('x').catch(() => 'failed')).toBe('b')
  })

  it('needs a locator', () => {
    expect(() => new Communicator().proxy(Echo, objectName)).toThrow(/no address, and the communicator no locator/)
    expect(() => new Communicator().proxy(Echo, `${objectName}@tcp -h x`)).toThrow(/is no endpoint/)
  })
})

/** A process of its own that serves Echo; `text` answers its port. */
async function forked(): Promise<{ child: ChildProcess; port: number }> {
  const child = fork(join(import.meta.dirname, 'echo-process.ts'), { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  cleanups.push(async () => {
    if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) await once(child, 'exit')
  })
  const [port] = (await once(child, 'message')) as [number]
  return { child, port }
}

/** Callers that call without a pause until they are stopped; all their outcomes. */
function callers(proxies: readonly EchoProxy[]): { answers: string[]; errors: { code: string }[]; stop(): Promise<unknown> } {
  const [answers, errors]: [string[], { code: string }[]] = [[], []]
  let running = true
  const turn = async (proxy: EchoProxy): Promise<void> => {
    await proxy.slow('x', 2)
    answers.push(await proxy.text('who'), await proxy.text('who'))
  }
  const loops = proxies.map(async (proxy) => {
    while (running) await turn(proxy).catch((error: { code: string }) => errors.push(error))
  })
  const stop = (): Promise<unknown> => ((running = false), Promise.all(loops))
  cleanups.push(stop)
  return { answers, errors, stop }
}

describe('while the servers of an object come and go', () => {
  it('loses no call when one drains', async () => {
    const [source, a, b] = [await registry(), await forked(), await forked()]
    source.answer = () => [ep(a.port), ep(b.port)]
    const load = callers([proxyBy(source), proxyBy(source), proxyBy(source)])
    await expect.poll(() => new Set(load.answers).size).toBe(2)
    source.answer = () => [ep(b.port)]
    a.child.send('drain')
    await once(a.child, 'exit')
    const c = await forked()
    source.answer = () => [ep(b.port), ep(c.port)]
    b.child.send('drain')
    await once(b.child, 'exit')
    await expect.poll(() => load.answers.at(-1)).toBe(String(c.port))
    await load.stop()
    expect(load.errors).toEqual([])
  })

  it('loses only what is under way on its links when one is killed', async () => {
    const [source, a, b] = [await registry(), await forked(), await forked()]
    source.answer = () => [ep(a.port), ep(b.port)]
    const load = callers([proxyBy(source), proxyBy(source), proxyBy(source)])
    await expect.poll(() => new Set(load.answers).size).toBe(2)
    const asked = source.asked
    a.child.kill('SIGKILL')
    await once(a.child, 'exit')
    source.answer = () => [ep(b.port)]
    const before = load.answers.length
    await expect.poll(() => load.answers.length).toBeGreaterThan(before + 200)
    await expect.poll(() => source.asked).toBeGreaterThan(asked)
    await load.stop()
    expect(load.errors.length).toBeLessThanOrEqual(3)
    for (const error of load.errors) expect(error.code).toBe('TARS_CLOSED')
  })

  it('looks the endpoints up again before an unsent call fails', async () => {
    const [source, a, b] = [await registry(), await named('a'), await named('b')]
    source.answer = () => [ep(a.port())]
    const proxy = proxyBy(source)
    await proxy.text('x')
    source.answer = () => [ep(b.port())]
    await gone(a)
    expect(await proxy.text('x')).toBe('b')
  })

  it('asks the registry seldom, however much fails', async () => {
    const [source, a] = [await registry(), await named('a')]
    source.answer = () => [ep(a.port())]
    const proxy = proxyBy(source)
    await proxy.text('x')
    await gone(a)
    const outcomes = await Promise.all(Array.from({ length: 200 }, () => proxy.text('x').catch((error: { code: string }) => error.code)))
    expect(new Set(outcomes)).toEqual(new Set(['TARS_CONNECT']))
    expect(source.asked).toBeLessThanOrEqual(3)
  })

  it('tries the only endpoint at once after it closed a connection', async () => {
    const source = await registry()
    // Nobody else takes a port of its own address meanwhile.
    const host = ownAddress()
    const server = await named('a', `tcp -h ${host} -p 0`)
    source.answer = () => [ep(server.port(), host)]
    const proxy = proxyBy(source)
    expect(await proxy.text('x')).toBe('a')
    await gone(server)
    await named('again', `tcp -h ${host} -p ${server.port()}`)
    expect(await proxy.text('x')).toBe('again')
  })
})
