// One thread writes and another looks: neither is in the other's way.
import { readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Store } from '#store/dataset.ts'
import { openSqliteStore } from '#store/sqlite/store.ts'
import { until } from '../../registry/cluster.ts'
import { dataset, row } from './rig.ts'

let folder: string
let store: Store
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tarsk8s-threads-'))
  store = openSqliteStore(folder)
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
  for (const day of days) {
    const before = looks
    for (let part = 0; part < 3; part++) expect(await store.write(dataset, [row(`${day}-${part}`, { f_date: day, name: 'x', count: 1 })])).toBe(0)
    await until(() => looks > before)
  }
  for (const day of days.slice(0, 20)) await store.trim(dataset, day)
  writing = false
  await looking
  expect(await ask()).toBe((40 - 19) * 3)
})

test('who asks for little is answered while who asks for much waits', async () => {
  const ended: string[] = []
  const ask = async (from: string, to: string): Promise<void> => {
    await store.totals(dataset, { from, to, where: [], groupBy: ['name'], measures: [] })
    ended.push(`${from}-${to}`)
  }
  const find = async (from: string, to: string): Promise<void> => {
    await store.find(dataset, { from, to, where: [{ field: 'name', op: 'eq', value: 'none' }], offset: 0, limit: 1 })
    ended.push(`${from}-${to}`)
  }
  await Promise.all([ask('20260101', '20260228'), find('20260102', '20260228'), ask('20260201', '20260201')])
  expect(ended[0]).toBe('20260201-20260201')
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
  const bounded = openSqliteStore(own, { maxBytes: 1 << 20 })
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

test('a thread that has nothing to do ends, and the next call has another; none is lost in between', async () => {
  const own = await mkdtemp(join(tmpdir(), 'tarsk8s-idle-'))
  const threads = (): number => readdirSync('/proc/self/task').length
  const before = threads()
  const idle = openSqliteStore(own, { idleMs: 5 })
  expect(threads()).toBe(before)
  let written = 0
  for (let round = 0; round < 8; round++) {
    // Some of them come just as a thread goes.
    for (let part = 0; part < 5; part++, written++) {
      expect(await idle.write(dataset, [row(`r${written}`, { f_date: '20260101', name: 'x', count: 1 })])).toBe(0)
      await new Promise((resolve) => setTimeout(resolve, part * 2))
    }
    await until(() => threads() <= before)
  }
  const [group] = await idle.totals(dataset, { from: '20260101', to: '20260101', where: [], groupBy: [], measures: [{ field: 'count', by: 'sum' }] })
  expect(group?.values).toEqual([written])
  await idle.close()
  await rm(own, { recursive: true, force: true })
})
