import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { labels } from '#api/names.ts'
import { pods } from '#kube/resources.ts'
import { Communicator } from '#tars/client.ts'
import { QueryF, type QueryFProxy } from '#tars/protocol/QueryF.ts'
import { eventually } from '../../rig/kube.ts'
import { median, quantile, type Goal } from '../goal.ts'
import { processorSeconds, residentMegabytes } from '../proc.ts'
import { auditMark, kubeconfig, namespace, startController, startRole, tarsGround, writesSince, isRenewal, summary, type Ground, type RoleProcess } from './ground.ts'
import { activeCondition, podName, populate, replicas } from './population.ts'

const SERVERS = 10_000
const STARTS = 3
const ROUNDS = 5
const CHANGES = 100
/** The API server takes most of it. Bytes. */
const NEEDED = 12e9

/** Seconds from a process's start to the line of its log that says so, which it dates itself; and the line. */
async function secondsTo(message: string, { plane: { machine } }: Ground, started: number, program: RoleProcess['program']): Promise<{ readonly seconds: number; readonly line: Readonly<Record<string, unknown>> }> {
  const line = await eventually(() => program.words.split('\n').find((text) => text.includes(`"${message}"`)), `${program.name} says: ${message}`, 300_000).catch((error: Error) => { throw new Error(`${error.message}\n${machine.words()}`) })
  const parsed = JSON.parse(line) as { time: string }
  return { seconds: (Date.parse(parsed.time) - started) / 1000, line: parsed }
}

/** Seconds that a process of its own takes to list what the controller knows. */
async function listing(ground: Ground): Promise<number> {
  const started = Date.now()
  const program = ground.plane.machine.start('lister', process.execPath, ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'lister.ts')], { KUBECONFIG: kubeconfig })
  const { seconds } = await secondsTo('listed', ground, started, program)
  await program.kill()
  return seconds
}

/** One controller after the other starts over all that is there, and lists take turns with them. @returns the last one */
async function starts(ground: Ground, note: (line: string) => void): Promise<{ readonly controller: RoleProcess; readonly goals: readonly Goal[] }> {
  const [ratios, peaks]: [number[], number[]] = [[], []]
  for (let round = 1; ; round++) {
    const list = await listing(ground)
    const [mark, started] = [auditMark(ground), Date.now()]
    const controller = await startController(ground)
    const { seconds, line } = await secondsTo('the cluster is known', ground, started, controller.program)
    await settled(controller.pid)
    const { now, peak } = residentMegabytes(controller.pid)
    ratios.push(seconds / list)
    peaks.push(peak)
    note(`start ${round}: list ${list.toFixed(2)} s, controller knows ${String(line['objects'])} objects after ${seconds.toFixed(2)} s, ${(seconds / list).toFixed(2)}×; resident ${now.toFixed(0)} MB, at most ${peak.toFixed(0)} MB; its writes: ${summary(writesSince(ground, mark).filter((write) => !isRenewal(write)))}${controller.program.words.includes('no longer leader') ? '; it lost its Lease' : ''}`)
    if (round === STARTS) {
      return {
        controller, goals: [
          { what: `controller's start until it knows ${SERVERS} TServers and ${SERVERS * replicas} pods ÷ bare list of the same`, samples: ratios, bar: 3, rule: 'most', unit: '×' },
          { what: 'resident memory of the controller then, at its highest', samples: peaks, bar: 1000, rule: 'most', unit: ' MB' },
        ],
      }
    }
    await controller.stop()
  }
}

/** Resolves when a process has done nothing for a while. */
async function settled(pid: number): Promise<void> {
  for (let before = NaN; ; ) {
    const now = processorSeconds(pid)
    if (now - before < 0.05) return
    before = now
    await delay(1000)
  }
}

/** A change of one pod's readiness, to a bare watch and to the registry's answer. Milliseconds from when it was sent. */
async function change({ client }: Ground, query: QueryFProxy, seen: (name: string, version: string) => Promise<number>): Promise<{ readonly watch: number; readonly answer: number }> {
  const [index, ordinal] = [randomInt(SERVERS), randomInt(replicas)]
  const name = podName(index, ordinal)
  const id = `Bench.S${String(index).padStart(5, '0')}.FirstObj`
  const isActive = async (): Promise<boolean> => (await query.findObjectById(id)).some(({ nodeName }) => nodeName.startsWith(`${name}.`))
  const before = await isActive()
  const start = performance.now()
  const answered = (async () => {
    while ((await isActive()) === before);
    return performance.now() - start
  })()
  const written = client.patch(pods, { namespace, name }, { status: { conditions: [activeCondition(!before)] } }, { type: 'strategic', subresource: 'status' })
  const watched = written.then(({ metadata: { resourceVersion = '' } }) => seen(name, resourceVersion))
  return { watch: (await watched) - start, answer: await answered }
}

