// tarsregistry with 10,000 servants of 10 endpoints each: what an answer costs, how late it is, what it takes to know them, and how soon a change is in it.
import { setTimeout as delay } from 'node:timers/promises'
import { pods } from '#kube/resources.ts'
import type { AnyObject } from '#kube/types.ts'
import { Communicator } from '#tars/client.ts'
import { Writer } from '#tars/codec/writer.ts'
import { encodeRequest, version } from '#tars/packet.ts'
import { createEndpointF, QueryF, type EndpointF, type QueryFProxy } from '#tars/protocol/QueryF.ts'
import { median, quantile, type Goal } from '../goal.ts'
import { privateMegabytes, residentMegabytes } from '../proc.ts'
import { Child } from './child.ts'
import { namespace, startCluster, type Cluster } from './cluster.ts'
import { contend, cpuOfAnswers, cpuRatios, startEcho, type Contender, type Where } from './contender.ts'
import { firstId } from './load.ts'
import { activeCondition, podOf, servantOf, serverOf } from './population.ts'
import { startRole, type RoleProcess } from './role.ts'

const servers = 10_000
const replicas = 10
const object = 'tars.tarsregistry.QueryObj'
const func = 'findObjectByIdInSameGroup'
const cpuRounds = 9
const latencyRounds = 7
const latencyMs = 3000
const memoryRounds = 3
/** V8 gives back what the start took only when it has been quiet for a while. */
const settleMs = 60_000
const changeRounds = 5
const changesARound = 100
/** Servers whose pods change. */
const changing = 20

const settings = (cluster: Cluster): Record<string, string> => ({ TARSREGISTRY_DATA: `${cluster.folder}/registry-${Math.random()}` })
const startRegistry = (cluster: Cluster): Promise<RoleProcess> => startRole({ cluster, role: 'registry', env: settings(cluster) })
const portOf = ({ serves }: RoleProcess): number => serves['query'] as number

/** One question for each servant, in no order. */
function requests(): Buffer[] {
  const step = 7919
  return Array.from({ length: servers }, (_, i) => {
    const body = new Writer()
    body.writeString(1, servantOf((i * step) % servers))
    return encodeRequest({ version: version.tars, requestId: firstId + i, servant: object, func, body: body.bytes() })
  })
}

function proxyTo({ address, serves }: RoleProcess): { readonly proxy: QueryFProxy; close(): Promise<void> } {
  const communicator = new Communicator({ timeoutMs: 5000 })
  return { proxy: communicator.proxy<QueryFProxy>(QueryF, `${object}@tcp -h ${address} -p ${String(serves['query'])}`), close: () => communicator.close() }
}

/** The registry's own answer, checked: all endpoints of the servant. */
async function endpointsOf(proxy: QueryFProxy, index: number): Promise<readonly EndpointF[]> {
  const { activeEp } = await proxy.findObjectByIdInSameGroup(servantOf(index))
  if (activeEp.length !== replicas) throw new Error(`${servantOf(index)} has ${activeEp.length} endpoints in the answer`)
  return activeEp
}

interface Stage {
  readonly cluster: Cluster
  readonly registry: RoleProcess
  readonly ours: Contender
  readonly echo: Contender
  /** An answer's endpoints. */
  readonly example: readonly EndpointF[]
  stop(): Promise<void>
}

async function stage(note: (line: string) => void): Promise<Stage> {
  const cluster = await startCluster({ servers, replicas })
  const began = performance.now()
  const registry = await startRegistry(cluster)
  note(`the registry serves ${String(registry.serves['objects'])} objects of ${String(registry.serves['pods'])} pods ${((performance.now() - began) / 1000).toFixed(1)} s after its start`)
  const { proxy, close } = proxyTo(registry)
  const example = await endpointsOf(proxy, 42)
  await close()
  const body = new Writer()
  QueryF.functions[func]?.writeResult(body, { return: 0, activeEp: example, inactiveEp: [] })
  note(`an answer's body has ${body.length} bytes`)
  const all = requests()
  const ours = await contend({ name: 'registry', pid: registry.pid, host: registry.address, port: portOf(registry), stop: () => registry.stop() }, all)
  const echo = await contend(await startEcho({ object, interface: 'QueryF', body: body.bytes() }), all)
  return {
    cluster, registry, ours, echo, example,
    async stop() {
      await Promise.all([ours.stop(), echo.stop()])
      await cluster.stop()
    },
  }
}

