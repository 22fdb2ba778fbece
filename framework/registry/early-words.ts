// Words of nodes that come before it is known whose they are.
import { addressesOf } from '#api/topology.ts'
import type { PodObject, ReportedState } from './model/pod-state.ts'

/** Whose word it is taken for. */
export interface Speaker {
  readonly podName: string
  /** Of the pod, as far as that is known; undefined: of whichever has the address. */
  readonly uid: string | undefined
  /** Where it came from. */
  readonly address: string
}

interface EarlyWord extends Speaker {
  readonly state: ReportedState
  readonly until: number
}

/** As K8SFramework's tarsnode says it again after that time, milliseconds. */
const keptMs = 420_000
/** Words that are kept at once; then the oldest one goes. */
const most = 1000

/**
 * What nodes said before the pod was seen with its address, which says that it is their word: the kubelet tells it seconds after
 * the pod began to run. And what was last told of a pod that is gone: it may have been the word of the next one of its name, which is
 * told apart by when that was made. Of a pod and address the last word counts.
 */
export class EarlyWords {
  readonly #words = new Map<string, EarlyWord>()

  /** @param now milliseconds, of a clock that never jumps */
  keep(speaker: Speaker, state: ReportedState, now: number): void {
    const key = keyOf(speaker.podName, speaker.address)
    this.#words.delete(key)
    this.#words.set(key, { ...speaker, state, until: now + keptMs })
    for (const [oldest, { until }] of this.#words) {
      if (until > now && this.#words.size <= most) break
      this.#words.delete(oldest)
    }
  }

  /** The word that turns out to be this pod's; it is kept no longer. */
  take(pod: PodObject, now: number): ReportedState | undefined {
    if (this.#words.size === 0) return undefined
    let found: ReportedState | undefined
    for (const address of addressesOf(pod)) {
      const key = keyOf(pod.metadata.name, address)
      const word = this.#words.get(key)
      if (word === undefined) continue
      this.#words.delete(key)
      if (word.until > now && (word.uid === undefined || word.uid === pod.metadata.uid)) found = word.state
    }
    return found
  }
}

const keyOf = (podName: string, address: string): string => `${podName} ${address}`
