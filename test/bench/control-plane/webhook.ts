import { median, type Goal } from '../goal.ts'
import { draft, tservers, type Version } from './drafts.ts'
import { bareGround, startController, tarsGround, type Ground } from './ground.ts'

const ROUNDS = 5
/** TServers of one version on one side in one go. */
const BATCH = 25
const TURNS = 8
const WARM_UP = 200

let count = 0

/** Milliseconds of each of a batch of creates, one after the other. */
async function creates({ client }: Ground, version: Version, size: number): Promise<number[]> {
  const times: number[] = []
  for (let i = 0; i < size; i++) {
    const object = draft(count++, version)
    const start = performance.now()
    await client.create(tservers(version), object)
    times.push(performance.now() - start)
  }
  return times
}

/** Both sides take turns. @returns medians in milliseconds: with webhooks, and without */
async function round(bare: Ground, full: Ground, version: Version): Promise<readonly [having: number, without: number]> {
  const times = new Map<Ground, number[]>([[bare, []], [full, []]])
  for (let turn = 0; turn < TURNS; turn++) {
    for (const ground of turn % 2 === 0 ? [bare, full] : [full, bare]) times.get(ground)?.push(...(await creates(ground, version, BATCH)))
  }
  return [median(times.get(full) ?? []), median(times.get(bare) ?? [])]
}

/** A TServer's create through mutation, validation and conversion, against one of the same object that asks nobody. */
export async function webhook(note: (line: string) => void): Promise<readonly Goal[]> {
  const [bare, full] = await Promise.all([bareGround(), tarsGround()])
  try {
    // The reconcilers' work would be measured, too: they are elsewhere.
    const controller = await startController(full, { TARSCONTROLLER_RUN: 'webhooks' })
    const goals: Goal[] = []
    for (const version of ['v1beta2', 'v1beta3'] as const) {
      for (const ground of [bare, full]) await creates(ground, version, WARM_UP)
      const samples: number[] = []
      for (let index = 1; index <= ROUNDS; index++) {
        const [having, without] = await round(bare, full, version)
        samples.push(having / without)
        note(`${version} round ${index}: webhooks ${having.toFixed(2)} ms, none ${without.toFixed(2)} ms (medians of ${BATCH * TURNS}); ${(having / without).toFixed(2)}×`)
      }
      goals.push({ what: `TServer create as ${version}, mutated, validated and converted ÷ none of it, medians`, samples, bar: 3, rule: 'most', unit: '×' })
    }
    await controller.stop()
    return goals
  } finally {
    await Promise.all([bare.stop(), full.stop()])
  }
}
