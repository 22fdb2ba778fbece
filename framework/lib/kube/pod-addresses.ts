import type { Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import type { KubeClient } from './client.ts'
import { Informer } from './informer.ts'
import { pods } from './resources.ts'

/** Knows which pod has which address. */
export interface PodAddresses extends Running {
  /** Name of the pod at an IP address; undefined for the host's own network, whose address pods share. */
  find(address: string): string | undefined
  /** Resolves when all pods were listed once. */
  synced(): Promise<void>
}

export interface PodAddressOptions {
  readonly client: KubeClient
  readonly namespace: string
  readonly labelSelector?: string | undefined
  readonly log: Logger
}

/** Watches pods and keeps their names by address. */
export function watchPodAddresses({ client, namespace, labelSelector, log }: PodAddressOptions): PodAddresses {
  const byAddress = new Map<string, string>()
  const informer = new Informer({ client, namespace, labelSelector, log, resource: pods })
  informer.onChange((type, pod, old) => {
    for (const known of [old, pod]) {
      const ip = known?.['status']?.podIP as string | undefined
      if (ip !== undefined && byAddress.get(ip) === known?.metadata.name) byAddress.delete(ip)
    }
    const ip = pod['status']?.podIP as string | undefined
    if (type !== 'deleted' && ip !== undefined && pod['spec']?.hostNetwork !== true) byAddress.set(ip, pod.metadata.name)
  })
  informer.start()
  return {
    find: (address) => byAddress.get(address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address),
    synced: () => informer.synced(),
    stop: () => informer.stop(),
    get done() {
      return informer.done
    },
  }
}
