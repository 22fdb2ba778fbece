import { insidePid, type ChaosPod } from './pod.ts'
import type { SharedRegistry } from './shared-registry.ts'

/** What is wrong with a pod that nobody disturbs any more; nothing when all is well. */
export async function faultsOf(pod: ChaosPod, registry: SharedRegistry): Promise<readonly string[]> {
  if (!pod.supervisorAlive) return [`${pod.name}: the supervisor is gone`]
  const { condition, called } = await registry.view(pod.name)
  const services = pod.services()
  const zombies = pod.zombies()
  const truth = `Active/Active/${insidePid(services[0] ?? 0)}`
  return [
    ...(services.length === 1 ? [] : [`${pod.name}: ${services.length} service processes`]),
    ...(zombies.length === 0 ? [] : [`${pod.name}: ${zombies.length} zombies`]),
    ...(condition === truth ? [] : [`${pod.name}: its condition says ${condition ?? 'nothing'}, the truth is ${truth}`]),
    ...(called ? [] : [`${pod.name}: the registry gives it to no client`]),
  ]
}

/** @returns the two service processes that live side by side, should there be two */
export function duplicateOf(pod: ChaosPod): string | undefined {
  const services = pod.services()
  return services.length < 2 ? undefined : `${pod.name}: service processes ${services.join(' and ')} at one time`
}
