// One thread writes and another looks: neither is in the other's way.
import { readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Store } from '#store/dataset.ts'
import { openSqliteStore } from '#store/sqlite/store.ts'
import { dataset, row } from './rig.ts'

let folder: string
let store: Store
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tarsk8s-threads-'))
  store = await openSqliteStore(folder)
})
afterAll(async () => {
  await store?.close()
  await rm(folder, { recursive: true, force: true })
})

test('days that begin, are written to and go, while all of them are asked about without a pause', async () => {
  const ask = async (): Promise<number> => (await store.totals(dataset, { from: '20260101', to: '20260228', where: [], groupBy: [], measures: [{ field: 'count', by: 'sum' }] }))[0]?.values[0] ?? 0
  let writing = true
  let looks = 0
  const looking = (async () => {
    for (; writing; looks++) await ask()
  })()
  const days = Array.from({ length: 40 }, (_, index) => `2026${index < 28 ? '01' : '02'}${String((index % 28) + 1).padStart(2, '0')}`)
  for (const day of days) for (let part = 0; part < 3; part++) expect(await store.write(dataset, [row(`${day}-${part}`, { f_date: day, name: 'x', count: 1 })])).toBe(0)
  for (const day of days.slice(0, 20)) await store.trim(dataset, day)
  writing = false
  await looking
  expect(looks).toBeGreaterThan(10)
  expect(await ask()).toBe((40 - 19) * 3)
})

test('more at once than can wait is refused, and may be asked again', async () => {
  const asked = await Promise.allSettled(Array.from({ length: 300 }, () => store.last(dataset)))
  const refused = asked.filter((one) => one.status === 'rejected')
  expect(refused.length).toBe(100)
  expect(refused[0]).toMatchObject({ reason: { code: 'STORE_BUSY', temporary: true } })
  expect(await store.last(dataset)).toMatchObject({ day: '20260212' })
})

test('beyond its bytes the oldest days go; when the only day has them all, what is new is refused', async () => {
  const own = await mkdtemp(join(tmpdir(), 'tarsk8s-room-'))
  const bounded = await openSqliteStore(own, 1 << 20)
  const day = (name: string): Promise<number>[] => Array.from({ length: 8 }, (_, part) => bounded.write(dataset, Array.from({ length: 200 }, (_unused, index) => row(`${name}-${part}-${index}`, { f_date: name, name: 'x'.repeat(200), count: 1 }))))
  const files = () => readdirSync(join(own, 'stat')).filter((name) => name.endsWith('.sqlite'))
  for (const name of ['20260101', '20260102', '20260103', '20260104']) for (const write of day(name)) expect(await write).toBe(0)
  expect(files().at(-1)).toBe('20260104.sqlite')
  expect(files().length).toBeLessThan(4)
  expect(await Promise.all(day('20260105'))).toEqual([0, 0, 0, 0, 0, 0, 0, 0])
  let full = 0
  for (let more = 0; more < 40 && full === 0; more++) full = await bounded.write(dataset, Array.from({ length: 500 }, (_, index) => row(`more-${more}-${index}`, { f_date: '20260105', name: 'y'.repeat(500), count: 1 })))
  expect(full).toBe(500)
  expect(files()).toEqual(['20260105.sqlite'])
  await bounded.close()
  await rm(own, { recursive: true, force: true })
})
