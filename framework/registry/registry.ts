import { registryPorts } from '#api/names.ts'
import { systemClock, type Clock } from '#base/clock.ts'
import { Lifetime, type Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import type { KubeClient } from '#kube/client.ts'
import { pods } from '#kube/resources.ts'
import { QueryF } from '#tars/protocol/QueryF.ts'
import { Registry } from '#tars/protocol/Registry.ts'
import { createServer } from '#tars/server.ts'
import { answerEncoder } from './answers.ts'
import { startFeeds } from './feeds.ts'
import { Directory } from './model/directory.ts'
import type { HostForm } from './model/endpoints.ts'
import type { PodObject } from './model/pod-state.ts'
import { reportOwnPod } from './own-readiness.ts'
import { registryServant } from './registry-servant.ts'
import { Reports, type WriteConditions } from './reports.ts'
import { queryServant } from './query.ts'

export interface RegistryOptions {
  readonly client: KubeClient
  readonly namespace: string
  /** Address to listen on. */
  readonly address: string
  /** What callers get as a pod's host. Default `dns`: `<pod>.<server>`. */
  readonly hostForm?: HostForm
  /** Own pod, when this runs in one. */
  readonly podName?: string | undefined
  readonly log: Logger
  readonly signal: AbortSignal
  readonly clock?: Clock
  /** Default 17890 and 17891; 0 takes free ones. */
  readonly ports?: { readonly query: number; readonly registry: number }
}

export interface RunningRegistry extends Running {
  /** In order of {@link RegistryOptions.ports}. */
  readonly ports: { readonly query: number; readonly registry: number }
  /** Milliseconds since the API server last confirmed what is served. */
  ageMs(): number
}

/** Milliseconds a caller may still be answered after the registry was asked to stop. */
const drainMs = 3000

/**
 * Serves QueryObj and RegistryObj of one namespace. It listens only once everything was listed, so that it never
 * answers from half a picture; while the API server is away it serves what it knows last.
 */
export async function startRegistry(options: RegistryOptions): Promise<RunningRegistry> {
  const { client, namespace, log, signal, clock = systemClock } = options
  const lifetime = new Lifetime()
  const giveUp = () => void lifetime.stop().catch(() => {})
  signal.addEventListener('abort', giveUp, { once: true })
  lifetime.onStop(() => signal.removeEventListener('abort', giveUp))
  try {
    const directory = new Directory({ hostForm: options.hostForm ?? 'dns', prepare: answerEncoder() })
    directory.hold()
    const reports = new Reports({ directory, clock, log, write: conditionWriter(client, namespace) })
    const feeds = startFeeds({ client, namespace, directory, reports, log })
    lifetime.own(feeds)
    lifetime.onStop(() => reports.stop())
    await feeds.synced()
    directory.release()

    const server = createServer({ adapters: adapters(options, directory, reports, feeds.template), log })
    await server.start()
    lifetime.own(server)
    lifetime.onStop(() => server.drain(drainMs))
    if (options.podName !== undefined) {
      const leave = await reportOwnPod({ podName: options.podName, getPod: (name) => directory.pod(name), reports, log, signal })
      lifetime.onStop(leave)
    }
    const [query, registry] = server.endpoints
    log.info('registry serves', { ...directory.size(), address: options.address, query: query?.port, registry: registry?.port })
    return Object.assign(lifetime, { ports: { query: query?.port ?? 0, registry: registry?.port ?? 0 }, ageMs: feeds.ageMs })
  } catch (error) {
    await lifetime.stop().catch(() => {})
    throw error
  }
}

type Find = Parameters<typeof queryServant>[0]

function adapters({ address, ports, log }: RegistryOptions, directory: Directory<ReturnType<Find>>, reports: Reports, template: Parameters<typeof registryServant>[0]['template']) {
  const { query, registry } = ports ?? registryPorts
  return [
    {
      endpoint: `tcp -h ${address} -p ${query} -t 10000`,
      servants: { 'tars.tarsregistry.QueryObj': { interface: QueryF, servant: queryServant((id) => directory.find(id)) } },
      maxConnections: 10_000,
      queueCapacity: 10_000,
      queueTimeoutMs: 4000,
    },
    {
      endpoint: `tcp -h ${address} -p ${registry} -t 30000`,
      servants: { 'tars.tarsregistry.RegistryObj': { interface: Registry, servant: registryServant({ directory, reports, template, log }) } },
      maxConnections: 2048,
      queueCapacity: 10_000,
      queueTimeoutMs: 4000,
    },
  ]
}

/** Strategic merge puts the condition among the others; the uid refuses the write when the pod is another by now. */
function conditionWriter(client: KubeClient, namespace: string): WriteConditions {
  return async (name, uid, conditions) => {
    const body = { ...(uid === undefined ? {} : { metadata: { uid } }), status: { conditions } }
    return (await client.patch(pods, { namespace, name }, body, { type: 'strategic', subresource: 'status', fieldManager: 'tarsregistry' })) as PodObject
  }
}