/** When a bare watch of all pods of servers brought which version of a pod. */
function bareWatch({ client }: Ground, signal: AbortSignal): { readonly opened: Promise<void>; readonly seen: (name: string, version: string) => Promise<number> } {
  const opened = Promise.withResolvers<void>()
  const events = new Map<string, PromiseWithResolvers<number>>()
  const eventOf = (name: string, version: string): PromiseWithResolvers<number> => {
    const key = `${name} ${version}`
    const known = events.get(key) ?? Promise.withResolvers<number>()
    events.set(key, known)
    return known
  }
  const follow = async (): Promise<void> => {
    const { metadata: { resourceVersion } } = await client.listPage(pods, { namespace, limit: 1 })
    for await (const { object } of client.watch(pods, { namespace, labelSelector: labels.app, resourceVersion, signal, onOpen: opened.resolve })) {
      eventOf(object.metadata.name, object.metadata.resourceVersion ?? '').resolve(performance.now())
    }
  }
  follow().catch((error: unknown) => signal.aborted || opened.reject(error))
  return { opened: opened.promise, seen: (name, version) => eventOf(name, version).promise }
}

/** Ten thousand TServers with fifty thousand pods: the controller's start and memory, and the registry's news. */
export async function huge(note: (line: string) => void): Promise<readonly Goal[]> {
  if (process.availableMemory() < NEEDED) throw new Error(`this part needs ${NEEDED / 1e9} GB of free memory; there are ${(process.availableMemory() / 1e9).toFixed(1)}`)
  const ground = await tarsGround()
  try {
    const begun = performance.now()
    await populate(ground, SERVERS, note)
    note(`${SERVERS} TServers with ${SERVERS * replicas} pods are there after ${((performance.now() - begun) / 1000).toFixed(0)} s`)
    // The API server converts all of them once when it meets a webhook; that is not the controller's start.
    const started = Date.now()
    const first = await startController(ground)
    await secondsTo('the cluster is known', ground, started, first.program)
    await settled(first.pid)
    await first.stop()
    const { controller, goals } = await starts(ground, note)
    const late = await news(ground, note)
    note(`controller after all: ${residentMegabytes(controller.pid).now.toFixed(0)} MB, at most ${residentMegabytes(controller.pid).peak.toFixed(0)} MB`)
    await controller.stop()
    return [...goals, late]
  } finally {
    await ground.stop()
  }
}

async function news(ground: Ground, note: (line: string) => void): Promise<Goal> {
  const { machine } = ground.plane
  const started = Date.now()
  const registry = await startRole(ground, 'registry', { Namespace: namespace, PodIP: machine.address })
  const { seconds } = await secondsTo('registry serves', ground, started, registry.program)
  note(`registry serves after ${seconds.toFixed(2)} s; resident ${residentMegabytes(registry.pid).now.toFixed(0)} MB, at most ${residentMegabytes(registry.pid).peak.toFixed(0)} MB`)
  const communicator = new Communicator()
  const query = communicator.proxy<QueryFProxy>(QueryF, `tars.tarsregistry.QueryObj@tcp -h ${machine.address} -p 17890`)
  const stop = new AbortController()
  const { opened, seen } = bareWatch(ground, stop.signal)
  await opened
  const samples: number[] = []
  for (let i = 0; i < CHANGES; i++) await change(ground, query, seen)
  for (let round = 1; round <= ROUNDS; round++) {
    const changes: Awaited<ReturnType<typeof change>>[] = []
    for (let i = 0; i < CHANGES; i++) changes.push(await change(ground, query, seen))
    const [watch, answer] = [changes.map((one) => one.watch), changes.map((one) => one.answer)]
    const later = changes.map((one) => one.answer - one.watch)
    samples.push(quantile(later, 0.99))
    note(`readiness, round ${round}: watch median ${median(watch).toFixed(1)}, p99 ${quantile(watch, 0.99).toFixed(1)} ms; registry's answer median ${median(answer).toFixed(1)}, p99 ${quantile(answer, 0.99).toFixed(1)} ms; later by median ${median(later).toFixed(1)}, p99 ${quantile(later, 0.99).toFixed(1)} ms`)
  }
  stop.abort()
  await communicator.close()
  await registry.stop()
  return { what: `a pod's readiness to the registry's answer, later than to a bare watch, p99 of ${CHANGES}`, samples, bar: 100, rule: 'most', unit: ' ms' }
}
