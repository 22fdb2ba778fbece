import { setTimeout as delay } from 'node:timers/promises'
import { Communicator } from '#tars/client.ts'
import { Node, type NodeProxy } from '#tars/protocol/Node.ts'
import { ServerF, type ServerFProxy } from '#tars/protocol/NodeF.ts'
import { command, descriptor, NotingRegistry, pod, supervise } from '../../node/rig.ts'
import type { Goal } from '../goal.ts'
import { privateMegabytes } from '../proc.ts'

const NODES = 4
const HEARTBEATS = 100_000
const RESTARTS = 1_000
/** So much of it comes before the first look: compiled code and the heap's pages come up to their size, which is no growth. */
const WARM_UP = 0.5
const AT_ONCE = 50
/** V8 collects once more by itself half a minute after the last work. */
const SETTLE_MS = 40_000
/** What a collection leaves differs by a megabyte from one to the next: the least of so many looks is what is held. */
const LOOKS = 3
const BETWEEN_LOOKS_MS = 8_000

interface Worn {
  readonly pid: number
  restart(): Promise<unknown>
  beat(): Promise<unknown>
}

async function worn(number: number, registry: NotingRegistry, communicator: Communicator): Promise<Worn & { destroy(): Promise<void> }> {
  const name = `worn-${number}`
  const { address, env } = pod(registry, { ...command('/bin/sleep', 'sleep 1000'), ServerType: 'custom', PodName: name, TARSNODE_DRAIN_MS: '0' })
  const space = await supervise({ root: '', address, env })
  const node = communicator.proxy<NodeProxy>(Node, `tars.tarsnode.NodeObj@tcp -h ${address} -p 19385 -t 60000`)
  const heart = communicator.proxy<ServerFProxy>(ServerF, `tars.tarsnode.ServerObj@tcp -h ${address} -p 19386 -t 60000`)
  let { pid } = await registry.report((report) => report.pod === name && report.pid > 0)
  return {
    pid: space.initPid,
    async restart() {
      const [old, from] = [pid, registry.reports.length]
      await node.restartServer('Test', 'EchoServer')
      pid = (await registry.report((report) => report.pod === name && report.pid > 0 && report.pid !== old, from)).pid
    },
    beat: () => heart.keepAlive({ application: 'Test', serverName: 'EchoServer', pid, adapter: '' }),
    destroy: () => space.destroy(),
  }
}

/** A share of the heartbeats and of the restarts. @returns private memory when it is quiet again, MB */
async function wear(node: Worn, share: number): Promise<number> {
  for (let i = 0; i < HEARTBEATS * share; i += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, node.beat))
  for (let i = 0; i < RESTARTS * share; i++) await node.restart()
  await delay(SETTLE_MS)
  const looks = [privateMegabytes(node.pid)]
  while (looks.length < LOOKS) {
    // A change of state, after which memory is given back anew.
    await node.restart()
    await delay(BETWEEN_LOOKS_MS)
    looks.push(privateMegabytes(node.pid))
  }
  return Math.min(...looks)
}

/** Private memory after a long life against private memory after a short one. */
export async function growth(note: (line: string) => void): Promise<readonly Goal[]> {
  const registry = new NotingRegistry(descriptor())
  await registry.start()
  const communicator = new Communicator()
  const nodes = await Promise.all(Array.from({ length: NODES }, (_, number) => worn(number, registry, communicator)))
  const young = await Promise.all(nodes.map((node) => wear(node, WARM_UP)))
  const old = await Promise.all(nodes.map((node) => wear(node, 1)))
  note(`private memory: ${young.map((megabytes) => megabytes.toFixed(1)).join(', ')} MB, after ${HEARTBEATS} heartbeats and ${RESTARTS} restarts more: ${old.map((megabytes) => megabytes.toFixed(1)).join(', ')} MB`)
  await Promise.all(nodes.map((node) => node.destroy()))
  await communicator.close()
  await registry.stop()
  return [{ what: `private memory after ${HEARTBEATS} heartbeats and ${RESTARTS} restarts ÷ before`, samples: old.map((megabytes, i) => megabytes / (young[i] ?? NaN)), bar: 1.05, rule: 'most', unit: '×' }]
}
