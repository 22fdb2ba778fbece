// The supervisor's behaviour on one page. Every state has an entry for every event: the compiler refuses a hole.
//
//  1. A process exists exactly in the states activating to stuck; `launch` happens only on the way out of preparing,
//     which has none. So there are never two.
//  2. Each state with a deadline arms it on entry and only there; a heartbeat never moves the deadline of a stop.
//  3. Commands set the goal (run, rest, exit) and are idempotent. What follows the end of a process is decided by
//     the goal at that moment: a start during a stop is thereby queued. The goal exit is final.
//  4. Stopping takes one path: draining → stopping (AdminF.shutdown) → terminating (SIGTERM) → killing (SIGKILL); the end of
//     the pod begins with lingering in the place of draining.

export const states = ['idle', 'preparing', 'waiting', 'activating', 'active', 'draining', 'lingering', 'stopping', 'terminating', 'killing', 'stuck', 'ended'] as const
/**
 * idle: told to rest · preparing: descriptor, conf and launch plan in the making · waiting: for the relaunch delay ·
 * activating: process without its first keepAlive · active · draining: reported Deactivating, still serving ·
 * lingering: the same, for good: until callers that ask for endpoints at an interval have all asked ·
 * stopping: asked by AdminF.shutdown · terminating: SIGTERM sent · killing: SIGKILL sent ·
 * stuck: survives SIGKILL (uninterruptible sleep) · ended: the supervisor exits.
 */
export type State = (typeof states)[number]

export const events = ['start', 'stop', 'restart', 'quit', 'prepared', 'unprepared', 'alive', 'warming', 'overdue', 'gone', 'timeout', 'refused', 'alone'] as const
/**
 * start, stop, restart: NodeObj · quit: SIGTERM to the supervisor · prepared, unprepared: outcome of `prepare` ·
 * alive: keepAlive · warming: keepActiving · overdue: no heartbeat for hearttimeout · gone: the process ended or could
 * not be spawned · timeout: the state's deadline · refused: the service cannot be asked to shut down by RPC ·
 * alone: no other pod serves what this one does.
 */
export type Event = (typeof events)[number]

/**
 * prepare, abandon: begin and give up preparing · launch: spawn · shutdown: AdminF.shutdown · terminate, kill: signal
 * the process group · dump: ask the runtime for a thread dump · bury: note how it ended, sweep what it left behind ·
 * blame: count the unexpected end · exit: leave with the service's outcome · look: find out who else serves.
 */
export type Effect = 'look' | 'prepare' | 'abandon' | 'launch' | 'shutdown' | 'terminate' | 'kill' | 'dump' | 'bury' | 'blame' | 'exit'

/** `same`: no change of state; `next`: by the goal, waiting (run), idle (rest) or ended (exit). */
export interface Transition {
  readonly to: State | 'same' | 'next'
  readonly does: readonly Effect[]
}

const stay: Transition = { to: 'same', does: [] }
const go = (to: Transition['to'], ...does: Effect[]): Transition => ({ to, does })

const nothing = { prepared: stay, unprepared: stay, alive: stay, warming: stay, overdue: stay, gone: stay, timeout: stay, refused: stay, alone: stay } as const
const running = { start: stay, prepared: stay, unprepared: stay, overdue: go('stopping', 'dump', 'shutdown'), gone: go('next', 'bury', 'blame'), timeout: stay, refused: stay, alone: stay } as const
const leaving = { start: stay, stop: stay, restart: stay, quit: stay, prepared: stay, unprepared: stay, alive: stay, warming: stay, overdue: stay, gone: go('next', 'bury'), refused: stay, alone: stay } as const
const [drain, ask, begin] = [go('draining'), go('stopping', 'shutdown'), go('preparing', 'prepare')]

export const table = {
  idle: { ...nothing, start: begin, stop: stay, restart: begin, quit: go('ended', 'exit') },
  preparing: { ...nothing, start: stay, stop: go('idle', 'abandon'), restart: go('preparing', 'abandon', 'prepare'), quit: go('ended', 'abandon', 'exit'), prepared: go('activating', 'launch'), unprepared: go('waiting') },
  waiting: { ...nothing, start: begin, stop: go('idle'), restart: begin, quit: go('ended', 'exit'), timeout: begin },
  activating: { ...running, stop: ask, restart: ask, quit: ask, alive: go('active'), warming: stay },
  active: { ...running, stop: drain, restart: drain, quit: go('lingering', 'look'), alive: stay, warming: go('activating') },
  draining: { ...leaving, timeout: ask },
  lingering: { ...leaving, timeout: ask, alone: ask },
  stopping: { ...leaving, timeout: go('terminating', 'terminate'), refused: go('terminating', 'terminate') },
  terminating: { ...leaving, timeout: go('killing', 'kill') },
  killing: { ...leaving, timeout: go('stuck') },
  stuck: { ...leaving, quit: go('ended', 'exit'), timeout: stay },
  ended: { ...nothing, start: stay, stop: stay, restart: stay, quit: stay },
} satisfies Record<State, Record<Event, Transition>>
