import { labels } from '#api/names.ts'
import { systemClock, type Clock } from '#base/clock.ts'
import { Lifetime, type Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import type { KubeClient } from '#kube/client.ts'
import { watchPodAddresses } from '#kube/pod-addresses.ts'
import { Notify } from '#tars/protocol/NotifyF.ts'
import { createServer } from '#tars/server.ts'
import { Inbox } from './inbox.ts'
import { Limiter, type Limit } from '#base/limiter.ts'
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
  readonly log: Logger
  readonly clock?: Clock
}

export interface RunningNotify extends Running {
  readonly port: number
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

    const servant = notifyServant({
      limiter: new Limiter(limit),
      add: (record) => inbox.add(record),
      find(question) {
        inbox.flush()
        return store.find(question)
      },
      podByAddress: addresses.find,
      clock,
      log,
    })
    const server = createServer({
      adapters: [{ endpoint: `tcp -h ${address} -p ${port} -t 60000`, servants: { 'tars.tarsnotify.NotifyObj': { interface: Notify, servant } } }],
      log,
    })
    await server.start()
    lifetime.own(server)
    lifetime.onStop(() => server.drain(drainMs))
    const bound = server.endpoints[0]?.port ?? 0
    log.info('notify serves', { address, port: bound, data: options.data })
    return Object.assign(lifetime, { port: bound })
  } catch (error) {
    await lifetime.stop().catch(() => {})
    throw error
  }
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
