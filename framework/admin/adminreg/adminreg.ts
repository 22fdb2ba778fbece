import { formerAdminRegObj } from '#api/names.ts'
import { resources } from '#api/resources.ts'
import type { TTemplate } from '#api/types.ts'
import { startHealth } from '#base/health.ts'
import { Lifetime, type Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import { metric } from '#base/metrics.ts'
import type { CallerSettings } from '#kube/caller-check.ts'
import type { KubeClient } from '#kube/client.ts'
import { Informer } from '#kube/informer.ts'
import type { Accounts } from '#tars/auth.ts'
import { Communicator } from '#tars/client.ts'
import { AdminReg } from '#tars/protocol/AdminReg.ts'
import { serveTars } from '#tars/serve.ts'
import { RequestCounters } from '#tars/server.ts'
import type { Credentials } from '#tars/security.ts'
import type { Tokens } from '#tars/tokens.ts'
import type { TlsSettings } from '#tars/tls.ts'
import { startAppCheck } from '../callers.ts'
import { startView } from '../model/view.ts'
import { forOwnApps } from './concerns.ts'
import { startGroups } from './groups.ts'
import { Nodes } from './nodes.ts'
import { adminRegistry } from './servant.ts'

export interface AdminRegistryOptions {
  readonly client: KubeClient
  readonly namespace: string
  readonly address: string
  /** 0 takes a free one. */
  readonly port: number
  /** Port of /livez, /readyz and /metrics; 0 takes a free one, without it they are not served. */
  readonly healthPort?: number | undefined
  /** Milliseconds for which callers may go on calling a node that a task has paused. Default one minute. */
  readonly drainMs?: number
  /** Servants speak TLS, too or only. Default: they do not. */
  readonly tls?: TlsSettings | undefined
  /** Which of its objects want an account. Default: none. */
  readonly accounts?: Accounts | undefined
  /** Who may call. Default: whoever reaches the port. */
  readonly tokens?: Tokens | undefined
  /** Pods may command their own application only, unless callers show tokens. Default: any. */
  readonly callers?: CallerSettings | undefined
  /** As whom it asks servants of the framework, and whom it trusts. Default: as nobody. */
  readonly credentials?: Credentials
  readonly log: Logger
  readonly signal: AbortSignal
}

export interface RunningAdminRegistry extends Running {
  readonly port: number
  readonly healthPort: number | undefined
}

/** Serves AdminRegObj of one namespace from watches; listens once everything was listed. */
export async function startAdminRegistry({ client, namespace, address, port, healthPort, log, signal, ...options }: AdminRegistryOptions): Promise<RunningAdminRegistry> {
  const lifetime = new Lifetime()
  const giveUp = () => void lifetime.stop().catch(() => {})
  signal.addEventListener('abort', giveUp, { once: true })
  lifetime.onStop(() => signal.removeEventListener('abort', giveUp))
  try {
    const view = lifetime.own(startView({ client, namespace, log }))
    const groups = lifetime.own(startGroups({ client, namespace, view, log }))
    const templates = new Informer<TTemplate>({ client, namespace, log, resource: resources.ttemplates })
    lifetime.onStop(() => templates.stop())
    templates.start()
    await Promise.all([view.synced(), groups.synced(), templates.synced()])
    const communicator = new Communicator({ timeoutMs: 5000, log, ...options.credentials })
    lifetime.onStop(() => communicator.close())
    const stopping = new AbortController()
    const guard = { isSsl: options.tls?.required === true, auth: options.accounts?.objects ?? new Set<string>() }
    const { servant, tasks } = adminRegistry({ client, namespace, view, groups, log, guard, nodes: new Nodes(communicator), template: (name) => templates.get(namespace, name) }, stopping.signal, options.drainMs)
    lifetime.onStop(() => tasks.ended())
    const check = await startAppCheck({ client, namespace, callers: options.tokens === undefined ? options.callers : undefined, log }, lifetime)
    const counters = new RequestCounters()
    const own = { interface: AdminReg, servant: forOwnApps(servant, check, view, tasks) }
    const [endpoint] = await serveTars({
      metrics: counters,
      tls: options.tls,
      accounts: options.accounts,
      adapters: [{ endpoint: `tcp -h ${address} -p ${port} -t 60000`, servants: { 'tars.tarsAdminRegistry.AdminRegObj': own, [formerAdminRegObj]: own }, tokens: options.tokens }],
      log,
    }, lifetime)
    lifetime.onStop(() => stopping.abort())
    const metrics = (): string => metric('tarsadminregistry_knowledge_age_seconds', 'Time since the API server last confirmed what is served.', [[view.ageMs() / 1000]]) + check.metrics() + counters.text()
    const health = healthPort === undefined ? undefined : lifetime.own(await startHealth({ host: address, port: healthPort, problem: () => undefined, metrics }))
    const bound = endpoint?.port ?? 0
    log.info('admin registry serves', { address, port: bound })
    return Object.assign(lifetime, { port: bound, healthPort: health?.port })
  } catch (error) {
    await lifetime.stop().catch(() => {})
    throw error
  }
}
