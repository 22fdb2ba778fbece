import type { ChaosPod } from './pod.ts'
import type { SharedRegistry } from './shared-registry.ts'

/** One disturbance as the seed drew it. */
export interface Action {
  /** Counts from 1. */
  readonly number: number
  /** Milliseconds since the start of the run. */
  readonly atMs: number
  readonly kind: string
  readonly pod: number
  /** Milliseconds until it is undone. */
  readonly lastsMs: number
  /** Which of several, or how much; each kind takes it as it likes. */
  readonly choice: number
}

/** What was done, for the log, and how it is undone. */
export interface Begun {
  readonly did: string
  readonly undo?: () => unknown
}

/** One kind of harm. */
export interface Disturbance {
  /** How often it is drawn, next to the others. */
  readonly weight: number
  /** Shortest and longest time until it is undone, milliseconds; none for what is over at once. */
  readonly lasts?: readonly [number, number]
  /** It harms what all pods share, so that only one of its kind can be under way. */
  readonly shared?: true
  begin(pod: ChaosPod, action: Action, registry: SharedRegistry): Begun | Promise<Begun>
}
