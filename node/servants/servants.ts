import { Failure } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'
import { createServer } from '#tars/server.ts'
import { Node } from '#tars/protocol/Node.ts'
import { ServerF } from '#tars/protocol/NodeF.ts'
import type { Settings } from '../env.ts'
import type { RegistryLink } from '../registry/link.ts'
import type { ServiceAdmin } from '../service/admin.ts'
import { writeConf } from '../service/prepare-launch.ts'
import type { Supervisor } from '../service/supervisor.ts'
import { behindGuard, CallerGuard } from './caller-guard.ts'
import { nodeObj } from './node-obj.ts'
import { serverObj } from './server-obj.ts'
import type { Libc } from '../system/libc.ts'

export interface ServantsOptions {
  readonly settings: Settings
  readonly supervisor: Supervisor
  readonly registry: RegistryLink
  readonly admin: ServiceAdmin
  readonly log: Logger
  /** Listens for ServerObj already, when it could be made. */
  readonly heartbeatSocket: number | undefined
  /** The process below which, or which itself, is the service. */
  readonly root: number
  readonly libc: Pick<Libc, 'removeSharedMemory'>
}

/** Requests are a few names. What strangers send is bounded by it, since it counts against the memory of the pod. Bytes. */
const bounds = { maxPacketBytes: 1 << 20, maxPartialBytes: 4 << 20, maxQueueBytes: 4 << 20, maxWriteBytes: 8 << 20, maxUnsentBytes: 8 << 20 } as const

/** Longest wait of loadServer for the registry, milliseconds. */
const LOAD_MS = 2_000

/**
 * Serves NodeObj on the pod's address and ServerObj on the local one; resolves when both listen.
 * @returns who may command
 * @throws Failure NODE_LISTEN naming the address that is taken
 */
export async function startServants({ settings, supervisor, registry, admin, log, heartbeatSocket, root, libc }: ServantsOptions): Promise<CallerGuard> {
  const { podIP, localAddress, nodePort, serverPort, paths } = settings
  const loadServer = async (): Promise<string> => {
    writeConf(settings, await registry.freshDescriptor(AbortSignal.timeout(LOAD_MS)))
    return paths.confFile
  }
  const ports = { loadServer, notify: (command: string) => admin.notify(command), loadConfig: (file: string) => registry.loadConfig(file), removeSharedMemory: libc.removeSharedMemory, binDir: paths.binDir, logDir: paths.logDir }
  const guard = new CallerGuard({ ask: (caller) => registry.checkCaller(caller), log })
  const server = createServer({
    adapters: [
      { endpoint: `tcp -h ${podIP} -p ${nodePort} -t 10000`, servants: { 'tars.tarsnode.NodeObj': { interface: Node, servant: behindGuard(guard, nodeObj(settings, supervisor, ports, log)) } } },
      { endpoint: `tcp -h ${localAddress} -p ${serverPort} -t 60000`, ...(heartbeatSocket === undefined ? {} : { fd: heartbeatSocket }), servants: { 'tars.tarsnode.ServerObj': { interface: ServerF, servant: serverObj({ ...settings, root }, supervisor, log) } } },
    ],
    ...bounds,
    log,
  })
  await server.start().catch((cause: unknown) => {
    throw new Failure('NODE_LISTEN', 'tarsnode cannot be reached', { cause, remedy: 'set TARSNODE_NODE_PORT or TARSNODE_SERVER_PORT in spec.k8s.env of the TServer to a free one: pods with hostNetwork share the ports of their node' })
  })
  return guard
}
