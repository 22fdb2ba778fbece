import { describe, expect, it } from 'vitest'
import { Heartbeats } from '../../node/supervisor/heartbeats.ts'
import { heartbeatLimits } from '../../node/service/prepare-launch.ts'
import { countCrash, isCrashLoop, noCrashes, relaunchDelay, STABLE_RUN_MS } from '../../node/supervisor/restart.ts'
import { stopPlan } from '../../node/supervisor/stop-plan.ts'

describe('restart policy', () => {
  it('launches at once after a first crash, then waits longer and longer up to a minute', () => {
    let record = noCrashes
    const delays: number[] = []
    for (let i = 0; i < 10; i++) {
      record = countCrash(record, 100)
      delays.push(relaunchDelay(record, () => 1))
    }
    expect(delays).toEqual([0, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000, 60_000])
    expect(relaunchDelay({ inRow: 3 }, () => 0)).toBe(1000)
  })

  it('forgets after a stable run', () => {
    const many = { inRow: 7 }
    expect(isCrashLoop(many)).toBe(true)
    expect(countCrash(many, STABLE_RUN_MS)).toEqual({ inRow: 1 })
    expect(countCrash(many, STABLE_RUN_MS - 1)).toEqual({ inRow: 8 })
  })
})

describe('stop plan', () => {
  it('keeps what is wished when the grace has room for it', () => {
    expect(stopPlan({ graceMs: 180_000, drainMs: 500, leaveMs: 100_000, deactivatingMs: 60_000 })).toEqual({ drainMs: 500, leaveMs: 100_000, shutdownMs: 60_000, termMs: 10_000, killMs: 3000 })
  })

  it.each([1000, 5000, 30_000, 120_000])('fits a stop into a grace of %i ms', (graceMs) => {
    for (const drainMs of [0, 500, 80_000]) {
      const { drainMs: drain, leaveMs, shutdownMs, termMs } = stopPlan({ graceMs, drainMs, leaveMs: 100_000, deactivatingMs: 60_000 })
      expect(leaveMs + shutdownMs + termMs).toBeLessThan(graceMs)
      expect(leaveMs).toBeGreaterThanOrEqual(drain)
      expect(termMs).toBeGreaterThan(0)
    }
  })

  it('clamps deactivating-timeout to 2 to 60 s', () => {
    const plan = (deactivatingMs: number): number => stopPlan({ graceMs: 1e9, drainMs: 0, leaveMs: 0, deactivatingMs }).shutdownMs
    expect([plan(0), plan(2500), plan(1e6)]).toEqual([2000, 2500, 60_000])
  })
})

describe('heartbeats', () => {
  it('counts one without an adapter for all, and one of an unknown adapter for none', () => {
    const beats = new Heartbeats()
    beats.begin(['A', 'B'], 0)
    beats.beat('A', 50)
    beats.beat('Unknown', 60)
    expect(beats.overdue(100, { timeoutMs: 100, firstMs: 100 })).toEqual({ adapters: ['B', 'AdminAdapter'], nextInMs: 50 })
    beats.beat('', 100)
    expect(beats.overdue(199, { timeoutMs: 100, firstMs: 100 })).toEqual({ adapters: [], nextInMs: 1 })
    beats.end()
    expect(beats.overdue(1e9, { timeoutMs: 100, firstMs: 100 }).adapters).toEqual([])
  })

  it('waits longer for the first of each adapter', () => {
    const limits = { timeoutMs: 100, firstMs: 1000 }
    const beats = new Heartbeats()
    beats.begin(['A', 'B'], 0)
    expect(beats.overdue(999, limits)).toEqual({ adapters: [], nextInMs: 1 })
    beats.beat('A', 500)
    expect(beats.overdue(600, limits)).toEqual({ adapters: ['A'], nextInMs: 400 })
    beats.beat('', 700)
    expect(beats.overdue(800, limits)).toEqual({ adapters: ['A', 'B', 'AdminAdapter'], nextInMs: 1000 })
    beats.begin(['A'], 1000)
    expect(beats.overdue(1999, limits).adapters).toEqual([])
  })

  it('takes hearttimeout for seconds where nobody can mean milliseconds, and activating-timeout for the first one', () => {
    expect(heartbeatLimits(60, 0)).toEqual({ timeoutMs: 60_000, firstMs: 60_000 })
    expect(heartbeatLimits(3600, 3000)).toEqual({ timeoutMs: 3_600_000, firstMs: 3_600_000 })
    expect(heartbeatLimits(45_000, 300_000)).toEqual({ timeoutMs: 45_000, firstMs: 300_000 })
    expect(heartbeatLimits(1e12, 1e13)).toEqual({ timeoutMs: 2 ** 31 - 1, firstMs: 2 ** 31 - 1 })
  })
})
