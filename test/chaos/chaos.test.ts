import { afterAll, describe, expect, it } from 'vitest'
import { removeScratch } from '../node/rig.ts'
import { disturbances } from './disturbances/all.ts'
import chaos from './node.chaos.ts'
import { planOf } from './plan.ts'

afterAll(removeScratch)

const planned = (seed: number, seconds: number) => planOf(disturbances, { seed, seconds, targets: 4 })

describe('a chaos run', () => {
  it('is a function of its seed, and draws every kind', () => {
    expect(planned(7, 600)).toEqual(planned(7, 600))
    expect(planned(8, 600)).not.toEqual(planned(7, 600))
    expect(new Set(planned(7, 600).map(({ kind }) => kind))).toEqual(new Set(Object.keys(disturbances)))
    expect(planned(7, 600).filter(({ atMs, lastsMs }) => atMs + lastsMs > 600_000)).toEqual([])
  })

  it('leaves every pod whole and the registry with the truth', { timeout: 600_000 }, async () => {
    const lines: string[] = []
    expect(await chaos({ seed: 7, seconds: 15, note: (line) => lines.push(line), signal: new AbortController().signal }), lines.join('\n')).toEqual([])
    expect(lines.length).toBeGreaterThan(planned(7, 15).length)
  })
})