/** A service on @tars/rpc that knows the same. */
async function startRival(example: readonly EndpointF[]): Promise<Where> {
  const plain = Object.keys(createEndpointF()).filter((name) => !['nodeName', 'authType', 'bakType'].includes(name))
  const servants = Array.from({ length: servers }, (_, index) => [servantOf(index), example.map((endpoint) => Object.fromEntries(plain.map((name) => [name, endpoint[name as keyof EndpointF]])))] as const)
  const { child, ready } = await Child.start<{ readonly port: number; readonly version: string }>('query-rival.cjs', { object, servants })
  return { name: `@tars/rpc ${ready.version}`, pid: child.pid, host: '127.0.0.1', port: ready.port, stop: () => child.stop() }
}

/** What an answer costs. */
export async function answers(note: (line: string) => void): Promise<readonly Goal[]> {
  const { ours, echo, example, stop } = await stage(note)
  const rival = await contend(await startRival(example), requests())
  try {
    const [own, bare, theirs] = await cpuOfAnswers([ours, echo, rival], cpuRounds, note)
    return [
      { what: `${func}, CPU an answer, registry ÷ bare echo of the same bytes`, samples: cpuRatios(own, bare), bar: 1.2, rule: 'most', unit: '×' },
      { what: `${func}, CPU an answer, registry ÷ ${rival.name}`, samples: cpuRatios(own, theirs), bar: 0.25, rule: 'most', unit: '×' },
    ]
  } finally {
    await rival.stop()
    await stop()
  }
}

/** Half of what a server answers at most. */
async function halfLoad({ load }: Contender): Promise<number> {
  const { answered, seconds } = await load.saturate({ underWay: 16, warmUpMs: 3000, ms: 3000 })
  return Math.floor(answered / seconds / 2)
}

/** How late an answer is at half load. */
export async function latency(note: (line: string) => void): Promise<readonly Goal[]> {
  const { ours, echo, stop } = await stage(note)
  try {
    const perSecond = Math.min(await halfLoad(ours), await halfLoad(echo))
    note(`half load: ${perSecond} requests/s`)
    const [own, bare]: [number[], number[]] = [[], []]
    for (let round = 0; round < latencyRounds; round++) {
      for (const [samples, { load, name }] of [[own, ours], [bare, echo]] as const) {
        const { latencies, refused } = await load.paced({ perSecond, ms: latencyMs })
        const all = [...latencies]
        samples.push(quantile(all, 0.99))
        note(`round ${round + 1}, ${name}: median ${median(all).toFixed(2)}, p99 ${quantile(all, 0.99).toFixed(2)} ms, ${all.length} answers${refused > 0 ? `, ${refused} of them that the queue was full: the machine is too busy` : ''}`)
      }
    }
    return [{ what: `${func}, p99 at half load, registry ÷ bare echo`, samples: own.map((ms, round) => ms / (bare[round] ?? NaN)), bar: 2, rule: 'most', unit: '×' }]
  } finally {
    await stop()
  }
}

/** What it takes to know an endpoint. */
export async function memory(note: (line: string) => void): Promise<readonly Goal[]> {
  const [empty, full] = [await startCluster(), await startCluster({ servers, replicas })]
  const samples: number[] = []
  try {
    for (let round = 0; round < memoryRounds; round++) {
      const [bare, loaded] = await Promise.all([startRegistry(empty), startRegistry(full)])
      await delay(settleMs)
      const [before, after] = [privateMegabytes(bare.pid), privateMegabytes(loaded.pid)]
      samples.push(((after - before) * 1024) / (servers * replicas))
      note(`round ${round + 1}: private memory ${after.toFixed(0)} MB (at its highest resident ${residentMegabytes(loaded.pid).peak.toFixed(0)} MB), with nothing to know ${before.toFixed(0)} MB`)
      await Promise.all([bare.stop(), loaded.stop()])
    }
    return [{ what: `private memory an endpoint, ${servers} servants × ${replicas}, over the bare process`, samples, bar: 2.5, rule: 'most', unit: ' KB' }]
  } finally {
    await Promise.all([empty.stop(), full.stop()])
  }
}

