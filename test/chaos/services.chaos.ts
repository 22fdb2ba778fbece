// The framework's services, disturbed as a seed says while real clients ask, report, log and load: nothing wrong may be answered
// meanwhile, nothing that was acknowledged may be lost or count twice, and in the end all is as it should be.
import { changes } from './services/changes.ts'
import { ServicesField } from './services/field.ts'
import { Load } from './services/load.ts'
import { disturbances } from './services/disturbances.ts'
import { Disturber } from './disturber.ts'
import { healed, type ChaosOptions } from './heal.ts'
import { planOf } from './plan.ts'

/** Longest wait for the truth after the last disturbance, milliseconds: pauses between tries go up to half a minute. */
const HEAL_MS = 180_000
const LOOK_MS = 500
const disturbanceGapMs = [300, 2_500] as const
const changeGapMs = [100, 900] as const

/** @returns what did not hold; nothing when all did */
export default async function chaos(options: ChaosOptions): Promise<readonly string[]> {
  const field = await ServicesField.start()
  const load = new Load(field, options.seed)
  try {
    const faults = await disturbed(field, load, options)
    if (faults.length > 0) options.note(`what the processes said is in ${field.keepLogs()}`)
    return faults
  } finally {
    await load.stop()
    await field.stop()
  }
}

async function disturbed(field: ServicesField, load: Load, { seed, seconds, note, signal }: ChaosOptions): Promise<readonly string[]> {
  const plan = planOf(disturbances, { seed, seconds, targets: field.roles.length, gapMs: disturbanceGapMs })
  const work = planOf(changes, { seed: seed + 1, seconds, targets: load.pods.length, gapMs: changeGapMs })
  field.roles.forEach(({ name }, number) => note(`role ${number} is ${name}`))
  load.start()
  const ready = await healed(() => load.faults(), HEAL_MS, signal, LOOK_MS)
  if (ready.length > 0) return ready.map((fault) => `before anything was done: ${fault}`)
  field.measure()
  await Promise.all([
    new Disturber({ disturbances, targets: field.roles, targetName: 'role', shared: field, note }).run(plan, signal),
    new Disturber({ disturbances: changes, targets: load.pods, targetName: 'pod', shared: { configs: load.configs, signal }, note: () => {} }).run(work, signal),
  ])
  const left = await healed(() => load.faults(), HEAL_MS, signal, LOOK_MS)
  await load.endReports()
  const unsettled = await healed(async () => [...(await load.settledFaults()), ...field.leftovers()], HEAL_MS, signal, LOOK_MS)
  note(load.summary)
  return [...new Set([...field.pastFaults(), ...load.pastFaults(), ...left, ...unsettled, ...field.growth(note)])]
}
