import { resources } from '#api/resources.ts'
import { statefulSets } from '#kube/resources.ts'
import { setTimeout as delay } from 'node:timers/promises'
import { median, quantile, type Goal } from '../goal.ts'
import { childKinds, Watcher } from './children.ts'
import { draft, tservers } from './drafts.ts'
import { bareGround, startController, tarsGround } from './ground.ts'

const ROUNDS = 5
const SAMPLES = 60
const WARM_UP = 100
/** The controller's last writes of one TServer are not to meet the next. Milliseconds. */
const PAUSE_MS = 10

let count = 0

/** From a TServer's create, sent, to the event of its StatefulSet, received; against one create of such a TServer that asks nobody. */
export async function one(note: (line: string) => void): Promise<readonly Goal[]> {
  const [bare, full] = await Promise.all([bareGround(), tarsGround()])
  try {
    const controller = await startController(full)
    const watcher = await Watcher.open(full.client, [...childKinds, tservers()])
    const visible = async (): Promise<number> => {
      const object = draft(count++)
      const { name } = object.metadata
      const start = performance.now()
      const seen = watcher.until(() => watcher.get(statefulSets, name) !== undefined)
      await full.client.create(tservers(), object)
      const ms = (await seen) - start
      const has = (kind: { readonly kind: string }, field?: string): boolean => { const found = watcher.get(kind, name); return found !== undefined && (field === undefined || found[field] !== undefined) }
      await watcher.until(() => has(tservers(), 'status') && has(resources.tendpoints, 'status') && has(resources.texitedrecords))
      await delay(PAUSE_MS)
      return ms
    }
    const create = async (): Promise<number> => {
      const object = draft(count++)
      const start = performance.now()
      await bare.client.create(tservers(), object)
      const ms = performance.now() - start
      await delay(PAUSE_MS)
      return ms
    }
    for (let i = 0; i < WARM_UP; i++) await visible().then(create)
    const samples: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const [ours, creates]: [number[], number[]] = [[], []]
      for (let i = 0; i < SAMPLES; i++) {
        ours.push(await visible())
        creates.push(await create())
      }
      const [p95, yard] = [quantile(ours, 0.95), median(creates)]
      samples.push(p95 / yard)
      note(`round ${round + 1}: to the StatefulSet median ${median(ours).toFixed(2)}, p95 ${p95.toFixed(2)} ms; a bare create median ${yard.toFixed(2)}, p95 ${quantile(creates, 0.95).toFixed(2)} ms; p95 ÷ median ${(p95 / yard).toFixed(2)}×, p95 ÷ p95 ${(p95 / quantile(creates, 0.95)).toFixed(2)}×`)
    }
    await watcher.close()
    await controller.stop()
    return [{ what: 'TServer create to StatefulSet visible, p95 ÷ median of one bare create', samples, bar: 5, rule: 'most', unit: '×' }]
  } finally {
    await Promise.all([bare.stop(), full.stop()])
  }
}
