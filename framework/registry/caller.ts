// Who may speak for a pod. Pure.
import { addressesOf, plainAddress, type PodObject } from './model/pod-state.ts'

/**
 * True when a call from `peer` may be the pod's own: it comes from one of the pod's addresses. A pod on a loopback
 * address shares this machine's network, where the kernel picks 127.0.0.1 as the source: any loopback peer passes.
 * A pod that has no address yet cannot be told apart, and passes.
 */
export function isOwnPod(pod: PodObject, peer: string): boolean {
  const from = plainAddress(peer)
  const own = addressesOf(pod)
  return own.length === 0 || own.includes(from) || (isLoopback(from) && own.some(isLoopback))
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.')
}
