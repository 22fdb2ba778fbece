// Which days are kept: a clock that is set wrong for a while ends none of them.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Lifetime } from '#base/lifecycle.ts'
import { silentLogger } from '#base/log.ts'
import { dayOf, type Store } from '#store/dataset.ts'
import { openStore } from '#store/open.ts'
import { dataset, row } from './rig.ts'

const hourMs = 3600_000
const noon = new Date(2026, 0, 10, 12).getTime()
const days = 3

let lifetime: Lifetime
let data: string
let store: Store
let now: number
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'tarsk8s-retention-'))
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  lifetime = new Lifetime()
  now = noon
  store = openStore({ settings: { data, days, bytes: 1 << 30, spoolBytes: 1 << 20 }, dataset, lifetime, log: silentLogger, now: () => now })
  for (const day of ['20260106', '20260107', '20260108', '20260109', '20260110']) await store.write(dataset, [row(day, { f_date: day, name: day, count: 1 })])
})
afterEach(async () => {
  vi.useRealTimers()
  await lifetime.stop()
  await rm(data, { recursive: true, force: true })
})

/** Hours go by, and the clock with them. */
async function pass(hours: number): Promise<void> {
  for (let hour = 0; hour < hours; hour++) {
    now += hourMs
    await vi.advanceTimersByTimeAsync(hourMs)
  }
}

/** After what the store was told before. */
async function kept(): Promise<string[]> {
  const groups = await store.totals(dataset, { from: '20260101', to: '20260120', where: [], groupBy: ['f_date'], measures: [] })
  return groups.map(({ keys: [day = ''] }) => day).toSorted()
}

test('a day goes some hours after its time', async () => {
  await pass(5)
  await store.trim(dataset, '00000000')
  expect(await kept()).toEqual(['20260108', '20260109', '20260110'])
  await pass(24)
  await store.trim(dataset, '00000000')
  expect([dayOf(now), await kept()]).toEqual(['20260111', ['20260109', '20260110']])
})

test.each([['ahead', 300], ['back', -300]])('a clock that is set far %s for some hours ends none', async (_where, far) => {
  await pass(5)
  now += far * 24 * hourMs
  await pass(5)
  now -= far * 24 * hourMs
  await pass(20)
  await store.trim(dataset, '00000000')
  expect([dayOf(now), await kept()]).toEqual(['20260111', ['20260109', '20260110']])
})

test('one that is far ahead when it starts ends none until it is set', async () => {
  now += 300 * 24 * hourMs
  await pass(4)
  now -= 300 * 24 * hourMs
  await store.trim(dataset, '00000000')
  expect(await kept()).toEqual(['20260106', '20260107', '20260108', '20260109', '20260110'])
})
