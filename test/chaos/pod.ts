import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Communicator } from '#tars/client.ts'
import { Node, type NodeProxy } from '#tars/protocol/Node.ts'
import { layoutAt, RUNTIME_FLAGS } from '../../node/layout.ts'
import { bundle, pod, runtime } from '../node/rig.ts'
import { faultProxy, type FaultProxy } from '../rig/fault-proxy.ts'
import { PidNamespace } from '../rig/pidns.ts'
import { fakedClock } from './clock-library.ts'
import type { SharedRegistry } from './shared-registry.ts'

/** Of a command to NodeObj, milliseconds: a stop alone may take what the service is given. */
const COMMAND_MS = 10_000
/** The log folder's own file system, small enough to be filled at once. */
const DISK = 'size=2m'
const service = join(import.meta.dirname, 'service.ts')

/** A real supervisor as PID 1 with its service, and everything that can be done to them. */
export class ChaosPod {
  readonly name: string
  readonly space: PidNamespace
  readonly links: readonly FaultProxy[]
  readonly node: NodeProxy
  readonly clockFile: string
  readonly #logRoot: string
  readonly #communicator: Communicator

  private constructor(name: string, made: { space: PidNamespace; links: readonly FaultProxy[]; address: string; root: string }) {
    this.name = name
    this.space = made.space
    this.links = made.links
    this.clockFile = clockOf(made.root)
    this.#logRoot = layoutAt(made.root).logRoot
    this.#communicator = new Communicator({ timeoutMs: COMMAND_MS })
    this.node = this.#communicator.proxy<NodeProxy>(Node, `tars.tarsnode.NodeObj@tcp -h ${made.address} -p 19385`)
  }

  static async start(number: number, registry: SharedRegistry): Promise<ChaosPod> {
    const name = `echo-${number}`
    const links = await Promise.all([registry.ports.query, registry.ports.registry].map((port) => faultProxy(`${registry.address}:${port}`)))
    const [queryPort, registryPort] = links.map((link) => link.address.split(':')[1] ?? '')
    const made = pod(registry, {}, `exec ${runtime} ${service} "$@"`)
    const { logRoot } = layoutAt(made.root)
    mkdirSync(logRoot, { recursive: true })
    writeFileSync(clockOf(made.root), '+0\n')
    await registry.addPod(name, made.address)
    const env = {
      ...made.env, ...(await fakedClock(clockOf(made.root))),
      PodName: name, TARSNODE_REGISTRY: `tcp -h 127.0.0.1 -p ${queryPort}`, TARSNODE_REGISTRY_PORT: registryPort ?? '',
      TARSNODE_STDOUT_BYTES: '65536', TARSNODE_STDOUT_FILES: '2', CHAOS_LOGS: logRoot,
    }
    // Mounted in the namespace of the pod, so that the mount ends with it whatever happens to this process.
    const argv = ['/bin/sh', '-c', `mount -t tmpfs -o ${DISK} tmpfs "$CHAOS_LOGS" && exec "$0" "$@"`, runtime, ...RUNTIME_FLAGS, await bundle()]
    const space = new PidNamespace({ argv, env })
    await space.started()
    return new ChaosPod(name, { space, links, address: made.address, root: made.root })
  }

  /** Pids, as seen from here, of the live main processes of the service: PID 1's own children that run its program. */
  services(): readonly number[] {
    return childrenOf(this.space.initPid).filter((pid) => read(pid, 'cmdline').includes(service) && isAlive(pid))
  }

  /** Processes that are not PID 1 and not zombies. */
  population(): number {
    return this.space.processes().filter(({ state }) => state !== 'Z').length - 1
  }

  zombies(): readonly number[] {
    return this.space.processes().flatMap(({ pid, state }) => (state === 'Z' ? [pid] : []))
  }

  get supervisorAlive(): boolean {
    return isAlive(this.space.initPid)
  }

  /** The log folder as the pod sees it, from here. */
  get logDisk(): string {
    return join('/proc', String(this.space.initPid), 'root', this.#logRoot)
  }

  async stop(): Promise<void> {
    await this.space.destroy()
    await this.#communicator.close()
    await Promise.all(this.links.map((link) => link.stop()))
  }
}

const clockOf = (root: string): string => join(root, 'clock')

/** The pid of a process as its own namespace counts. */
export const insidePid = (pid: number): number => Number(/^NSpid:.*\t(\d+)$/m.exec(read(pid, 'status'))?.[1] ?? 0)

const isAlive = (pid: number): boolean => /^State:\t[^ZX]/m.test(read(pid, 'status'))

/** Of all threads at once would be no snapshot; the supervisor starts processes from its main thread. */
const childrenOf = (pid: number): number[] => [...read(pid, `task/${pid}/children`).matchAll(/\d+/g)].map(([word]) => Number(word))

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1')
  } catch {
    return ''
  }
}
