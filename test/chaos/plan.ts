import type { Action } from './disturbance.ts'
import { disturbances } from './disturbances/all.ts'
import { seeded } from './random.ts'

/** Milliseconds between two disturbances, shortest and longest. */
const GAP_MS = [150, 1_500] as const

const bag = Object.entries(disturbances).flatMap(([kind, { weight }]) => Array<string>(weight).fill(kind))

/** What a seed does to so many pods in so many seconds; everything is undone before the time is over. */
export function planOf(seed: number, seconds: number, pods: number): readonly Action[] {
  const random = seeded(seed)
  const endMs = seconds * 1000
  const actions: Action[] = []
  for (let atMs = random.whole(...GAP_MS); atMs < endMs; atMs += random.whole(...GAP_MS)) {
    const kind = random.pick(bag)
    const pod = random.whole(0, pods - 1)
    const [shortest, longest] = disturbances[kind]?.lasts ?? [0, 0]
    const lastsMs = Math.min(random.whole(shortest, longest), endMs - atMs)
    actions.push({ number: actions.length + 1, atMs, kind, pod, lastsMs, choice: random.whole(0, 999) })
  }
  return actions
}
