import { setTimeout as delay } from 'node:timers/promises'
import { childMeta } from '../../../framework/controller/desired/meta.ts'
import { desiredEndpoint } from '../../../framework/controller/desired/endpoint.ts'
import { desiredDisruptionBudget } from '../../../framework/controller/desired/disruption-budget.ts'
import { desiredService } from '../../../framework/controller/desired/service.ts'
import { desiredStatefulSet } from '../../../framework/controller/desired/stateful-set.ts'
import { resources } from '#api/resources.ts'
import type { TServer } from '#api/types.ts'
import type { KubeClient } from '#kube/client.ts'
import { podDisruptionBudgets, services, statefulSets } from '#kube/resources.ts'
import type { AnyObject, Resource } from '#kube/types.ts'
import type { Goal } from '../goal.ts'
import { processorSeconds } from '../proc.ts'
import { childKinds, Watcher } from './children.ts'
import { draft, tservers } from './drafts.ts'
import { auditMark, bareGround, isRenewal, startController, summary, tarsGround, writesSince } from './ground.ts'

const ROUNDS = 3
const SERVERS = 1000
const REPLICAS = 2
const WARM_UP = 100
const WINDOWS = 3
const WINDOW_MS = 60_000
/** V8 collects the garbage of the work by itself, half a minute later. Milliseconds. */
const SETTLE_MS = 45_000

let count = 0
const drafts = (size: number): AnyObject[] => Array.from({ length: size }, () => draft(count++, 'v1beta3', REPLICAS))

/** The plain loop: each TServer and what the controller would make of it, one create after the other. */
async function loop(client: KubeClient, objects: readonly AnyObject[]): Promise<void> {
  for (const object of objects) {
    const server = (await client.create(tservers(), object)) as unknown as TServer
    const { app, server: name } = server.spec
    const children: readonly (readonly [Resource, object | undefined])[] = [
      [services, desiredService(server, true)], [statefulSets, desiredStatefulSet(server)], [podDisruptionBudgets, desiredDisruptionBudget(server)],
      [resources.tendpoints as Resource, desiredEndpoint(server)], [resources.texitedrecords as Resource, { metadata: childMeta(server), app, server: name, pods: [] }],
    ]
    for (const [resource, child] of children) await client.create(resource, child as AnyObject)
  }
}

/** Seconds until all children of TServers that are created one after the other, as in the loop, are there. */
async function applied(client: KubeClient, watcher: Watcher, objects: readonly AnyObject[]): Promise<number> {
  const wanted = childKinds.map((kind) => watcher.count(kind) + objects.length)
  const start = performance.now()
  const complete = watcher.until(() => childKinds.every((kind, index) => watcher.count(kind) >= (wanted[index] ?? NaN)))
  for (const object of objects) await client.create(tservers(), object)
  return ((await complete) - start) / 1000
}

/** Does work and says how long it took, and how much of their CPU time it cost processes. */
async function clocked<T>(pids: readonly number[], work: () => Promise<T>): Promise<{ readonly result: T; readonly seconds: number; readonly cpu: string }> {
  const [before, start] = [pids.map(processorSeconds), performance.now()]
  const result = await work()
  const seconds = (performance.now() - start) / 1000
  return { result, seconds, cpu: `${pids.map((pid, index) => (processorSeconds(pid) - (before[index] ?? 0)).toFixed(2)).join(', ')} s` }
}

/** A thousand TServers at once, against a loop that creates the same objects where nobody is asked; and the quiet afterwards. */
export async function thousand(note: (line: string) => void): Promise<readonly Goal[]> {
  const [bare, full] = await Promise.all([bareGround(), tarsGround()])
  try {
    const controller = await startController(full)
    const watcher = await Watcher.open(full.client, [...childKinds, tservers()])
    const settled = (): Promise<number> => watcher.until(() => watcher.count(tservers()) === watcher.count(statefulSets) && watcher.every(tservers(), ({ status }) => status !== undefined) && watcher.every(resources.tendpoints, ({ status }) => status !== undefined))
    await applied(full.client, watcher, drafts(WARM_UP))
    await loop(bare.client, drafts(WARM_UP))
    const ratios: number[] = []
    for (let round = 1; round <= ROUNDS; round++) {
      await settled()
      const mark = auditMark(full)
      const [pids, others] = [[controller.pid, ...(await full.plane.pids())], await bare.plane.pids()]
      const work = await clocked(pids, async () => {
        const ours = await applied(full.client, watcher, drafts(SERVERS))
        await settled()
        return ours
      })
      note(`round ${round}: all children after ${work.result.toFixed(2)} s; settled after ${work.seconds.toFixed(2)} s; CPU of controller, etcd, kube-apiserver ${work.cpu}; the controller's writes: ${summary(writesSince(full, mark).filter((write) => !isRenewal(write)))}`)
      const plain = await clocked(others, () => loop(bare.client, drafts(SERVERS)))
      ratios.push(work.result / plain.seconds)
      note(`round ${round}: the loop over the same ${SERVERS * (childKinds.length + 1)} objects ${plain.seconds.toFixed(2)} s; CPU of etcd, kube-apiserver ${plain.cpu}; ${(work.result / plain.seconds).toFixed(2)}×`)
    }
    await settled()
    await delay(SETTLE_MS)
    const writes: number[] = []
    const load: number[] = []
    for (let window = 0; window < WINDOWS; window++) {
      const [mark, before, start] = [auditMark(full), processorSeconds(controller.pid), performance.now()]
      await delay(WINDOW_MS)
      load.push((100 * (processorSeconds(controller.pid) - before)) / ((performance.now() - start) / 1000))
      const all = writesSince(full, mark)
      writes.push(all.filter((write) => !isRenewal(write)).length)
      note(`idle with ${watcher.count(tservers())} TServers, window ${window + 1}: writes ${summary(all)}; ${load.at(-1)?.toFixed(2)} % of a core`)
    }
    await watcher.close()
    await controller.stop()
    return [
      { what: `${SERVERS} TServers applied until all children exist ÷ plain loop of creates of all ${SERVERS * (childKinds.length + 1)} objects, no webhooks`, samples: ratios, bar: 2, rule: 'most', unit: '×' },
      { what: `controller's writes in ${WINDOW_MS / 1000} s, idle, without the renewals of its Lease`, samples: writes, bar: 0, rule: 'most' },
      { what: 'controller idle, Lease renewals included', samples: load, bar: 1, rule: 'most', unit: ' % of a core' },
    ]
  } finally {
    await Promise.all([bare.stop(), full.stop()])
  }
}
