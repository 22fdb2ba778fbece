// The interface and servant that the tests of server and client share.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CallOptions } from '#tars/client.ts'
import { defineInterface, type Interface } from '#tars/idl/interface.ts'
import { parseTars } from '#tars/idl/parse.ts'
import { createServer, TarsCallError, type AdapterOptions, type Current, type ServerOptions, type TarsServer } from '#tars/server.ts'

export interface Item {
  id: number
  name: string
  on: boolean
  small: number
  big: bigint
  rate: number
  part: number
  tiny: number
  tags: string[]
}

export interface Every {
  flag: boolean
  b: number
  s: number
  i: number
  l: bigint
  ub: number
  us: number
  ui: number
  f: number
  d: number
  text: string
  bytes: Buffer
  numbers: number[]
  counts: Map<string, number>
  item: Item
  items: Item[]
  byId: Map<number, Item>
  color: number
  note: string
  grid: string[][]
  far: string
}

export interface EchoProxy {
  text(value: string, options?: CallOptions): Promise<string>
  items(list: Item[], options?: CallOptions): Promise<Item[]>
  every(value: Every, options?: CallOptions): Promise<{ return: number; back: Every }>
  divide(a: number, b: number, options?: CallOptions): Promise<{ return: number; rest: number }>
  nothing(options?: CallOptions): Promise<void>
  slow(value: string, ms: number, options?: CallOptions): Promise<string>
  fail(code: number, why: string, options?: CallOptions): Promise<string>
  remember(value: string, options?: CallOptions): Promise<string>
}

export const echoFile = join(import.meta.dirname, 'echo.tars')

export const Echo: Interface = defineInterface(parseTars('echo.tars', readFileSync(echoFile, 'utf8')).schema, 'sample::Echo')

export const objectName = 'Test.EchoServer.EchoObj'

export const sampleItem = (id: number): Item => ({ id, name: `item ${id}`, on: id % 2 === 0, small: -300, big: 2n ** 60n + BigInt(id), rate: Math.PI, part: 0.5, tiny: -7, tags: ['a', '', 'ü'] })

export const sampleEvery = (): Every => ({
  flag: true, b: -128, s: -32768, i: 2 ** 31 - 1, l: -(2n ** 63n), ub: 255, us: 65535, ui: 4294967295, f: 1.5, d: 1e300,
  text: 'tärs '.repeat(60), bytes: Buffer.from([0, 1, 255]), numbers: [0, -1, 70000], counts: new Map([['one', 1], ['__proto__', 2]]),
  item: sampleItem(1), items: [sampleItem(2), sampleItem(3)], byId: new Map([[7, sampleItem(7)]]), color: 6, note: '', grid: [['x'], [], ['y', 'z']], far: 'away',
})

/** Methods of the servant; `remembered` collects what `remember` was given. */
export function echoServant(): { remembered: string[] } & Record<string, unknown> {
  const remembered: string[] = []
  return {
    remembered,
    text: (value: string, current: Current) => {
      for (const [key, given] of current.context) if (key.startsWith('echo-')) current.responseContext.set(key, given)
      for (const [key, given] of current.status) current.responseStatus.set(key, given)
      return value
    },
    items: async (list: Item[]) => list,
    every: async (value: Every) => ({ return: value.i, back: value }),
    divide: (a: number, b: number) => {
      if (b === 0) throw new TarsCallError(17, 'division by zero')
      return { return: Math.trunc(a / b), rest: a % b }
    },
    nothing: () => undefined,
    slow: (value: string, ms: number) => new Promise((resolve) => setTimeout(resolve, ms, value)),
    fail: (code: number, why: string) => (code === 0 ? Promise.reject(new Error(why)) : Promise.reject(new TarsCallError(code, why))),
    remember: (value: string) => {
      remembered.push(value)
      return value
    },
  }
}

export interface EchoServer extends TarsServer {
  readonly servant: ReturnType<typeof echoServant>
  /** `App.Server.Obj@tcp -h … -p …` of the adapter at `index`. */
  object(index?: number): string
  port(index?: number): number
}

/** A started server with one TCP adapter on a free port of 127.0.0.1; `adapter` and `options` replace its defaults. */
export async function startEcho(adapter: Partial<AdapterOptions> = {}, options: Partial<ServerOptions> = {}): Promise<EchoServer> {
  const servant = echoServant()
  const servants = { [objectName]: { interface: Echo, servant } }
  const server = createServer({ adapters: [{ endpoint: 'tcp -h 127.0.0.1 -p 0', servants, ...adapter }], ...options })
  await server.start()
  const port = (index = 0): number => server.endpoints[index]?.port ?? 0
  return Object.assign(server, { servant, port, object: (index = 0) => `${objectName}@${server.endpoints[index]?.protocol} -h 127.0.0.1 -p ${port(index)}` })
}
