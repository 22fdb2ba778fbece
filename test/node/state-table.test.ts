import { describe, expect, it } from 'vitest'
import { hasProcess, initial, presentState, step, type Machine } from '../../node/supervisor/machine.ts'
import { events, states, table, type Effect, type Event } from '../../node/supervisor/table.ts'

/** The world of the table: which process lives, and what may happen next in it. */
class World {
  machine: Machine = initial
  processes = 0
  preparing = 0
  exits = 0
  effects: Effect[] = []
  /** What has happened, for who asks how it came so. */
  events: readonly Event[] = []

  /** Equal for worlds in which the same can happen. */
  get key(): string {
    return JSON.stringify([this.machine, this.processes, this.preparing, this.exits])
  }

  /** Another one, as this one is after an event. */
  after(event: Event): World {
    const { machine, processes, preparing, exits, events } = this
    const next = Object.assign(new World(), { machine, processes, preparing, exits, events: [...events, event] })
    next.happen(event)
    return next
  }

  apply(event: Event): void {
    const { machine, effects } = step(this.machine, event)
    this.machine = machine
    this.effects.push(...effects)
    for (const effect of effects) this.#carryOut(effect)
  }

  #carryOut(effect: Effect): void {
    if (effect === 'prepare') this.preparing++
    if (effect === 'abandon') this.preparing--
    if (effect === 'launch') {
      this.preparing--
      this.processes++
    }
    if (effect === 'bury') this.processes--
    if (effect === 'exit') this.exits++
  }

  /** What can really happen: a process ends only if there is one, a preparation finishes only if it was begun. */
  possible(event: Event): boolean {
    if (event === 'gone' || event === 'alive' || event === 'warming' || event === 'overdue' || event === 'refused') return this.processes > 0
    if (event === 'prepared') return this.preparing > 0
    if (event === 'unprepared') return this.preparing > 0
    return true
  }

  happen(event: Event): void {
    if (!this.possible(event)) return
    this.apply(event)
    if (event === 'unprepared') this.preparing--
  }
}

/** All worlds that any sequence of events can lead to, however long, each by a shortest one. */
function reachable(possible: readonly Event[] = events): World[] {
  const known = new Map([[new World().key, new World()]])
  for (const world of known.values()) {
    // What is wrong already could go on for ever.
    if ([world.processes, world.preparing, world.exits].some((count) => count < 0 || count > 1)) continue
    for (const event of possible) {
      const next = world.after(event)
      if (!known.has(next.key)) known.set(next.key, next)
    }
  }
  return [...known.values()]
}

const after = (sequence: readonly Event[]): World => {
  const world = new World()
  for (const event of sequence) world.happen(event)
  return world
}

describe('the state table', () => {
  it('has an entry for every event in every state', () => {
    for (const state of states) expect(Object.keys(table[state]).toSorted()).toEqual([...events].toSorted())
  })

  it('never has two processes, two preparations, or a process in a state without one', () => {
    const worlds = reachable()
    expect(new Set(worlds.map(({ machine }) => machine.state))).toEqual(new Set(states))
    for (const { machine: { state }, processes, preparing, events: how } of worlds) {
      expect(processes, how.join()).toBeGreaterThanOrEqual(0)
      expect(processes, how.join()).toBeLessThanOrEqual(1)
      expect(preparing, how.join()).toBe(state === 'preparing' ? 1 : 0)
      if (state !== 'ended') expect(processes, how.join()).toBe(hasProcess(state) ? 1 : 0)
    }
  })

  it('always finds its way out: after quit, deadlines alone lead to the end', () => {
    for (const before of reachable()) {
      for (const dies of [false, true]) {
        const world = before.after('quit')
        for (let i = 0; i < 8 && world.machine.state !== 'ended'; i++) world.happen(dies && i === 2 ? 'gone' : 'timeout')
        expect(world.machine, before.events.join()).toEqual({ state: 'ended', goal: 'exit' })
        expect(world.exits, before.events.join()).toBe(1)
      }
    }
  })

  it('always can be made to run again, unless it was told to leave', () => {
    for (const before of reachable(events.filter((event) => event !== 'quit'))) {
      const world = before.after('start')
      // Every process ends sooner or later, every preparation succeeds, every deadline passes.
      for (let i = 0; i < 12 && presentState(world.machine) !== 'Active'; i++) {
        for (const event of hasProcess(world.machine.state) && world.machine.state !== 'activating' ? (['gone'] as const) : (['timeout', 'prepared', 'alive'] as const)) world.happen(event)
      }
      expect(world.machine, before.events.join()).toEqual({ state: 'active', goal: 'run' })
    }
  })

  it('does not let a heartbeat move a stop', () => {
    for (const { machine, events: how } of reachable().filter(({ machine: { state } }) => presentState({ state, goal: 'run' }) === 'Deactivating')) {
      for (const event of ['alive', 'warming', 'overdue'] as const) expect(step(machine, event), [...how, event].join()).toEqual({ machine, effects: [], entered: false })
    }
  })

  it('queues a start during a stop and a stop during a start', () => {
    const world = after(['start', 'prepared', 'alive', 'stop', 'start', 'timeout', 'gone'])
    expect(world.machine).toEqual({ state: 'waiting', goal: 'run' })
    expect(after(['start', 'stop']).machine).toEqual({ state: 'idle', goal: 'rest' })
  })

  it('escalates in order', () => {
    const world = after(['start', 'prepared', 'alive', 'stop', 'timeout', 'timeout', 'timeout', 'timeout'])
    expect(world.effects).toEqual(['prepare', 'launch', 'shutdown', 'terminate', 'kill'])
    expect(world.machine.state).toBe('stuck')
  })

  it('lingers only when the pod ends, and no longer than it has callers to send elsewhere', () => {
    expect(after(['start', 'prepared', 'alive', 'restart']).machine.state).toBe('draining')
    const leaving = after(['start', 'prepared', 'alive', 'quit'])
    expect(leaving.machine.state).toBe('lingering')
    expect(leaving.effects.at(-1)).toBe('look')
    leaving.happen('alone')
    expect(leaving.machine).toEqual({ state: 'stopping', goal: 'exit' })
    expect(after(['start', 'prepared', 'alive', 'stop', 'alone']).machine.state).toBe('draining')
  })
})
