/** Deadlines of the steps of a stop, milliseconds each, counted from the entry into the step. */
export interface StopPlan {
  /** Reported Deactivating, still serving, so that clients drop the endpoint; of a stop or a restart of the service alone. */
  readonly drainMs: number
  /** The same when the pod ends. */
  readonly leaveMs: number
  /** From AdminF.shutdown to SIGTERM. */
  readonly shutdownMs: number
  /** From SIGTERM to SIGKILL. */
  readonly termMs: number
  /** From SIGKILL until the process is called stuck. */
  readonly killMs: number
}

export interface StopWishes {
  /** The pod's whole grace period (terminationGracePeriodSeconds), milliseconds. */
  readonly graceMs: number
  readonly drainMs: number
  readonly leaveMs: number
  /** The template's deactivating-timeout, milliseconds; clamped to 2 to 60 s as the native node does. */
  readonly deactivatingMs: number
}

/** Longest wait between SIGTERM and SIGKILL (the reference's). */
const TERM_MS = 10_000
const KILL_MS = 3_000

/**
 * Fits the steps into the grace: what is wished when there is room, else each step's share of what there is. The time to leave
 * is what the others leave of the grace.
 */
export function stopPlan({ graceMs, drainMs, leaveMs, deactivatingMs }: StopWishes): StopPlan {
  const shutdownMs = Math.min(60_000, Math.max(2_000, deactivatingMs))
  // A tenth (at most two seconds) stays for SIGKILL, the last report and our own exit.
  const room = graceMs - Math.min(2_000, graceMs / 10)
  const wished = drainMs + shutdownMs + TERM_MS
  const scale = Math.min(1, room / wished)
  const fit = (ms: number): number => Math.floor(ms * scale)
  const steps = { drainMs: fit(drainMs), shutdownMs: fit(shutdownMs), termMs: fit(TERM_MS), killMs: KILL_MS }
  return { ...steps, leaveMs: Math.max(steps.drainMs, Math.min(leaveMs, Math.floor(room - steps.shutdownMs - steps.termMs))) }
}
