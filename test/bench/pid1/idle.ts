import { setTimeout as delay } from 'node:timers/promises'
import { Communicator } from '#tars/client.ts'
import { ServerF, type ServerFProxy } from '#tars/protocol/NodeF.ts'
import { command, descriptor, NotingRegistry, pod, supervise, type Pod } from '../../node/rig.ts'
import type { Goal } from '../goal.ts'
import { privateMegabytes, processorSeconds } from '../proc.ts'

const NODES = 10
/** The garbage of the start is given back by then, milliseconds: V8 collects by itself half a minute after the last work. */
const SETTLE_MS = 45_000
/** What the Tars libraries wait between two heartbeats. */
const HEARTBEAT_MS = 10_000
const WINDOWS = 3
const BEATS_A_WINDOW = 2

/** Tarsnodes that run from one file, each with a heart that can be made to beat. */
async function heartbeats(pods: readonly Pod[], registry: NotingRegistry, communicator: Communicator): Promise<() => Promise<void>> {
  const hearts = await Promise.all(
    pods.map(async ({ address, env }) => {
      const { pid } = await registry.report(({ pod: name, present }) => name === env['PodName'] && present === 'Activating')
      const heart = communicator.proxy<ServerFProxy>(ServerF, `tars.tarsnode.ServerObj@tcp -h ${address} -p 19386`)
      return () => heart.keepAlive({ application: 'Test', serverName: 'EchoServer', pid, adapter: '' })
    }),
  )
  return async () => void (await Promise.all(hearts.map((beat) => beat())))
}

/** Percent of a core that one of the processes used in the mean, in a window in which each got its heartbeats. */
async function percentOfCore(pids: readonly number[], beat: () => Promise<void>): Promise<number> {
  // Summed over all of them: the kernel counts in ticks of 10 ms, of which one has less than one in a window.
  const used = (): number => pids.reduce((sum, pid) => sum + processorSeconds(pid), 0)
  const [before, started] = [used(), performance.now()]
  for (let i = 0; i < BEATS_A_WINDOW; i++) {
    await beat()
    await delay(HEARTBEAT_MS)
  }
  return ((used() - before) / pids.length / ((performance.now() - started) / 1000)) * 100
}

/** Private memory and processor time of tarsnodes that do nothing but hear heartbeats. */
export async function idle(note: (line: string) => void): Promise<readonly Goal[]> {
  const registry = new NotingRegistry(descriptor())
  await registry.start()
  const pods = Array.from({ length: NODES }, (_, i) => pod(registry, { ...command('/bin/sleep', 'sleep 1000'), ServerType: 'custom', PodName: `echo-${i}` }))
  const spaces = await Promise.all(pods.map((one) => supervise(one)))
  const communicator = new Communicator()
  const beat = await heartbeats(pods, registry, communicator)
  for (let i = 0; i < 100; i++) await beat()
  await Promise.all(pods.map(({ env }) => registry.report(({ pod: name, present }) => name === env['PodName'] && present === 'Active')))
  await delay(SETTLE_MS)
  const pids = spaces.map(({ initPid }) => initPid)
  const memory = pids.map(privateMegabytes)
  note(`private memory of ${NODES} idle tarsnodes: ${memory.map((megabytes) => megabytes.toFixed(1)).join(', ')} MB`)
  const load: number[] = []
  for (let window = 0; window < WINDOWS; window++) load.push(await percentOfCore(pids, beat))
  await Promise.all(spaces.map((space) => space.destroy()))
  await communicator.close()
  await registry.stop()
  return [
    { what: `private memory of an idle tarsnode, ${NODES} from one file`, samples: memory, bar: 12, rule: 'most', unit: ' MB' },
    { what: `processor of an idle tarsnode that hears a heartbeat each ${HEARTBEAT_MS / 1000} s, mean of ${NODES}`, samples: load, bar: 0.1, rule: 'most', unit: ' % of a core' },
  ]
}
