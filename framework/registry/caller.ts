// Who may speak for a pod. Pure.
import { plainAddress } from '#base/address.ts'
import { addressesOf, type PodObject } from './model/pod-state.ts'

/**
 * True when a call from `peer` may be the pod's own: it comes from one of the pod's addresses, also where pods share
 * the loopback network (a node there connects from its pod's address).
 */
export function isOwnPod(pod: PodObject, peer: string): boolean {
  return addressesOf(pod).includes(plainAddress(peer))
}
