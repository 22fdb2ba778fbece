import { expect, it } from 'vitest'
import { planOf } from './plan.ts'
import { changes } from './services/changes.ts'
import { disturbances } from './services/disturbances.ts'
import chaos from './services.chaos.ts'

it('is a function of its seed, and draws every kind', () => {
  for (const kinds of [disturbances, changes]) {
    const planned = (seed: number) => planOf(kinds, { seed, seconds: 600, targets: 10 })
    expect(planned(7)).toEqual(planned(7))
    expect(planned(8)).not.toEqual(planned(7))
    expect(new Set(planned(7).map(({ kind }) => kind))).toEqual(new Set(Object.keys(kinds)))
  }
})

it('leaves the services of the framework right, whatever is done to them', { timeout: 900_000 }, async () => {
  const lines: string[] = []
  expect(await chaos({ seed: 7, seconds: 12, note: (line) => lines.push(line), signal: new AbortController().signal }), lines.join('\n')).toEqual([])
  expect(lines.join('\n')).toMatch(/[1-9]\d* of [1-9]\d* lines of stat, [1-9]\d* of [1-9]\d* values, [1-9]\d* lines of logs, [1-9]\d* notifications/)
})
