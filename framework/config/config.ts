import { labels } from '#api/names.ts'
import { resources } from '#api/resources.ts'
import type { TConfig } from '#api/types.ts'
import { Lifetime, type Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import type { KubeClient } from '#kube/client.ts'
import { Informer } from '#kube/informer.ts'
import { watchPodAddresses } from '#kube/pod-addresses.ts'
import { Config } from '#tars/protocol/ConfigF.ts'
import { createServer } from '#tars/server.ts'
import { configServant } from './config-servant.ts'
import { ConfigLibrary } from './model/library.ts'

export interface ConfigOptions {
  readonly client: KubeClient
  readonly namespace: string
  readonly address: string
  /** 0 takes a free one. */
  readonly port: number
  readonly notFound: -1 | 0
  readonly log: Logger
  readonly signal: AbortSignal
}

export interface RunningConfig extends Running {
  readonly port: number
  /** Milliseconds since the API server last confirmed what is served. */
  ageMs(): number
}

const drainMs = 3000

/** Serves ConfigObj of one namespace from a watch of its TConfigs; listens once all of them were listed. */
export async function startConfig({ client, namespace, address, port, notFound, log, signal }: ConfigOptions): Promise<RunningConfig> {
  const lifetime = new Lifetime()
  const giveUp = () => void lifetime.stop().catch(() => {})
  signal.addEventListener('abort', giveUp, { once: true })
  lifetime.onStop(() => signal.removeEventListener('abort', giveUp))
  try {
    const library = new ConfigLibrary()
    const configs = new Informer<TConfig>({ client, namespace, log, resource: resources.tconfigs })
    configs.onChange((type, config, old) => {
      if (old !== undefined) library.remove(old)
      if (type === 'deleted') library.remove(config)
      else library.set(config)
    })
    lifetime.onStop(() => configs.stop())
    configs.start()
    const addresses = lifetime.own(watchPodAddresses({ client, namespace, labelSelector: labels.app, log }))
    await Promise.all([configs.synced(), addresses.synced()])
    const servant = configServant({ library, podByAddress: addresses.find, notFound })
    const server = createServer({
      adapters: [{ endpoint: `tcp -h ${address} -p ${port} -t 60000`, servants: { 'tars.tarsconfig.ConfigObj': { interface: Config, servant } } }],
      log,
    })
    await server.start()
    lifetime.own(server)
    lifetime.onStop(() => server.drain(drainMs))
    const bound = server.endpoints[0]?.port ?? 0
    log.info('config serves', { files: configs.size, address, port: bound })
    return Object.assign(lifetime, { port: bound, ageMs: () => configs.ageMs() })
  } catch (error) {
    await lifetime.stop().catch(() => {})
    throw error
  }
}
