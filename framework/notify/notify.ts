import { randomBytes } from 'node:crypto'
import { labels } from '#api/names.ts'
import { systemClock, type Clock } from '#base/clock.ts'
import { HttpOutbox } from '#base/http-outbox.ts'
import { Limiter } from '#base/limiter.ts'
import { Lifetime, type Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import { metric } from '#base/metrics.ts'
import type { KubeClient } from '#kube/client.ts'
import { CallerCheck, everyone } from '#kube/caller-check.ts'
import { watchCallers } from '#kube/callers.ts'
import { dayOf, type Condition } from '#store/dataset.ts'
import { notifyDataset } from '#store/datasets.ts'
import { openStoreWithSpool } from '#store/open.ts'
import { Outbox } from '#store/outbox.ts'
import { serveStore } from '#store/serve.ts'
import type { Accounts } from '#tars/auth.ts'
import { Notify } from '#tars/protocol/NotifyF.ts'
import { ConfFile } from '#tars/conf-file.ts'
import { serveTars } from '#tars/serve.ts'
import { RequestCounters } from '#tars/server.ts'
import type { TlsSettings } from '#tars/tls.ts'
import type { NotifyEnv } from './env.ts'
import { alertBody, AlertMemory, bytesOf, isAtLeast, longestMessage, refusalOf } from './model/alert.ts'
import { noFilters, parseFilters } from './model/filter.ts'
import { recordOf, rowOf } from './model/notify-row.ts'
import type { NotifyRecord } from './model/record.ts'
import { notifyServant, type Question } from './notify-servant.ts'

export interface NotifyOptions extends Omit<NotifyEnv, 'conf' | 'alerts' | 'callers'>, Partial<Pick<NotifyEnv, 'conf' | 'alerts' | 'callers'>> {
  readonly client: KubeClient
  /** Servants speak TLS, too or only. Default: they do not. */
  readonly tls?: TlsSettings | undefined
  /** Which of its objects want an account. Default: none. */
  readonly accounts?: Accounts | undefined
  readonly log: Logger
  readonly clock?: Clock
}

export interface RunningNotify extends Running {
  readonly port: number
  readonly httpPort: number
}

/** So long notifications are gathered for one write, milliseconds. */
const gatherMs = 50
/** Bytes of alerts that wait while the webhook does not take them. */
const mostAlertBytes = 1 << 20
/** So long a look waits for what is on its way to the store, milliseconds. */
const settleMs = 2000

/** Serves NotifyObj, and over HTTP `/metrics` and what is kept here. It waits no longer than a moment for the API server, which tells whose pods notify. */
export async function startNotify(options: NotifyOptions): Promise<RunningNotify> {
  const { client, namespace, address, port, limit, log, clock = systemClock } = options
  const lifetime = new Lifetime()
  try {
    const { store, spool, metrics: ofStore } = openStoreWithSpool({ settings: options.store, dataset: notifyDataset, lifetime, log, now: () => clock.now() })
    const outbox = new Outbox({ spool, log, gatherMs })
    lifetime.onStop(() => outbox.stop())
    const callers = lifetime.own(watchCallers({ client, namespace, ownerLabels: [labels.app, labels.server], log }))
    await callers.known()
    const check = new CallerCheck({ mode: 'enforce', trusts: everyone, ...options.callers, callers, log })
    const counts = { taken: 0, dropped: 0 }
    const nextId = idsOf(clock)

    const alert = startAlerts(options, lifetime)
    const find = async ({ app, server, node, offset, limit: most }: Question): Promise<NotifyRecord[]> => {
      await outbox.flush()
      if (!spool.failing) await Promise.race([spool.empty(), new Promise((resolve) => setTimeout(resolve, settleMs).unref())])
      const where: Condition[] = [{ field: 'app', op: 'eq', value: app }, { field: 'server', op: 'eq', value: server }, ...(node === '' ? [] : [{ field: 'node', op: 'eq', value: node } as const])]
      const first = new Date(clock.now())
      first.setDate(first.getDate() - Math.min(options.store.days, 60))
      const found = await store.find(notifyDataset, { from: dayOf(first.getTime()), to: dayOf(clock.now() + 86_400_000), where, offset, limit: most })
      return found.map(recordOf)
    }
    const servant = notifyServant({
      limiter: new Limiter(limit),
      filters: startFilters(options, lifetime),
      add(record) {
        const id = nextId()
        alert.tell(record)
        return outbox.add(id, rowOf(record, id))
      },
      find, counts, check, callers, clock, log,
    })
    const counters = new RequestCounters()
    const metrics = (): string => [
      metric('tarsnotify_notifications_total', 'Notifications that were taken.', [[counts.taken]]),
      metric('tarsnotify_dropped_notifications_total', 'Notifications that were not, because there were too many of one server.', [[counts.dropped]]),
      metric('tarsnotify_lost_notifications_total', 'Notifications lost because the disk refused them for too long.', [[outbox.counts.lost]]),
      ofStore(),
      alert.metrics(),
      counters.text(),
      check.metrics(),
    ].join('')
    const http = lifetime.own(await serveStore({ address, port: options.httpPort, metrics: { '/metrics': metrics }, store: { dataset: notifyDataset, reader: store }, log }))
    const [endpoint] = await serveTars({
      adapters: [{ endpoint: `tcp -h ${address} -p ${port} -t 60000`, servants: { 'tars.tarsnotify.NotifyObj': { interface: Notify, servant } } }],
      log,
      tls: options.tls,
      accounts: options.accounts,
      metrics: counters,
    }, lifetime)
    const bound = endpoint?.port ?? 0
    log.info('notify serves', { address, port: bound, http: http.port, store: options.store.elastic?.urls ?? options.store.data })
    return Object.assign(lifetime, { port: bound, httpPort: http.port })
  } catch (error) {
    await lifetime.stop().catch(() => {})
    throw error
  }
}

/** Tells grave notifications to the webhook, if there is one. */
function startAlerts({ alerts, log, clock = systemClock }: NotifyOptions, lifetime: Lifetime) {
  if (alerts === undefined) return { tell: () => {}, metrics: () => '' }
  const { url, form, level, repeatMs } = alerts
  const outbox = lifetime.own(new HttpOutbox<{ readonly record: NotifyRecord; readonly bytes: number }>({
    url, body: (some) => alertBody(form, some.map(({ record }) => record)), weigh: ({ bytes }) => bytes, batch: longestMessage[form], capacity: mostAlertBytes,
    refusalOf: (answer) => refusalOf(form, answer), remedy: 'check TARSNOTIFY_WEBHOOK and TARSNOTIFY_WEBHOOK_FORM', log,
  }))
  const memory = new AlertMemory(repeatMs)
  return {
    tell(record: NotifyRecord): void {
      if (isAtLeast(record.level, level) && memory.isNew(record, clock.monotonic())) outbox.add({ record, bytes: bytesOf(form, record) })
    },
    metrics: () => metric('tarsnotify_alerts_total', 'Alerts that the webhook took.', [[outbox.size.sent]]) + metric('tarsnotify_alerts_lost_total', 'Alerts that the webhook did not take.', [[outbox.size.lost]]),
  }
}

function startFilters({ conf, log }: NotifyOptions, lifetime: Lifetime) {
  if (conf === undefined) return () => noFilters
  const file = lifetime.own(new ConfFile({ path: conf, parse: parseFilters, initial: noFilters, log }))
  return () => file.settings
}

/** Ids that are greater than those of earlier notifications, also of an earlier process. */
function idsOf(clock: Clock): () => string {
  const start = `${String(clock.now()).padStart(13, '0')}-${randomBytes(4).toString('hex')}`
  let next = 0
  return () => `${start}-${String(next++).padStart(10, '0')}`
}
