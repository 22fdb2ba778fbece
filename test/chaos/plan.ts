import type { Action, Drawn } from './disturbance.ts'
import { seeded } from './random.ts'

export interface PlanOptions {
  readonly seed: number
  readonly seconds: number
  /** How many there are that it can be done to. */
  readonly targets: number
  /** Milliseconds between two acts, shortest and longest. Default 150 to 1,500. */
  readonly gapMs?: readonly [number, number]
}

/** What a seed makes of some kinds of acts in a time; everything is undone before the time is over. */
export function planOf(kinds: Readonly<Record<string, Drawn>>, { seed, seconds, targets, gapMs = [150, 1_500] }: PlanOptions): readonly Action[] {
  const bag = Object.entries(kinds).flatMap(([kind, { weight }]) => Array<string>(weight).fill(kind))
  const random = seeded(seed)
  const endMs = seconds * 1000
  const actions: Action[] = []
  for (let atMs = random.whole(...gapMs); atMs < endMs; atMs += random.whole(...gapMs)) {
    const kind = random.pick(bag)
    const target = random.whole(0, targets - 1)
    const [shortest, longest] = kinds[kind]?.lasts ?? [0, 0]
    const lastsMs = Math.min(random.whole(shortest, longest), endMs - atMs)
    actions.push({ number: actions.length + 1, atMs, kind, target, lastsMs, choice: random.whole(0, 999) })
  }
  return actions
}
