import type { Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import type { KubeClient } from './client.ts'
import { Informer } from './informer.ts'
import { pods } from './resources.ts'
import type { AnyObject } from './types.ts'

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

/** The address that a pod has for itself; undefined before it has one, and in the host's own network. */
export function ownAddress(pod: AnyObject | undefined): string | undefined {
  return pod?.['spec']?.hostNetwork === true ? undefined : (pod?.['status']?.podIP as string | undefined)
}

/** The address of its host that it shares, in the host's own network. */
export function sharedAddress(pod: AnyObject | undefined): string | undefined {
  return pod?.['spec']?.hostNetwork === true ? (pod['status']?.podIP as string | undefined) : undefined
}

/** It still names its address, which may be another pod's by now. */
export function hasEnded(pod: AnyObject): boolean {
  return ['Succeeded', 'Failed'].includes(pod['status']?.phase as string)
}

/** Watches pods and keeps their names by address. */
export function watchPodAddresses({ client, namespace, labelSelector, log }: PodAddressOptions): PodAddresses {
  const byAddress = new Map<string, string>()
  const informer = new Informer({ client, namespace, labelSelector, log, resource: pods })
  informer.onChange((type, pod, old) => {
    for (const ip of [ownAddress(old), ownAddress(pod)]) if (ip !== undefined && byAddress.get(ip) === pod.metadata.name) byAddress.delete(ip)
    const ip = ownAddress(pod)
    if (type !== 'deleted' && ip !== undefined && !hasEnded(pod)) byAddress.set(ip, pod.metadata.name)
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
