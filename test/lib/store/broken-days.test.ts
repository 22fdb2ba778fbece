// Files of days that a torn disk has damaged.
import { closeSync, mkdirSync, openSync, readdirSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Lifetime } from '#base/lifecycle.ts'
import { silentLogger } from '#base/log.ts'
import type { Row, Store } from '#store/dataset.ts'
import { openStoreWithSpool } from '#store/open.ts'
import { openSqliteStore } from '#store/sqlite/store.ts'
import { dataset, row } from './rig.ts'

let data: string
let folder: string
beforeEach(async () => {
  data = await mkdtemp(join(tmpdir(), 'tarsk8s-broken-'))
  folder = join(data, 'rows', dataset.name)
  mkdirSync(folder, { recursive: true })
})
afterEach(() => rm(data, { recursive: true, force: true }))

const open = (maxBytes?: number): Store => openSqliteStore(join(data, 'rows'), maxBytes === undefined ? {} : { maxBytes })
const files = (): string[] => readdirSync(folder).filter((name) => !/-(wal|shm)$/.test(name)).toSorted()
const count = async (store: Store): Promise<number> => (await store.totals(dataset, { from: '20260101', to: '20260105', where: [], groupBy: [], measures: [{ field: 'count', by: 'sum' }] }))[0]?.values[0] ?? 0
const some = (day: string, name: string, from = 0): Row[] => Array.from({ length: 200 }, (_, index) => row(`${name}-${from + index}`, { f_date: day, name: name.repeat(50), count: 1 }))

test('one that is no database at all is set aside, and the day goes on', async () => {
  writeFileSync(join(folder, '20260105.sqlite'), 'this is no database at all, though it is as long as the head of one would be, and longer'.repeat(10))
  const store = open()
  await expect(store.write(dataset, some('20260105', 'a'))).rejects.toMatchObject({ code: 'STORE_BROKEN', temporary: true, message: expect.stringContaining('20260105.sqlite is damaged') as string })
  expect(await store.write(dataset, some('20260105', 'a'))).toBe(0)
  expect(await count(store)).toBe(200)
  expect(files()).toEqual(['20260105.sqlite', '20260105.sqlite.broken'])
  await store.close()
})

test('so is one whose head is whole; who looks sees the new one, too', async () => {
  const before = open()
  for (let part = 0; part < 5; part++) await before.write(dataset, some('20260105', 'a', part * 200))
  await before.close()
  const store = open()
  expect(await count(store)).toBe(1000)
  const file = openSync(join(folder, '20260105.sqlite'), 'r+')
  for (let page = 1; page * 4096 < statSync(join(folder, '20260105.sqlite')).size; page++) writeSync(file, Buffer.alloc(4096, 0xa5), 0, 4096, page * 4096)
  closeSync(file)
  await expect(store.write(dataset, some('20260105', 'b'))).rejects.toMatchObject({ code: 'STORE_BROKEN' })
  expect(await store.write(dataset, some('20260105', 'b'))).toBe(0)
  expect(await count(store)).toBe(200)
  await store.close()
})

test('they go with their days, before whole ones when there is too little room, and are counted', async () => {
  const bytes = 1 << 20
  for (const [day, share] of [['20260101', 0.1], ['20260103', 0.7], ['20260104', 0.5]] as const) truncateSync(broken(day), Math.floor(share * bytes))
  const lifetime = new Lifetime()
  const { store, metrics } = openStoreWithSpool({ settings: { data, days: 4, bytes, spoolBytes: bytes }, dataset, lifetime, log: silentLogger, now: () => new Date(2026, 0, 5).getTime() })
  expect(await store.trim(dataset, '20260102')).toBe(1)
  expect(files()).toEqual(['20260103.sqlite.broken', '20260104.sqlite.broken'])
  expect(metrics()).toContain('tarsstore_set_aside_files{dataset="stat"} 2\n')
  expect(await store.write(dataset, some('20260104', 'a'))).toBe(0)
  expect(files()).toEqual(['20260104.sqlite', '20260104.sqlite.broken'])
  for (let part = 0; files().includes('20260104.sqlite.broken'); part++) expect(await store.write(dataset, some('20260105', 'b', part * 200))).toBe(0)
  expect(files()).toEqual(['20260104.sqlite', '20260105.sqlite'])
  expect(metrics()).toContain('tarsstore_set_aside_files{dataset="stat"} 0\n')
  await lifetime.stop()
})

function broken(day: string): string {
  const file = join(folder, `${day}.sqlite.broken`)
  writeFileSync(file, '')
  return file
}
