// Who says what did not hold: each finds the fault that it is there for.
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { History } from './services/history.ts'
import { Ledger } from './services/ledger.ts'
import { PROMPT_MS, Reach } from './services/reach.ts'

describe('what was reported', () => {
  const ledger = new Ledger()
  ledger.send(new Map([['a', 2], ['b', 1]]))()
  ledger.send(new Map([['a', 1]]))

  it('is between what was acknowledged and what was sent', () => {
    for (const amount of [2, 3]) {
      const found = new Map([['a', amount], ['b', 1]])
      expect([...ledger.lack(found), ...ledger.excess(found)]).toEqual([])
    }
  })

  it('is not lost, and does not count twice', () => {
    expect(ledger.lack(new Map([['a', 1]]))).toEqual(['a was acknowledged 2 times, and counts 1', 'b was acknowledged 1 times, and counts 0'])
    expect(ledger.excess(new Map([['a', 4], ['c', 1]]))).toEqual(['a was sent 3 times, and counts 4', 'c was sent 0 times, and counts 1'])
  })
})

it('what never was is of no age, what is so is of none, and what is over grows old', async () => {
  const history = new History()
  const age = () => history.ageAt(performance.now(), performance.now())
  expect(age()).toBe(Infinity)
  history.begin()
  expect(age()).toBe(0)
  history.end()
  await sleep(5)
  expect(age()).toBeGreaterThan(3)
  history.begin()
  expect(age()).toBe(0)
})

it('whoever was cut off may be as old as the cut, and for a while after it; who starts anew, of any age', () => {
  const reach = new Reach()
  expect(reach.staleness()).toBe(PROMPT_MS)
  const began = performance.now()
  const back = reach.cut(began)
  expect(reach.staleness(began + 10_000)).toBe(10_000 + PROMPT_MS)
  back()
  const later = performance.now()
  expect(reach.staleness(later)).toBeGreaterThanOrEqual(PROMPT_MS)
  expect(reach.staleness(later + 60_000)).toBe(PROMPT_MS)
  const again = reach.cut()
  reach.forget()
  expect(reach.staleness()).toBe(Infinity)
  again()
})
