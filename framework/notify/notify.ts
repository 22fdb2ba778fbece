import { labels } from '#api/names.ts'
import { HttpOutbox } from '#base/http-outbox.ts'
import { startHealth } from '#base/health.ts'
import { metricsOf } from '#base/metrics.ts'
import { systemClock, type Clock } from '#base/clock.ts'
import { Lifetime, type Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import type { KubeClient } from '#kube/client.ts'
import { watchPodAddresses } from '#kube/pod-addresses.ts'
import { Notify } from '#tars/protocol/NotifyF.ts'
import { ConfFile } from '#tars/conf-file.ts'
import { createServer, RequestCounters } from '#tars/server.ts'
import { Inbox } from './inbox.ts'
import { Limiter, type Limit } from '#base/limiter.ts'
import { alertBody, AlertMemory, isAtLeast } from './model/alert.ts'
import { noFilters, parseFilters } from './model/filter.ts'
import type { NotifyRecord } from './model/record.ts'
import type { AlertSettings } from './env.ts'
import { notifyServant } from './notify-servant.ts'
import { NotifyStore, type Retention } from './store.ts'

export interface NotifyOptions {
  readonly client: KubeClient
  readonly namespace: string
  readonly address: string
  /** 0 takes a free one. */
  readonly port: number
  /** Folder of the store, or `:memory:`. */
  readonly data: string
  readonly limit: Limit
  readonly retention: Retention
  /** File with filters. */
  readonly conf?: string | undefined
  readonly alerts?: AlertSettings | undefined
  /** Port of /livez, /readyz and /metrics; 0 takes a free one. */
  readonly healthPort?: number | undefined
  readonly log: Logger
  readonly clock?: Clock
}

export interface RunningNotify extends Running {
  readonly port: number
  /** Of /livez, /readyz and /metrics; undefined when they are not served. */
  readonly healthPort: number | undefined
}

const drainMs = 3000
const trimEveryMs = 3600_000

/** Serves NotifyObj. It does not wait for the API server, which only lends it the names of pods. */
export async function startNotify(options: NotifyOptions): Promise<RunningNotify> {
  const { client, namespace, address, port, limit, retention, log, clock = systemClock } = options
  const lifetime = new Lifetime()
  try {
    const store = new NotifyStore(options.data)
    lifetime.onStop(() => store.close())
    const inbox = new Inbox({ append: (records) => store.append(records), log })
    lifetime.onStop(() => inbox.stop())
    startTrimming(lifetime, () => store.trim(retention, clock.now()), log)
    const addresses = lifetime.own(watchPodAddresses({ client, namespace, labelSelector: labels.app, log }))

    const alert = startAlerts(options, lifetime)
    const servant = notifyServant({
      limiter: new Limiter(limit),
      filters: startFilters(options, lifetime),
      add(record) {
        inbox.add(record)
        alert.tell(record)
      },
      find(question) {
        inbox.flush()
        return store.find(question)
      },
      podByAddress: addresses.find,
      clock,
      log,
    })
    const counters = new RequestCounters()
    const server = createServer({
      adapters: [{ endpoint: `tcp -h ${address} -p ${port} -t 60000`, servants: { 'tars.tarsnotify.NotifyObj': { interface: Notify, servant } } }],
      log,
      metrics: counters,
    })
    await server.start()
    lifetime.own(server)
    lifetime.onStop(() => server.drain(drainMs))
    const health = options.healthPort === undefined ? undefined : lifetime.own(await startHealth({ host: address, port: options.healthPort, problem: () => undefined, metrics: () => alert.metrics() + counters.text() }))
    const bound = server.endpoints[0]?.port ?? 0
    log.info('notify serves', { address, port: bound, data: options.data })
    return Object.assign(lifetime, { port: bound, healthPort: health?.port })
  } catch (error) {
    await lifetime.stop().catch(() => {})
    throw error
  }
}

/** Tells grave notifications to the webhook, if there is one. */
function startAlerts({ alerts, log, clock = systemClock }: NotifyOptions, lifetime: Lifetime) {
  if (alerts === undefined) return { tell: () => {}, metrics: () => '' }
  const { url, form, level, repeatMs } = alerts
  const outbox = lifetime.own(new HttpOutbox<NotifyRecord>({ url, body: (records) => alertBody(form, records), batch: 50, capacity: 1000, remedy: 'check TARSNOTIFY_WEBHOOK and TARSNOTIFY_WEBHOOK_FORM', log }))
  const memory = new AlertMemory(repeatMs)
  const metric = metricsOf('tarsnotify_')
  return {
    tell(record: NotifyRecord): void {
      if (isAtLeast(record.level, level) && memory.isNew(record, clock.monotonic())) outbox.add(record)
    },
    metrics: () => metric('alerts_total', 'Alerts that the webhook took.', [[outbox.size.sent]]) + metric('alerts_lost_total', 'Alerts that the webhook did not take.', [[outbox.size.lost]]),
  }
}

function startFilters({ conf, log }: NotifyOptions, lifetime: Lifetime) {
  if (conf === undefined) return () => noFilters
  const file = lifetime.own(new ConfFile({ path: conf, parse: parseFilters, initial: noFilters, log }))
  return () => file.settings
}

function startTrimming(lifetime: Lifetime, trim: () => number, log: Logger): void {
  const run = () => {
    try {
      const dropped = trim()
      if (dropped > 0) log.info('old notifications dropped', { dropped })
    } catch (error) {
      log.error('old notifications not dropped', { error })
    }
  }
  run()
  const timer = setInterval(run, trimEveryMs)
  lifetime.onStop(() => clearInterval(timer))
}
