import { labels, serverSelector } from '#api/names.ts'
import { effectiveReplicas } from '#api/replicas.ts'
import type { TServer, TServerStatus } from '#api/types.ts'
import { standstillOf } from './claimless.ts'
import { factsStatus, type Fact } from './facts.ts'
import type { Pod } from './pod-state.ts'
import { isReady, troubleOf, type Surroundings } from './trouble.ts'

/**
 * The status of a server, from itself and its pods (control-plane spec C.6, with conditions).
 * @param now RFC 3339; used for conditions that changed
 */
export function serverStatus(server: TServer, pods: readonly Pod[], surroundings: Surroundings, now: string): TServerStatus {
  const { app, server: name, variant, k8s } = server.spec
  const facts = [released(server), available(server, pods), progressing(server, pods), degraded(server, pods, surroundings)]
  return {
    replicas: k8s.daemonSet ? pods.length : (k8s.replicas ?? 0),
    readyReplicas: pods.filter(isReady).length,
    currentReplicas: pods.length,
    selector: serverSelector(app, name, variant),
    ...factsStatus(server, facts, now),
  }
}

function released({ spec: { release } }: TServer): Fact {
  return release === undefined
    ? { type: 'Released', status: 'False', reason: 'NoRelease', message: 'spec.release is not set, so nothing is started' }
    : { type: 'Released', status: 'True', reason: 'Released', message: `release ${release.id}, image ${release.image}` }
}

function available(server: TServer, pods: readonly Pod[]): Fact {
  const ready = pods.filter(isReady).length
  const wanted = server.spec.k8s.daemonSet ? pods.length : effectiveReplicas(server)
  const message = `${ready} of ${wanted} pods are ready`
  return ready > 0 && ready >= wanted
    ? { type: 'Available', status: 'True', reason: 'PodsReady', message }
    : { type: 'Available', status: 'False', reason: wanted === 0 ? 'NoPodsWanted' : 'PodsNotReady', message }
}

function progressing(server: TServer, pods: readonly Pod[]): Fact {
  const id = server.spec.release?.id
  const current = pods.filter((pod) => pod.metadata?.labels?.[labels.serverId] === id && pod.metadata?.deletionTimestamp === undefined).length
  const wanted = server.spec.k8s.daemonSet ? pods.length : effectiveReplicas(server)
  return current === wanted && pods.length === wanted
    ? { type: 'Progressing', status: 'False', reason: 'Settled', message: `all ${wanted} pods run the release` }
    : { type: 'Progressing', status: 'True', reason: 'Replacing', message: `${current} of ${wanted} pods run the release, ${pods.length} exist` }
}

/** A set that stands still; pods that have restarted and are not ready now, or wait for something that does not come. */
function degraded(server: TServer, pods: readonly Pod[], surroundings: Surroundings): Fact {
  const trouble = standstillOf(surroundings.set, pods) ?? troubleOf(server, pods, surroundings)
  if (trouble === undefined) return { type: 'Degraded', status: 'False', reason: 'AsExpected', message: 'no pod is in trouble' }
  return { type: 'Degraded', status: 'True', reason: trouble.reason, message: `${trouble.count} of ${pods.length} pods are in trouble; ${trouble.message}` }
}
