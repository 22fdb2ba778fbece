import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from '#base/log.ts'
import { hasGate, type PodObject } from './model/pod-state.ts'
import type { Reports } from './reports.ts'

/** What the registry says of itself: no node runs it. */
const serving = { setting: 'Active', present: 'Active', pid: '', message: '' }
const leaving = { setting: 'Active', present: 'Deactivating', pid: '', message: '' }

export interface OwnPodOptions {
  readonly podName: string
  readonly getPod: (name: string) => PodObject | undefined
  readonly reports: Reports
  readonly log: Logger
  readonly signal: AbortSignal
}

/**
 * Opens the readiness gate of the registry's own pod once it serves (framework-services 1.8), if it has that gate.
 * @returns tells that it is leaving
 */
export async function reportOwnPod({ podName, getPod, reports, log, signal }: OwnPodOptions): Promise<() => void> {
  const pod = await knownPod(podName, getPod, signal)
  if (pod === undefined || !hasGate(pod)) {
    log.info('own pod has no readiness gate to open', { pod: podName, known: pod !== undefined })
    return () => {}
  }
  reports.accept(pod, serving)
  return () => reports.accept(pod, leaving)
}

/** The pod exists, as it runs this code; the watch may be a moment behind. */
async function knownPod(name: string, getPod: OwnPodOptions['getPod'], signal: AbortSignal): Promise<PodObject | undefined> {
  for (let tries = 0; tries < 20 && !signal.aborted; tries++) {
    const pod = getPod(name)
    if (pod !== undefined) return pod
    await delay(100, undefined, { signal }).catch(() => {})
  }
  return getPod(name)
}