/** How soon a changed pod is in the answers, from the watch event as another watcher gets it, at half load. */
export async function change(note: (line: string) => void): Promise<readonly Goal[]> {
  const { cluster, registry, ours, stop } = await stage(note)
  const { proxy, close } = proxyTo(registry)
  const events = new Events(cluster)
  try {
    const perSecond = await halfLoad(ours)
    note(`half load: ${perSecond} requests/s`)
    await events.open()
    const samples: number[] = []
    let changes = 0
    for (let round = 0; round < changeRounds; round++) {
      const ms: number[] = []
      await underLoad(ours, perSecond, async () => {
        for (let i = 0; i < changesARound; i++, changes++) ms.push(await oneChange({ cluster, proxy, events }, changes % changing, changes % (2 * changing) >= changing))
      })
      samples.push(quantile(ms, 0.99))
      note(`round ${round + 1}: median ${median(ms).toFixed(2)}, p99 ${quantile(ms, 0.99).toFixed(2)}, most ${Math.max(...ms).toFixed(2)} ms from the watch event to the answer`)
    }
    return [{ what: 'a changed pod is in the answers after its watch event, p99, at half load', samples, bar: 20, rule: 'most', unit: ' ms' }]
  } finally {
    await events.close()
    await close()
    await stop()
  }
}

async function underLoad({ load }: Contender, perSecond: number, work: () => Promise<void>): Promise<void> {
  let running = true
  const loading = async (): Promise<void> => {
    while (running) await load.paced({ perSecond, ms: 500 })
  }
  await Promise.all([loading(), work().finally(() => (running = false))])
}

/** The watch of another: when the events of some servers' pods came. */
class Events {
  readonly #cluster: Cluster
  readonly #abort = new AbortController()
  #waiting: { readonly version: string; readonly resolve: (at: number) => void } | undefined
  readonly #seen = new Map<string, number>()
  #following: Promise<void> | undefined

  constructor(cluster: Cluster) {
    this.#cluster = cluster
  }

  async open(): Promise<void> {
    const { client } = this.#cluster
    const labelSelector = `tars.io/ServerName in (${Array.from({ length: changing }, (_, index) => serverOf(index)).join(',')})`
    const { metadata: { resourceVersion } } = await client.list(pods, { namespace, labelSelector })
    const opened = Promise.withResolvers<void>()
    const watch = client.watch(pods, { namespace, labelSelector, resourceVersion, signal: this.#abort.signal, onOpen: opened.resolve })
    this.#following = this.#follow(watch).catch(() => {})
    await opened.promise
  }

  /** When the event of this version came, by `performance.now()`. */
  async of(version: string): Promise<number> {
    const at = this.#seen.get(version)
    return at ?? new Promise((resolve) => (this.#waiting = { version, resolve }))
  }

  async close(): Promise<void> {
    this.#abort.abort()
    await this.#following
  }

  async #follow(watch: AsyncIterable<{ readonly object: AnyObject }>): Promise<void> {
    for await (const { object: { metadata: { resourceVersion = '' } } } of watch) {
      const at = performance.now()
      this.#seen.set(resourceVersion, at)
      if (this.#waiting?.version === resourceVersion) this.#waiting.resolve(at)
    }
  }
}

/** Milliseconds until an answer has the change, which is asked for again and again. */
async function oneChange({ cluster: { client }, proxy, events }: { readonly cluster: Cluster; readonly proxy: QueryFProxy; readonly events: Events }, index: number, active: boolean): Promise<number> {
  const name = podOf(index, 3)
  const { metadata: { resourceVersion = '' } } = await client.patch(pods, { namespace, name }, { status: { conditions: [activeCondition(active, 3)] } }, { type: 'strategic', subresource: 'status' })
  const at = await events.of(resourceVersion)
  for (;;) {
    const { activeEp } = await ask(proxy, index)
    if (activeEp.some(({ nodeName, host }) => nodeName.startsWith(`${name}.`) || host.startsWith(`${name}.`)) === active) return performance.now() - at
  }
}

/** Asks again when the registry sheds. */
async function ask(proxy: QueryFProxy, index: number): Promise<{ readonly activeEp: readonly EndpointF[] }> {
  for (;;) {
    try {
      return await proxy.findObjectByIdInSameGroup(servantOf(index))
    } catch (error) {
      if ((error as { readonly temporary?: boolean }).temporary !== true) throw error
    }
  }
}
