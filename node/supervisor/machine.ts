import { table, type Effect, type Event, type State } from './table.ts'

/** What the supervisor is to bring about: the service runs, the service rests, the supervisor exits. */
export type Goal = 'run' | 'rest' | 'exit'

export interface Machine {
  readonly state: State
  readonly goal: Goal
}

export interface Step {
  readonly machine: Machine
  readonly effects: readonly Effect[]
  /** The state was entered (anew): its deadline is to be armed. */
  readonly entered: boolean
}

export const initial: Machine = Object.freeze({ state: 'idle', goal: 'rest' })

const goalOf: Partial<Record<Event, Goal>> = { start: 'run', restart: 'run', stop: 'rest', quit: 'exit' }
const nextOf: Record<Goal, State> = { run: 'waiting', rest: 'idle', exit: 'ended' }

/** One step of the state table; pure. */
export function step(machine: Machine, event: Event): Step {
  const goal = machine.goal === 'exit' ? 'exit' : (goalOf[event] ?? machine.goal)
  const { to, does } = table[machine.state][event]
  if (to === 'same') return { machine: { state: machine.state, goal }, effects: does, entered: false }
  const state = to === 'next' ? nextOf[goal] : to
  // Beyond SIGKILL nothing is waited for when the supervisor leaves: the kernel ends the namespace with it.
  const leaves = goal === 'exit' && (state === 'stuck' || (state === 'ended' && to === 'next'))
  return leaves ? { machine: { state: 'ended', goal }, effects: [...does, 'exit'], entered: true } : { machine: { state, goal }, effects: does, entered: true }
}

/** The names that travel in updateServerState (spec A.6). */
export type SettingState = 'Active' | 'Inactive'
export type PresentState = 'Inactive' | 'Activating' | 'Active' | 'Deactivating'

const presentOf: Record<State, PresentState> = {
  idle: 'Inactive', preparing: 'Inactive', waiting: 'Inactive', ended: 'Inactive',
  activating: 'Activating', active: 'Active',
  draining: 'Deactivating', lingering: 'Deactivating', stopping: 'Deactivating', terminating: 'Deactivating', killing: 'Deactivating', stuck: 'Deactivating',
}

export const presentState = (machine: Machine): PresentState => presentOf[machine.state]

/** Inactive only when an operator stopped the service: a pod that is being deleted was not told to rest. */
export const settingState = (machine: Machine): SettingState => (machine.goal === 'rest' ? 'Inactive' : 'Active')

/** True while a process exists or is about to be spawned by an effect of the same step. */
export const hasProcess = (state: State): boolean => presentOf[state] !== 'Inactive'
