// A real API server with replicas of the controller, disturbed as a seed says while a seeded operator works; in the end the cluster
// is what the operator asked for, and nothing was done on the way that nobody asked for.
import { setTimeout as pause } from 'node:timers/promises'
import { pods } from '#kube/resources.ts'
import { disturbances } from './control-plane/disturbances.ts'
import { ControlPlaneField } from './control-plane/field.ts'
import { operations } from './control-plane/operations.ts'
import { changesBetween } from './control-plane/snapshot.ts'
import { runWorkload } from './control-plane/workload.ts'
import { Disturber } from './disturber.ts'
import { healed, type ChaosOptions } from './heal.ts'
import { planOf } from './plan.ts'

/** Longest wait for the truth after the last disturbance, milliseconds: a lease must run out, and delays of retries go up to a minute. */
const HEAL_MS = 180_000
/** Between two looks at the whole cluster, milliseconds. */
const LOOK_MS = 500
/** For so long nothing may be written when all is as it should be, milliseconds. */
const QUIET_MS = 4_000
/** How often that is tried. */
const QUIET_LOOKS = 4
const disturbanceGapMs = [800, 6_000] as const
const operationGapMs = [80, 700] as const

/** @returns what did not hold; nothing when all did */
export default async function chaos(options: ChaosOptions): Promise<readonly string[]> {
  const field = await ControlPlaneField.start(options.signal)
  try {
    const faults = await disturbed(field, options)
    if (faults.length > 0) options.note(`what the controllers said is in ${await field.keepLogs()}`)
    return faults
  } finally {
    await field.stop()
  }
}

async function disturbed(field: ControlPlaneField, { seed, seconds, note, signal }: ChaosOptions): Promise<readonly string[]> {
  const plan = planOf(disturbances, { seed, seconds, targets: field.replicas.length, gapMs: disturbanceGapMs })
  const work = planOf(operations, { seed: seed + 1, seconds, targets: field.spaces.length, gapMs: operationGapMs })
  for (const { number, atMs, kind, target, lastsMs } of plan) note(`plan  #${number}: ${kind} of controller ${target} after ${(atMs / 1000).toFixed(1)} s for ${(lastsMs / 1000).toFixed(1)} s`)
  note(`plan  ${work.length} operations in ${field.spaces.map(({ namespace }) => namespace).join(', ')}`)
  const disturber = new Disturber({ disturbances, targets: field.replicas, targetName: 'controller', shared: field, note })
  const [refused] = await Promise.all([runWorkload({ plan: work, spaces: field.spaces, note }, signal), disturber.run(plan, signal)])
  const left = await settled(field, { note, signal })
  if (left.length > 0) return [...refused, ...left, ...field.pastFaults()]
  const frozen = await withoutWebhooks(field, { note, signal })
  return [...refused, ...frozen, ...(await settled(field, { note, signal })), ...field.pastFaults(), ...foughtOver(field, plan.length)]
}

/** Each disturbance ends a term at most, as do the start and the end without webhooks. */
function foughtOver({ replicas }: ControlPlaneField, disturbed: number): readonly string[] {
  const terms = replicas.flatMap((replica) => replica.terms).length
  return terms <= disturbed + 2 ? [] : [`the lease has had ${terms} holders in ${disturbed} disturbances`]
}

type Watched = Pick<ChaosOptions, 'note' | 'signal'>

/** All is as it should be, and then nobody writes any more: the last writes of others may come after, but not others after them. */
export async function settled(field: ControlPlaneField, { note, signal }: Watched): Promise<readonly string[]> {
  const started = performance.now()
  let restless: readonly string[] = []
  for (let look = 0; look < QUIET_LOOKS; look++) {
    const left = await healed(() => field.faults(), HEAL_MS, signal, LOOK_MS)
    note(`${left.length === 0 ? 'as it should be' : `${left.length} faults are left`} after ${((performance.now() - started) / 1000).toFixed(1)} s`)
    if (left.length > 0) return left
    const before = await field.snapshot()
    await pause(QUIET_MS, undefined, { signal })
    restless = changesBetween(before, await field.snapshot()).map((changed) => `${changed} is written again and again`)
    if (restless.length === 0) return []
    for (const line of restless) note(line)
  }
  return restless
}

/** With no webhook to ask, Kubernetes' own controllers go on: a pod is replaced, a namespace is emptied. */
async function withoutWebhooks({ replicas, spaces, plane: { client, machine } }: ControlPlaneField, { note }: Watched): Promise<readonly string[]> {
  await Promise.all(replicas.map((replica) => replica.takeDown()))
  const [doomed, other] = spaces
  try {
    const [pod] = (await client.list(pods, { namespace: other?.namespace, labelSelector: 'apps.kubernetes.io/pod-index' })).items
    if (pod !== undefined) {
      await client.delete(pods, pod.metadata)
      await machine.until(`${pod.metadata.name} is replaced`, async () => (await client.get(pods, pod.metadata)).metadata.uid !== pod.metadata.uid)
    }
    await doomed?.empty()
    note(`without controllers ${pod?.metadata.name ?? 'no pod'} was replaced, and namespace ${doomed?.namespace ?? ''} was emptied`)
    return []
  } catch (error) {
    return [`with all controllers down: ${error instanceof Error ? error.message : String(error)}`]
  } finally {
    for (const replica of replicas) replica.bringUp()
    await doomed?.found()
  }
}
