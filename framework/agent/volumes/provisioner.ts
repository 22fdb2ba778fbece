import { isDeepStrictEqual } from 'node:util'
import { systemClock, type Clock } from '#base/clock.ts'
import { Lifetime, type Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import type { KubeClient } from '#kube/client.ts'
import type { Informer } from '#kube/informer.ts'
import { startReconciler } from '#kube/reconciler.ts'
import { HostFolders } from './host-folders.ts'
import type { Claim } from './kinds.ts'
import { reconcileVolume } from './reconcile.ts'
import { VolumeStores } from './stores.ts'

/** See {@link startProvisioner}. */
export interface ProvisionerOptions {
  readonly client: KubeClient
  readonly nodeName: string
  /** Read model of this node alone, run by the caller. */
  readonly node: Informer
  /** Folder of the node, at the same path here, below which volumes are made. */
  readonly base: string
  readonly unusedMs: number
  readonly log: Logger
  readonly clock?: Clock
}

export interface Provisioner extends Running {
  /** Volumes of this node by phase. */
  phases(): ReadonlyMap<string, number>
  /** Milliseconds since the API server last confirmed what is known. */
  ageMs(): number
}

/** Serves local volumes on this node. It does not wait for the API server: it begins when that answers. */
export function startProvisioner({ client, nodeName, node, base, unusedMs, log, clock = systemClock }: ProvisionerOptions): Provisioner {
  const lifetime = new Lifetime()
  const stores = new VolumeStores(client, nodeName, node, log)
  const reconcile = reconcileVolume({ client, stores, folders: new HostFolders(base), clock, log, unusedMs })
  const reconciler = lifetime.own(startReconciler({
    name: 'local-volumes', log, capMs: 30_000,
    // What is not known yet must not be taken for absent.
    reconcile: async (key, signal) => {
      await Promise.all([node, ...stores.own].map((informer) => informer.synced()))
      return await reconcile(key, signal)
    },
  }))
  const enqueueClaim = (claim: Claim): void => {
    for (const name of [stores.nameFor(claim), claim.spec.volumeName]) if (name !== undefined) reconciler.enqueue(name)
  }
  const enqueueAll = (): void => stores.claims.list().forEach(enqueueClaim)
  stores.claims.onChange((_type, claim) => enqueueClaim(claim))
  stores.volumes.onChange((_type, { metadata }) => reconciler.enqueue(metadata.name))
  stores.classes.onChange(enqueueAll)
  lifetime.onStop(node.onChange((_type, now, old) => isDeepStrictEqual(now.metadata.labels, old?.metadata.labels) || enqueueAll()))
  for (const informer of stores.own) {
    lifetime.onStop(() => informer.stop())
    informer.start()
  }
  return Object.assign(lifetime, {
    phases: () => {
      const ours = stores.volumes.list().filter((volume) => stores.isOurs(volume))
      return new Map(Map.groupBy(ours, ({ status }) => status?.phase ?? 'Pending').entries().map(([phase, volumes]) => [phase, volumes.length]))
    },
    ageMs: () => Math.max(...stores.own.map((informer) => informer.ageMs())),
  })
}
