// Who may speak for a pod, and who calls.
import { addressesOf } from '#api/topology.ts'
import { plainAddress } from '#base/address.ts'
import type { CallerCheckOptions } from '#kube/caller-check.ts'
import type { Directory } from './model/directory.ts'
import type { PodObject } from './model/pod-state.ts'

/** Callers by the pods that the registry knows anyway. @param learn asks the API server for those at an address */
export function callersOf(directory: Directory<unknown>, learn: (address: string) => Promise<void>): CallerCheckOptions['callers'] {
  return {
    ownersAt: (address) => directory.ownersAt(plainAddress(address)),
    isOwner: (server) => directory.isServer(server),
    learn,
  }
}

/**
 * True when a call from `peer` may be the pod's own: it comes from one of the pod's addresses, also where pods share
 * the loopback network (a node there connects from its pod's address).
 */
export function isOwnPod(pod: PodObject, peer: string): boolean {
  return addressesOf(pod).includes(plainAddress(peer))
}
