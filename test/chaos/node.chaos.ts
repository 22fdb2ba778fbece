// Real supervisors as PID 1, disturbed as a seed says; at the end each pod, and what the registry believes of it, must be right.
import { disturbances } from './disturbances/all.ts'
import { Disturber } from './disturber.ts'
import { healed, type ChaosOptions } from './heal.ts'
import { planOf } from './plan.ts'
import { ChaosPod } from './pod.ts'
import { SharedRegistry } from './shared-registry.ts'
import { duplicateOf, faultsOf } from './truth.ts'

const PODS = 4
const SAMPLE_MS = 200
/** Longest wait for the truth after the last disturbance, milliseconds: above the longest back-off of a crashing service. */
const HEAL_MS = 180_000

/** @returns what did not hold; nothing when all did */
export default async function chaos({ seed, seconds, note, signal }: ChaosOptions): Promise<readonly string[]> {
  const registry = new SharedRegistry()
  const pods: ChaosPod[] = []
  const faults = async (): Promise<readonly string[]> => (await Promise.all(pods.map((pod) => faultsOf(pod, registry)))).flat()
  const duplicates = new Set<string>()
  const sample = (): void => pods.map(duplicateOf).forEach((duplicate) => duplicate === undefined || duplicates.add(duplicate))
  let sampler: NodeJS.Timeout | undefined
  try {
    await registry.start()
    for (let number = 0; number < PODS; number++) pods.push(await ChaosPod.start(number, registry))
    const ready = await healed(faults, HEAL_MS, signal)
    if (ready.length > 0) return ready
    sampler = setInterval(sample, SAMPLE_MS)
    await new Disturber({ disturbances, targets: pods, targetName: 'pod', shared: registry, note }).run(planOf(disturbances, { seed, seconds, targets: PODS }), signal)
    const left = await healed(faults, HEAL_MS, signal)
    return [...duplicates, ...left]
  } finally {
    clearInterval(sampler)
    await Promise.all(pods.map((pod) => pod.stop()))
    await registry.stop()
  }
}
