import { join } from 'node:path'
import { labels, registryPorts } from '#api/names.ts'
import { systemClock, type Clock } from '#base/clock.ts'
import { collectGarbage } from '#base/garbage.ts'
import { startHealth } from '#base/health.ts'
import { Lifetime, type Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import { metricsOf } from '#base/metrics.ts'
import { CallerCheck, noCallers, uncheckedCallers, type CallerCheckOptions, type CallerSettings } from '#kube/caller-check.ts'
import { podFinder } from '#kube/callers.ts'
import type { KubeClient } from '#kube/client.ts'
import { isNotFound } from '#kube/errors.ts'
import { pods } from '#kube/resources.ts'
import { whenKnown } from '#kube/snapshot.ts'
import type { KubeObject } from '#kube/types.ts'
import type { Accounts } from '#tars/auth.ts'
import { QueryF } from '#tars/protocol/QueryF.ts'
import { Registry } from '#tars/protocol/Registry.ts'
import { serveTars } from '#tars/serve.ts'
import { RequestCounters } from '#tars/server.ts'
import type { Credentials } from '#tars/security.ts'
import type { TlsSettings } from '#tars/tls.ts'
import { answerEncoder, CommonAnswers, type Answer } from './answers.ts'
import { callersOf } from './caller.ts'
import { startFeeds, type Feeds } from './feeds.ts'
import { Loads } from './loads.ts'
import { Locks } from './locks.ts'
import { Directory } from './model/directory.ts'
import type { HostForm } from './model/endpoints.ts'
import { essentials, type PodObject } from './model/pod-state.ts'
import { reportOwnPod } from './own-readiness.ts'
import { queryServant } from './query.ts'
import { registryServant } from './registry-servant.ts'
import { Reports, type WriteConditions } from './reports.ts'
import { Upstream } from './upstream.ts'

export interface RegistryOptions {
  readonly client: KubeClient
  readonly namespace: string
  /** Servants speak TLS, too or only. Default: they do not. */
  readonly tls?: TlsSettings | undefined
  /** Which of its objects want an account. Default: none. */
  readonly accounts?: Accounts | undefined
  /** By which it may ask tarsquerystat. */
  readonly token?: string | undefined
  /** As whom it asks tarsquerystat, and whom it trusts. Default: as nobody. */
  readonly credentials?: Credentials
  /** Who may command the nodes of which server. Default: everybody. */
  readonly callers?: CallerSettings
  /** Nobody else has its descriptor, either. */
  readonly guardsDescriptors?: boolean
  /** Address to listen on. */
  readonly address: string
  /** What callers get as a pod's host where nothing else is said. Default `dns`: `<pod>.<server>`. */
  readonly hostForm?: HostForm
  /** Own pod, when this runs in one. */
  readonly podName?: string | undefined
  /** Folder for what is known, to start from while the API server is away. */
  readonly data?: string | undefined
  /** Port of /livez, /readyz and /metrics; 0 takes a free one. */
  readonly healthPort?: number | undefined
  /** How weights by load are made; absent: they are not. */
  readonly loads?: { readonly everyMs: number; readonly timePercent: number } | undefined
  readonly log: Logger
  readonly signal: AbortSignal
  readonly clock?: Clock
  /** Default 17890 and 17891; 0 takes free ones. */
  readonly ports?: { readonly query: number; readonly registry: number }
  /** Milliseconds the API server is waited for before what was known earlier is served. Default 3000. */
  readonly patienceMs?: number
}

export interface RunningRegistry extends Running {
  /** In order of {@link RegistryOptions.ports}. */
  readonly ports: { readonly query: number; readonly registry: number }
  /** Of /livez, /readyz and /metrics; undefined when they are not served. */
  readonly healthPort: number | undefined
  /** Milliseconds since the API server last confirmed what is served. */
  ageMs(): number
}

const queryObject = 'tars.tarsregistry.QueryObj'

interface Parts {
  readonly directory: Directory<Answer>
  readonly common: CommonAnswers
  readonly reports: Reports
  readonly locks: Locks
  readonly upstream: Upstream
  readonly feeds: Feeds
  /** Asks the API server for a pod of a server, and knows it from then on; undefined when there is none. */
  readonly fetchPod: (name: string) => Promise<PodObject | undefined>
  readonly callers: CallerCheckOptions['callers']
}

/**
 * Serves QueryObj and RegistryObj of one namespace. It listens only once everything was listed, or was known before a
 * restart, so that it never answers from half a picture; while the API server is away it serves what it knows last.
 */
export async function startRegistry(options: RegistryOptions): Promise<RunningRegistry> {
  const { log, signal } = options
  const lifetime = new Lifetime()
  const giveUp = () => void lifetime.stop().catch(() => {})
  signal.addEventListener('abort', giveUp, { once: true })
  lifetime.onStop(() => signal.removeEventListener('abort', giveUp))
  try {
    const parts = startParts(options, lifetime)
    const { directory, feeds } = parts
    const synced = feeds.synced()
    const { data, patienceMs = 3000 } = options
    await (data === undefined ? synced : whenKnown({ file: join(data, 'registry-snapshot.jsonl'), ...feeds.kept, synced, patienceMs, lifetime, log }))
    directory.release()
    // Most of what the first lists left is garbage, and next to nothing is allocated from here on.
    collectGarbage()
    return await serve(options, parts, lifetime)
  } catch (error) {
    await lifetime.stop().catch(() => {})
    throw error
  }
}

async function serve(options: RegistryOptions, parts: Parts, lifetime: Lifetime): Promise<RunningRegistry> {
  const { directory, reports, feeds } = parts
  const { podName, loads, address, clock = systemClock, log, signal } = options
  const counters = new RequestCounters()
  const check = new CallerCheck({ ...uncheckedCallers, ...options.callers, callers: parts.callers, above: ['tars'], log })
  const bound = await serveTars({ adapters: adapters(options, parts, check), tls: options.tls, accounts: options.accounts, log, metrics: counters }, lifetime)
  const health = await healthOf(options, parts, () => counters.text() + check.metrics())
  if (health !== undefined) lifetime.own(health)
  if (podName !== undefined) lifetime.onStop(await reportOwnPod({ podName, getPod: (name) => directory.pod(name), reports, log, signal }))
  const [query, registry] = bound.map(({ port }) => port)
  const ports = { query: query ?? 0, registry: registry ?? 0 }
  if (loads !== undefined) lifetime.own(new Loads({ ...loads, directory, credentials: options.credentials, token: options.token, locator: `${queryObject}@${options.tls?.required === true ? 'ssl' : 'tcp'} -h ${address} -p ${ports.query}${options.accounts?.objects.has(queryObject) === true ? ' -e 1' : ''}`, clock, log }))
  log.info('registry serves', { ...directory.size(), address, ...ports })
  return Object.assign(lifetime, { ports, healthPort: health?.port, ageMs: feeds.ageMs })
}

function startParts({ client, namespace, tls, accounts, hostForm = 'dns', clock: given, log }: RegistryOptions, lifetime: Lifetime): Parts {
  const clock = given ?? systemClock
  const common = new CommonAnswers()
  const directory = new Directory({ hostForm, isSsl: tls?.required === true, auth: accounts?.objects, prepare: answerEncoder(), publish: common.publish })
  directory.hold()
  const fetchPod = async (name: string): Promise<PodObject | undefined> => {
    const pod = await podNow(client, namespace, name)
    if (pod !== undefined) feeds.learnPod(pod)
    return pod
  }
  const findPods = podFinder({ client, namespace, ownerLabels: [labels.app] })
  const callers = callersOf(directory, async (address) => {
    for (const pod of await findPods(address)) feeds.learnPod(essentials(pod as KubeObject & PodObject))
  })
  const reports = new Reports({ directory, clock: given ?? client.clock, log, write: conditionWriter(client, namespace), fetch: fetchPod })
  const locks = new Locks({ client, namespace, directory, clock, log })
  const upstream = new Upstream({ clock, log })
  lifetime.onStop(() => upstream.close())
  const feeds = startFeeds({ client, namespace, directory, reports, locks, log })
  lifetime.own(feeds)
  lifetime.onStop(() => reports.stop())
  return { directory, common, reports, locks, upstream, feeds, fetchPod, callers }
}

function adapters({ address, ports, guardsDescriptors = false, log }: RegistryOptions, { directory, common, reports, locks, upstream, fetchPod, feeds: { template } }: Parts, check: CallerCheck) {
  const { query, registry } = ports ?? registryPorts
  const descriptors = guardsDescriptors ? check : new CallerCheck({ ...uncheckedCallers, callers: noCallers, log })
  return [
    {
      endpoint: `tcp -h ${address} -p ${query} -t 10000`,
      servants: { [queryObject]: { interface: QueryF, servant: queryServant({ directory, upstream, locks }), ready: common.functions } },
      maxConnections: 10_000,
      queueCapacity: 10_000,
      queueTimeoutMs: 4000,
    },
    {
      endpoint: `tcp -h ${address} -p ${registry} -t 30000`,
      servants: { 'tars.tarsregistry.RegistryObj': { interface: Registry, servant: registryServant({ directory, reports, check, descriptors, template, fetchPod, log }) } },
      maxConnections: 2048,
      queueCapacity: 10_000,
      queueTimeoutMs: 4000,
    },
  ]
}

/** What is served stale is served all the same: not being confirmed does not make it unready. */
async function healthOf({ address, healthPort }: RegistryOptions, { directory, feeds }: Parts, more: () => string) {
  if (healthPort === undefined) return undefined
  const metric = metricsOf('tarsregistry_')
  const metrics = (): string => {
    const { objects, pods: count } = directory.size()
    return [
      metric('knowledge_age_seconds', 'Time since the API server last confirmed what is served.', [[feeds.ageMs() / 1000]]),
      metric('objects', 'Objects that can be asked for.', [[objects]]),
      metric('pods', 'Pods that are known.', [[count]]),
      more(),
    ].join('')
  }
  return startHealth({ host: address, port: healthPort, problem: () => undefined, metrics })
}

/** A pod of a server as the API server has it. */
async function podNow(client: KubeClient, namespace: string, name: string): Promise<PodObject | undefined> {
  try {
    const pod = (await client.get(pods, { namespace, name })) as KubeObject & PodObject
    return pod.metadata.labels?.[labels.app] === undefined ? undefined : essentials(pod)
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

/** Strategic merge puts the condition among the others; uid and resourceVersion refuse the write when the pod is another by now. */
function conditionWriter(client: KubeClient, namespace: string): WriteConditions {
  return async ({ name, uid, resourceVersion }, conditions) => {
    const body = { metadata: { uid, resourceVersion }, status: { conditions } }
    return (await client.patch(pods, { namespace, name }, body, { type: 'strategic', subresource: 'status', fieldManager: 'tarsregistry' })) as PodObject
  }
}
