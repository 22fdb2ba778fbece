// Real supervisors as PID 1, disturbed as a seed says; at the end each pod, and what the registry believes of it, must be right.
import { setTimeout as pause } from 'node:timers/promises'
import { Disturber, type Field } from './disturber.ts'
import { planOf } from './plan.ts'
import { ChaosPod } from './pod.ts'
import { SharedRegistry } from './shared-registry.ts'
import { duplicateOf, faultsOf } from './truth.ts'

export interface ChaosOptions {
  readonly seed: number
  readonly seconds: number
  readonly note: (line: string) => void
  /** Ends the run early; what it started is ended all the same. */
  readonly signal: AbortSignal
}

const PODS = 4
const SAMPLE_MS = 200
/** Longest wait for the truth after the last disturbance, milliseconds: above the longest back-off of a crashing service. */
const HEAL_MS = 90_000

/** @returns what did not hold; nothing when all did */
export default async function chaos({ seed, seconds, note, signal }: ChaosOptions): Promise<readonly string[]> {
  const registry = new SharedRegistry()
  const pods: ChaosPod[] = []
  try {
    await registry.start()
    for (let number = 0; number < PODS; number++) pods.push(await ChaosPod.start(number, registry))
    const ready = await healed(pods, registry, signal)
    if (ready.length > 0) return ready
    return await disturbed({ pods, registry, note }, planOf(seed, seconds, PODS), signal)
  } finally {
    await Promise.all(pods.map((pod) => pod.stop()))
    await registry.stop()
  }
}

async function disturbed(field: Field, plan: ReturnType<typeof planOf>, signal: AbortSignal): Promise<readonly string[]> {
  const { pods, registry, note } = field
  const duplicates = new Set<string>()
  const sampler = setInterval(() => {
    for (const pod of pods) {
      const duplicate = duplicateOf(pod)
      if (duplicate !== undefined) duplicates.add(duplicate)
    }
  }, SAMPLE_MS)
  try {
    const disturber = new Disturber(field)
    await disturber.run(plan, signal)
    for (const [kind, count] of [...disturber.counts].toSorted(([a], [b]) => a.localeCompare(b))) note(`${String(count).padStart(5)} × ${kind}`)
    const left = await healed(pods, registry, signal)
    return [...duplicates, ...left]
  } finally {
    clearInterval(sampler)
  }
}

/** Waits until no pod has a fault. @returns those that are left at the deadline */
async function healed(pods: readonly ChaosPod[], registry: SharedRegistry, signal: AbortSignal): Promise<readonly string[]> {
  const deadline = performance.now() + HEAL_MS
  for (;;) {
    const faults = (await Promise.all(pods.map((pod) => faultsOf(pod, registry)))).flat()
    if (faults.length === 0 || performance.now() > deadline) return faults
    await pause(100, undefined, { signal })
  }
}
