import { serverSelector } from '#api/names.ts'
import type { Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import type { KubeClient } from '#kube/client.ts'
import { Informer } from '#kube/informer.ts'
import { pods } from '#kube/resources.ts'

export interface OwnersOptions {
  readonly client: KubeClient
  readonly namespace: string
  /** The server of application `tars` whose pods keep what is asked for. */
  readonly server: string
  readonly port: number
  readonly log: Logger
}

/** Knows where the pods are that keep a dataset; of one that does not run undefined. */
export function watchOwners({ client, namespace, server, port, log }: OwnersOptions): Running & { readonly urls: () => (string | undefined)[] } {
  const informer = new Informer({ client, namespace, labelSelector: serverSelector('tars', server), log, resource: pods })
  informer.start()
  return {
    urls: () => informer.list().map((pod) => {
      const ip = pod['status']?.phase === 'Running' && pod.metadata.deletionTimestamp === undefined ? (pod['status'].podIP as string | undefined) : undefined
      return ip && `http://${ip.includes(':') ? `[${ip}]` : ip}:${port}`
    }),
    stop: () => informer.stop(),
    get done() {
      return informer.done
    },
  }
}
