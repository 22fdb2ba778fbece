import { afterAll, describe, expect, it } from 'vitest'
import { removeScratch } from '../node/rig.ts'
import { disturbances } from './disturbances/all.ts'
import chaos from './node.chaos.ts'
import { planOf } from './plan.ts'

afterAll(removeScratch)

describe('a chaos run', () => {
  it('is a function of its seed, and draws every kind', () => {
    expect(planOf(7, 600, 4)).toEqual(planOf(7, 600, 4))
    expect(planOf(8, 600, 4)).not.toEqual(planOf(7, 600, 4))
    expect(new Set(planOf(7, 600, 4).map(({ kind }) => kind))).toEqual(new Set(Object.keys(disturbances)))
    expect(planOf(7, 600, 4).filter(({ atMs, lastsMs }) => atMs + lastsMs > 600_000)).toEqual([])
  })

  it('leaves every pod whole and the registry with the truth', { timeout: 240_000 }, async () => {
    const lines: string[] = []
    expect(await chaos({ seed: 7, seconds: 15, note: (line) => lines.push(line), signal: new AbortController().signal }), lines.join('\n')).toEqual([])
    expect(lines.length).toBeGreaterThan(planOf(7, 15, 4).length)
  })
})
