/** One act as the seed drew it. */
export interface Action {
  /** Counts from 1. */
  readonly number: number
  /** Milliseconds since the start of the run. */
  readonly atMs: number
  readonly kind: string
  /** Index of the one that it is done to. */
  readonly target: number
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

/** How often a kind of act is drawn, and how long it may last. */
export interface Drawn {
  /** How often it is drawn, next to the others. */
  readonly weight: number
  /** Shortest and longest time until it is undone, milliseconds; none for what is over at once. */
  readonly lasts?: readonly [number, number]
}

/** One kind of harm: to one of several targets, or to what they share. */
export interface Disturbance<Target, Shared> extends Drawn {
  /** It harms what all targets share, so that only one of its kind can be under way. */
  readonly shared?: true
  begin(target: Target, action: Action, shared: Shared): Begun | Promise<Begun>
}
