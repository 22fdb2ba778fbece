/** Time as a value that can be handed in, so that pure code and tests need no real clock. */
export interface Clock {
  /** Wall time, milliseconds since the epoch. */
  now(): number
  /** Milliseconds since an arbitrary start; never jumps. Use it for intervals and deadlines. */
  monotonic(): number
}

export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  monotonic: () => performance.now(),
})
