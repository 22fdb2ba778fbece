import { join } from 'node:path'
import { labels } from '#api/names.ts'
import { resources } from '#api/resources.ts'
import type { TConfig } from '#api/types.ts'
import { systemClock, type Clock } from '#base/clock.ts'
import { startHealth } from '#base/health.ts'
import { Lifetime, type Running } from '#base/lifecycle.ts'
import { Limiter, type Limit } from '#base/limiter.ts'
import type { Logger } from '#base/log.ts'
import { metricsOf } from '#base/metrics.ts'
import type { KubeClient } from '#kube/client.ts'
import { Informer } from '#kube/informer.ts'
import { CallerCheck, uncheckedCallers, type CallerSettings } from '#kube/caller-check.ts'
import { watchCallers } from '#kube/callers.ts'
import { whenKnown, type Informers } from '#kube/snapshot.ts'
import type { Accounts } from '#tars/auth.ts'
import { Config } from '#tars/protocol/ConfigF.ts'
import { serveTars } from '#tars/serve.ts'
import { RequestCounters } from '#tars/server.ts'
import type { TlsSettings } from '#tars/tls.ts'
import { CommonLoads } from './common-loads.ts'
import { configServant } from './config-servant.ts'
import { ConfigLibrary } from './model/library.ts'

export interface ConfigOptions {
  readonly client: KubeClient
  readonly namespace: string
  /** Servants speak TLS, too or only. Default: they do not. */
  readonly tls?: TlsSettings | undefined
  /** Which of its objects want an account. Default: none. */
  readonly accounts?: Accounts | undefined
  /** Who may read files of which application. Default: everybody. */
  readonly callers?: CallerSettings
  readonly address: string
  /** 0 takes a free one. */
  readonly port: number
  readonly notFound: -1 | 0
  /** Loads a file, server and host; absent: any number. */
  readonly limit?: Limit | undefined
  /** Servers in a set inherit the files of no set. Default: they do not. */
  readonly setsInherit?: boolean
  /** Folder for what is known, to start from while the API server is away. */
  readonly data?: string | undefined
  /** Port of /livez, /readyz and /metrics; 0 takes a free one. */
  readonly healthPort?: number | undefined
  readonly log: Logger
  readonly signal: AbortSignal
  readonly clock?: Clock
  /** Milliseconds the API server is waited for before what was known earlier is served. Default 3000. */
  readonly patienceMs?: number
}

export interface RunningConfig extends Running {
  readonly port: number
  /** Of /livez, /readyz and /metrics; undefined when they are not served. */
  readonly healthPort: number | undefined
  /** Milliseconds since the API server last confirmed what is served. */
  ageMs(): number
}

/** Serves ConfigObj of one namespace from a watch of its TConfigs; listens once all of them are known. */
export async function startConfig(options: ConfigOptions): Promise<RunningConfig> {
  const { address, port, signal, log } = options
  const lifetime = new Lifetime()
  const giveUp = () => void lifetime.stop().catch(() => {})
  signal.addEventListener('abort', giveUp, { once: true })
  lifetime.onStop(() => signal.removeEventListener('abort', giveUp))
  try {
    const { library, configs, callers } = await startKnowing(options, lifetime)
    const check = new CallerCheck({ ...uncheckedCallers, ...options.callers, callers, wholeApp: true, above: ['tars'], log })
    // Each load counts where their number is limited, and is looked at where not everybody may have it.
    const common = options.limit === undefined && (options.callers?.mode ?? 'off') === 'off' ? new CommonLoads() : undefined
    if (common !== undefined) lifetime.onStop(configs.onChange((_, config) => common.forget(config)))
    const servant = configServant({ library, check, podByAddress: (address) => callers.at(address)?.pod, notFound: options.notFound, mayAsk: limiterOf(options), common })
    const counters = new RequestCounters()
    const [endpoint] = await serveTars({
      adapters: [{ endpoint: `tcp -h ${address} -p ${port} -t 60000`, servants: { 'tars.tarsconfig.ConfigObj': { interface: Config, servant, ...(common && { ready: common.functions }) } } }],
      log,
      tls: options.tls,
      accounts: options.accounts,
      metrics: counters,
    }, lifetime)
    const health = await healthOf(options, configs, () => counters.text() + check.metrics())
    if (health !== undefined) lifetime.own(health)
    const bound = endpoint?.port ?? 0
    log.info('config serves', { files: configs.size, address, port: bound })
    return Object.assign(lifetime, { port: bound, healthPort: health?.port, ageMs: () => configs.ageMs() })
  } catch (error) {
    await lifetime.stop().catch(() => {})
    throw error
  }
}

async function startKnowing({ client, namespace, log, data, patienceMs = 3000, setsInherit = false }: ConfigOptions, lifetime: Lifetime) {
  const library = new ConfigLibrary({ setsInherit })
  const configs = new Informer<TConfig>({ client, namespace, log, resource: resources.tconfigs })
  configs.onChange((type, config, old) => {
    if (old !== undefined) library.remove(old)
    if (type === 'deleted') library.remove(config)
    else library.set(config)
  })
  lifetime.onStop(() => configs.stop())
  configs.start()
  const callers = lifetime.own(watchCallers({ client, namespace, ownerLabels: [labels.app, labels.server], log }))
  const synced = Promise.all([configs.synced(), callers.known()])
  await (data === undefined ? synced : whenKnown({ file: join(data, 'config-snapshot.jsonl'), informers: { configs } as unknown as Informers, beside: { pods: callers.pods } as unknown as Informers, synced, patienceMs, lifetime, log }))
  return { library, configs, callers }
}

function limiterOf({ limit, clock = systemClock }: ConfigOptions): (peer: string, key: string) => boolean {
  if (limit === undefined) return () => true
  const limiter = new Limiter(limit)
  return (peer, key) => limiter.take(`${peer}/${key}`, clock.monotonic(), peer).taken
}

async function healthOf({ address, healthPort }: ConfigOptions, configs: Informer<TConfig>, more: () => string) {
  if (healthPort === undefined) return undefined
  const metric = metricsOf('tarsconfig_')
  const metrics = (): string => [
    metric('knowledge_age_seconds', 'Time since the API server last confirmed what is served.', [[configs.ageMs() / 1000]]),
    metric('versions', 'Versions of files that are known.', [[configs.size]]),
    more(),
  ].join('')
  return startHealth({ host: address, port: healthPort, problem: () => undefined, metrics })
}
