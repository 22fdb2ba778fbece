// kill -9 while reports come in and windows are handed on: what was acknowledged counts, and counts once. On SQLite and on OpenSearch.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { silentLogger } from '#base/log.ts'
import { dayOf, type StoreReader } from '#store/dataset.ts'
import { statDataset } from '#store/datasets.ts'
import { openElasticStore } from '#store/elastic/store.ts'
import { openSqliteStore } from '#store/sqlite/store.ts'
import { Communicator } from '#tars/client.ts'
import { createStatMicMsgBody, createStatMicMsgHead, StatF, type StatFProxy } from '#tars/protocol/StatF.ts'
import { startCluster, until, type TestCluster } from '../registry/cluster.ts'
import { startSearchNode, type SearchNode } from '../rig/search-node/search-node.ts'

let cluster: TestCluster
let folder: string
beforeAll(async () => {
  cluster = await startCluster()
  folder = await mkdtemp(join(tmpdir(), 'tarsk8s-killed-'))
  await writeFile(join(folder, 'kubeconfig'), cluster.api.kubeconfig('tars'))
})
afterAll(async () => {
  await cluster?.stop()
  await rm(folder, { recursive: true, force: true })
})

interface Process {
  readonly child: ChildProcess
  readonly port: number
  readonly httpPort: number
}

async function start(data: string, url: string): Promise<Process> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'stat-process.ts'), join(folder, 'kubeconfig'), data, url], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit').then(([code]) => { throw new Error(`tarsstat ended with ${String(code)}`) })
  ended.catch(() => {})
  const [line] = (await Promise.race([once(createInterface({ input: child.stdout }), 'line'), ended])) as [string]
  const [port = 0, httpPort = 0] = line.split(' ').map(Number)
  return { child, port, httpPort }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const ended = once(child, 'exit')
  child.kill(signal)
  await ended
}

/** Reports without a pause until it is told to stop or nobody answers. */
async function load(port: number, round: number, counts: { acknowledged: number; sent: number }): Promise<void> {
  const communicator = new Communicator({ timeoutMs: 60_000 })
  const proxy = communicator.proxy<StatFProxy>(StatF, `tars.tarsstat.StatObj@tcp -h 127.0.0.1 -p ${port}`)
  try {
    for (let number = 0; ; number++) {
      const lines = Array.from({ length: 20 }, (_, index) => [createStatMicMsgHead({ masterName: 'Load.Client', slaveName: 'Load.Server', interfaceName: `f${round}-${(number + index) % 500}` }), createStatMicMsgBody({ count: 1 })] as const)
      counts.sent += lines.length
      await proxy.reportMicMsg(new Map(lines), true)
      counts.acknowledged += lines.length
    }
  } catch {
    // It was killed.
  } finally {
    await communicator.close()
  }
}

const metricOf = async ({ httpPort }: Process, name: string): Promise<number> => Number(new RegExp(`^${name}\\S* (\\S+)$`, 'm').exec(await (await fetch(`http://127.0.0.1:${httpPort}/metrics`)).text())?.[1])

/** All calls that the store knows. */
async function total(reader: StoreReader): Promise<number> {
  const groups = await reader.totals(statDataset, { from: dayOf(Date.now() - 86_400_000), to: dayOf(Date.now()), where: [], groupBy: [], measures: [{ field: 'succ_count', by: 'sum' }] })
  return groups[0]?.values[0] ?? 0
}

describe.each(['SQLite', 'OpenSearch'] as const)('%s', (kind) => {
  let node: (SearchNode & { readonly home: string }) | undefined
  beforeAll(async () => {
    if (kind === 'OpenSearch') node = await startSearchNode('opensearch')
  })
  afterAll(() => node?.remove())

  test('what was acknowledged counts once, whenever it is killed', async () => {
    const data = join(folder, kind)
    const counts = { acknowledged: 0, sent: 0 }
    for (let round = 0; round < 5; round++) {
      const running = await start(data, node?.url ?? '')
      const loading = load(running.port, round, counts)
      // Killed while windows are handed on: after as many as the round says, in the middle of the next.
      await until(async () => (await metricOf(running, 'tarsstat_windows_total')) >= 2 * (round % 3) && counts.acknowledged > 200 * (round + 1))
      await new Promise((resolve) => setTimeout(resolve, 37 * round))
      await end(running.child, 'SIGKILL')
      await loading
    }
    const last = await start(data, node?.url ?? '')
    await until(async () => (await metricOf(last, 'tarsstore_spool_rows')) === 0)
    await end(last.child, 'SIGTERM')
    const store = node === undefined ? openSqliteStore(join(data, 'rows')) : openElasticStore({ urls: [node.url], prefix: 'tars_', log: silentLogger })
    if (node !== undefined) await fetch(`${node.url}/_refresh`, { method: 'POST' })
    const known = await total(store)
    await store.close()
    expect(counts.acknowledged).toBeGreaterThan(1000)
    // A report in flight when it was killed may have been written down; one a round.
    expect(known).toBeGreaterThanOrEqual(counts.acknowledged)
    expect(known).toBeLessThanOrEqual(counts.sent)
  })
})

test('while the store is away reports are taken and wait; they arrive once when it is back, also through a restart', async () => {
  let node = await startSearchNode('opensearch')
  const { port, home } = node
  try {
    const data = join(folder, 'away')
    let running = await start(data, node.url)
    const communicator = new Communicator({ timeoutMs: 60_000 })
    const report = (count: number) => communicator.proxy<StatFProxy>(StatF, `tars.tarsstat.StatObj@tcp -h 127.0.0.1 -p ${running.port}`)
      .reportMicMsg(new Map([[createStatMicMsgHead({ masterName: 'Load.Client', slaveName: 'Load.Server', interfaceName: 'f' }), createStatMicMsgBody({ count })]]), true)
    await report(1)
    await until(async () => (await metricOf(running, 'tarsstore_written_rows_total')) > 0)
    await node.stop()
    await report(10)
    await until(async () => (await metricOf(running, 'tarsstore_failing')) === 1)
    await end(running.child, 'SIGKILL')
    running = await start(data, node.url)
    await report(100)
    await until(async () => (await metricOf(running, 'tarsstore_spool_rows')) >= 2)
    node = await startSearchNode('opensearch', { port, home })
    await until(async () => (await metricOf(running, 'tarsstore_spool_rows')) === 0)
    // One that hangs: a write that was taken but not answered is written again.
    node.signal('SIGSTOP')
    await report(1000)
    await until(async () => (await metricOf(running, 'tarsstore_spool_rows')) === 1)
    await end(running.child, 'SIGKILL')
    node.signal('SIGCONT')
    running = await start(data, node.url)
    await until(async () => (await metricOf(running, 'tarsstore_written_rows_total')) >= 1 && (await metricOf(running, 'tarsstore_spool_rows')) === 0)
    await end(running.child, 'SIGTERM')
    await communicator.close()
    await fetch(`${node.url}/_refresh`, { method: 'POST' })
    expect(await total(openElasticStore({ urls: [node.url], prefix: 'tars_', log: silentLogger }))).toBe(1111)
  } finally {
    await node.remove()
  }
})
