import fc from 'fast-check'
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

const anyEvents = fc.array(fc.constantFrom(...events), { maxLength: 60 })
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
    fc.assert(
      fc.property(anyEvents, (sequence) => {
        const world = new World()
        for (const event of sequence) {
          world.happen(event)
          expect(world.processes).toBeGreaterThanOrEqual(0)
          expect(world.processes).toBeLessThanOrEqual(1)
          expect(world.preparing).toBe(world.machine.state === 'preparing' ? 1 : 0)
          if (world.machine.state !== 'ended') expect(world.processes).toBe(hasProcess(world.machine.state) ? 1 : 0)
        }
      }),
      { numRuns: 100_000 },
    )
  })

  it('always finds its way out: after quit, deadlines alone lead to the end', () => {
    fc.assert(
      fc.property(anyEvents, fc.boolean(), (sequence, dies) => {
        const world = after(sequence)
        world.happen('quit')
        for (let i = 0; i < 8 && world.machine.state !== 'ended'; i++) world.happen(dies && i === 2 ? 'gone' : 'timeout')
        expect(world.machine).toEqual({ state: 'ended', goal: 'exit' })
        expect(world.exits).toBe(1)
      }),
      { numRuns: 20_000 },
    )
  })

  it('always can be made to run again, unless it was told to leave', () => {
    fc.assert(
      fc.property(anyEvents.map((sequence) => sequence.filter((event) => event !== 'quit')), (sequence) => {
        const world = after(sequence)
        world.happen('start')
        // Every process ends sooner or later, every preparation succeeds, every deadline passes.
        for (let i = 0; i < 12 && presentState(world.machine) !== 'Active'; i++) {
          for (const event of hasProcess(world.machine.state) && world.machine.state !== 'activating' ? (['gone'] as const) : (['timeout', 'prepared', 'alive'] as const)) world.happen(event)
        }
        expect(world.machine).toEqual({ state: 'active', goal: 'run' })
      }),
      { numRuns: 20_000 },
    )
  })

  it('does not let a heartbeat move a stop', () => {
    fc.assert(
      fc.property(fc.constantFrom('draining', 'lingering', 'stopping', 'terminating', 'killing', 'stuck' as const), fc.constantFrom('alive', 'warming', 'overdue' as const), fc.constantFrom('run', 'rest', 'exit' as const), (state, event, goal) => {
        expect(step({ state, goal }, event)).toEqual({ machine: { state, goal }, effects: [], entered: false })
      }),
    )
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
