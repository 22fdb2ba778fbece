// Windows, journals and the spool: nothing that was acknowledged is lost, and nothing counts twice.
import { appendFileSync, copyFileSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Failure } from '#base/errors.ts'
import { silentLogger } from '#base/log.ts'
import type { Row } from '#store/dataset.ts'
import { statDataset } from '#store/datasets.ts'
import { sumsTakenDown } from '#store/fold.ts'
import { tapesIn } from '#store/journal.ts'
import type { Closed } from '#store/keeper.ts'
import { minuteOf } from '#store/minute.ts'
import { Outbox } from '#store/outbox.ts'
import { Spool } from '#store/spool.ts'
import { openSqliteStore } from '#store/sqlite/store.ts'
import { until } from '../../registry/cluster.ts'
import { HandClock } from '../../stat/rig.ts'
import { statRules } from '../../../framework/stat/model/stat-rules.ts'
import { openKept, openWindows, type Calls, type WindowsRig } from './windows-rig.ts'

let folder: string
let clock: HandClock
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tarsk8s-windows-'))
  clock = new HandClock()
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const record = (by: string, name: string, count: number): Calls => ({ by, name, count })

/** Keeps rows by their ids, as stores do; `failure` is thrown after it kept them. */
class Memory {
  readonly rows = new Map<string, Row>()
  failure: Error | undefined
  writes = 0

  async write(_dataset: unknown, rows: readonly Row[]): Promise<number> {
    this.writes++
    for (const row of rows) if (!this.rows.has(row.id)) this.rows.set(row.id, row)
    if (this.failure !== undefined) throw this.failure
    return 0
  }

  get total(): number {
    return [...this.rows.values()].reduce((sum, { fields }) => sum + Number(fields['succ_count']), 0)
  }
}

const open = (store: Memory, more: Partial<WindowsRig> = {}) => openKept({ journal: join(folder, 'journal'), spool: join(folder, 'spool'), store, clock, ...more })

describe('after an end without a stop', () => {
  test('what was acknowledged is handed on by the next process, with what that one takes', async () => {
    const memory = new Memory()
    const first = open(memory)
    await first.add([record('A.A', 'f', 1), record('A.A', 'g', 2)])
    await first.add([record('A.A', 'f', 4)])
    // It ends here: its timers are stopped and its files stay as they are.
    cpSync(join(folder, 'journal'), join(folder, 'saved'), { recursive: true })
    await first.windows.stop()
    await first.spool.stop()
    rmSync(join(folder, 'spool'), { recursive: true })
    cpSync(join(folder, 'saved'), join(folder, 'journal'), { recursive: true })
    memory.rows.clear()
    const told: number[] = []
    const second = open(memory, { told })
    await second.add([record('A.A', 'f', 8)])
    await second.windows.close()
    await second.spool.empty()
    expect(memory.total).toBe(15)
    // Of both, so that counters go on with what the earlier process told nobody.
    expect(told).toEqual([7, 8])
    await second.windows.stop()
    await second.spool.stop()
  })

  test.each([
    ['before the spool had it', (saved: string) => cpSync(saved, join(folder, 'journal'), { recursive: true })],
    ['when the spool had half of it', (saved: string) => {
      cpSync(saved, join(folder, 'journal'), { recursive: true })
      const batch = readdirSync(saved)[0]?.replace(/\.\d+\.tapes$/, '') ?? ''
      mkdirSync(join(folder, 'spool'), { recursive: true })
      writeFileSync(join(folder, 'spool', `${batch}.0000.1.json.part`), '[{"id":')
    }],
    ['when the store had it and the journal was still there', (saved: string) => cpSync(saved, join(folder, 'journal'), { recursive: true })],
  ])('%s, it counts once', async (_when, crash) => {
    const memory = new Memory()
    const first = open(memory)
    for (let index = 0; index < 30; index++) await first.add([record('A.A', `f${index % 7}`, 1)])
    cpSync(join(folder, 'journal'), join(folder, 'saved'), { recursive: true })
    await first.windows.close()
    await first.spool.empty()
    expect(memory.total).toBe(30)
    await first.windows.stop()
    await first.spool.stop()
    crash(join(folder, 'saved'))
    const second = open(memory)
    await second.windows.look()
    await second.spool.empty()
    expect(memory.total).toBe(30)
    expect(readdirSync(join(folder, 'journal'))).toEqual([])
    expect(readdirSync(join(folder, 'spool'))).toEqual([])
    await second.windows.stop()
    await second.spool.stop()
  })

  test('a journal that was cut off at any byte, or is naught from there on, says what was written before', async () => {
    const { windows, add, spool } = open(new Memory())
    const journal = join(folder, 'journal')
    const written: { readonly bytes: number; readonly total: number }[] = [{ bytes: 0, total: 0 }]
    for (const [total, name] of [[1, 'f'], [3, 'g'], [7, 'f'], [15, 'f']] as const) {
      await add([record('A.A', name, total - (written.at(-1)?.total ?? 0))])
      written.push({ bytes: statSync(join(journal, readdirSync(journal)[0] ?? '')).size, total })
    }
    const [name = ''] = readdirSync(journal)
    const bytes = readFileSync(join(journal, name))
    await windows.stop()
    await spool.stop()
    const said = (found: Buffer): number => {
      writeFileSync(join(journal, name), found)
      return [...sumsTakenDown(statRules('p'), tapesIn(journal, name.split('.')[0] ?? ''))].reduce((sum, { value: [count = 0] }) => sum + count, 0)
    }
    for (let cut = 0; cut <= bytes.length; cut++) {
      const upTo = (end: number): number | undefined => written.findLast((one) => one.bytes <= end)?.total
      const zeros = bytes.subarray(cut).findIndex((byte) => byte !== 0)
      const [short, filled] = [said(bytes.subarray(0, cut)), said(Buffer.concat([bytes.subarray(0, cut), Buffer.alloc(bytes.length - cut)]))]
      expect([cut, short, filled]).toEqual([cut, upTo(cut), upTo(zeros < 0 ? bytes.length : cut + zeros)])
    }
  })

  test('a record that was cut off is left out, and those before it are not', async () => {
    const memory = new Memory()
    const first = open(memory)
    await first.add([record('A.A', 'f', 1)])
    cpSync(join(folder, 'journal'), join(folder, 'saved'), { recursive: true })
    await first.windows.stop()
    await first.spool.stop()
    memory.rows.clear()
    const [name = ''] = readdirSync(join(folder, 'saved'))
    const journal = readFileSync(join(folder, 'saved', name))
    appendFileSync(join(folder, 'saved', name), journal.subarray(0, journal.length - 1))
    cpSync(join(folder, 'saved'), join(folder, 'journal'), { recursive: true })
    const second = open(memory)
    await second.windows.look()
    await second.spool.empty()
    expect(memory.total).toBe(1)
    await second.windows.stop()
    await second.spool.stop()
  })
})

test('a journal that cannot be read for now holds no window up, and is handed on when it can', async () => {
  const memory = new Memory()
  const first = open(memory)
  await first.add([record('A.A', 'f', 1)])
  const [name = ''] = readdirSync(join(folder, 'journal'))
  const bytes = readFileSync(join(folder, 'journal', name))
  await first.windows.stop()
  await first.spool.stop()
  memory.rows.clear()
  mkdirSync(join(folder, 'journal', name))
  const told: number[] = []
  const second = open(memory, { told })
  for (const count of [2, 4]) {
    await second.add([record('A.A', 'f', count)])
    await second.windows.close()
  }
  await second.windows.look()
  await second.spool.empty()
  expect([memory.total, told]).toEqual([6, [2, 4]])
  rmSync(join(folder, 'journal', name), { recursive: true })
  writeFileSync(join(folder, 'journal', name), bytes)
  await second.windows.look()
  await second.spool.empty()
  expect([memory.total, readdirSync(join(folder, 'journal'))]).toEqual([7, []])
  await second.windows.stop()
  await second.spool.stop()
})

describe('the spool', () => {
  const rows = (count: number): Row[] => Array.from({ length: count }, (_, index) => ({ id: `r${index}`, day: '20260105', fields: { f_date: '20260105', succ_count: 1 } }))

  test('writes again what was taken but not answered', async () => {
    const memory = new Memory()
    memory.failure = new Failure('AWAY', 'no answer', { temporary: true })
    const { spool, windows } = open(memory)
    await spool.put('1-a', rows(5000))
    while (memory.writes < 3) await new Promise((resolve) => setTimeout(resolve, 1))
    expect(spool.failing).toBe(true)
    expect(spool.rows).toBe(5000)
    memory.failure = undefined
    await spool.empty()
    expect(memory.total).toBe(5000)
    expect(spool.counts).toEqual({ written: 5000, dropped: 0, refused: 0 })
    await windows.stop()
    await spool.stop()
  })

  test('is bounded: the oldest go, and are counted', async () => {
    const memory = new Memory()
    memory.failure = new Failure('AWAY', 'no answer', { temporary: true })
    const { spool, windows } = open(memory, { maxBytes: 20_000 })
    for (let batch = 100; batch < 140; batch++) await spool.put(`${batch}-a`, rows(100).map((row) => ({ ...row, id: `${batch}-${row.id}` })))
    expect(spool.bytes).toBeLessThanOrEqual(20_000)
    expect(spool.counts.dropped + spool.rows).toBe(4000)
    expect(spool.metrics()).toContain(`tarsstore_dropped_rows_total{dataset="stat"} ${spool.counts.dropped}\n`)
    const names = readdirSync(join(folder, 'spool'))
    expect(names.at(-1)).toMatch(/^139-a/)
    await windows.stop()
    await spool.stop()
    memory.failure = undefined
    memory.rows.clear()
    const again = open(memory)
    await again.spool.empty()
    expect([...memory.rows.keys()].every((id) => Number(id.slice(0, 3)) > 130)).toBe(true)
    await again.windows.stop()
    await again.spool.stop()
  })

  test('a file that cannot be read for now waits', async () => {
    mkdirSync(join(folder, 'spool', '0-a.0000.3.json'), { recursive: true })
    const memory = new Memory()
    const { spool, windows } = open(memory)
    while (!spool.failing) await new Promise((resolve) => setTimeout(resolve, 1))
    expect({ rows: spool.rows, ...spool.counts }).toEqual({ rows: 3, written: 0, dropped: 0, refused: 0 })
    rmSync(join(folder, 'spool', '0-a.0000.3.json'), { recursive: true })
    writeFileSync(join(folder, 'spool', '0-a.0000.3.json'), JSON.stringify(rows(3)))
    await spool.empty()
    expect(memory.total).toBe(3)
    await windows.stop()
    await spool.stop()
  })

  test('a damaged file is dropped and counted, and holds nothing up', async () => {
    mkdirSync(join(folder, 'spool'), { recursive: true })
    writeFileSync(join(folder, 'spool', '0-a.0000.7.json'), '[{"id":')
    const memory = new Memory()
    const { spool, windows } = open(memory)
    await spool.put('1-a', rows(3))
    await spool.empty()
    expect({ total: memory.total, ...spool.counts }).toEqual({ total: 3, written: 3, dropped: 7, refused: 0 })
    await windows.stop()
    await spool.stop()
  })
})

test('a folder that cannot be written to is refused by name', async () => {
  writeFileSync(join(folder, 'file'), '')
  expect(() => openSqliteStore(join(folder, 'file', 'below'))).toThrow(/file\/below/)
  expect(() => new Spool({ folder: join(folder, 'file', 'below'), dataset: statDataset, store: new Memory(), log: silentLogger })).toThrow(/file\/below/)
})

test('while the disk refuses, reports are not acknowledged, but counted; when it is back, they are handed on', async () => {
  const memory = new Memory()
  const { spool, windows, add } = open(memory)
  await add([record('A.A', 'f', 1)])
  for (const name of ['journal', 'spool']) rmSync(join(folder, name), { recursive: true })
  clock.set(2026, 1, 5, 10, 1)
  await expect(add([record('A.A', 'f', 2)])).rejects.toMatchObject({ code: 'STORE_JOURNAL', temporary: true })
  clock.set(2026, 1, 5, 10, 2)
  await expect(add([record('A.A', 'f', 4)])).rejects.toMatchObject({ code: 'STORE_JOURNAL' })
  await windows.look()
  expect(windows.counts.journalFailures).toBe(2)
  expect(windows.metrics('x')).toContain('x_windows_waiting 2\n')
  expect(memory.total).toBe(0)
  for (const name of ['journal', 'spool']) mkdirSync(join(folder, name))
  clock.set(2026, 1, 5, 10, 3)
  await windows.look()
  await spool.empty()
  expect(memory.total).toBe(7)
  await windows.stop()
  await spool.stop()
})

test('a journal is made smaller while it goes on, and comes to the same, whenever the process ends', async () => {
  const memory = new Memory()
  const { spool, windows, add } = open(memory, { compactBytes: 64 << 10, bounds: { perReporter: 5000, inAll: 5000 } })
  const files = () => readdirSync(join(folder, 'journal')).map((name) => statSync(join(folder, 'journal', name), { throwIfNoEntry: false })?.size ?? 0)
  /** The journal as an end of the process would leave it: again, when a file of it goes or comes while it is copied. */
  const saveJournal = (name: string): void => {
    const listed = (): string[] => readdirSync(join(folder, 'journal')).toSorted()
    for (;;) {
      const names = listed()
      rmSync(join(folder, name), { recursive: true, force: true })
      mkdirSync(join(folder, name))
      try {
        for (const file of names) copyFileSync(join(folder, 'journal', file), join(folder, name, file))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue
        throw error
      }
      if (listed().join() === names.join()) return
    }
  }
  const names = Array.from({ length: 1200 }, (_, index) => `f${index}`)
  const bytes = (): number => files().reduce((sum, size) => sum + size, 0)
  let parts = 0
  for (let round = 0; round < 40; round++) {
    // Those that were there first are said again later; what comes in while the journal is written anew is in both.
    await add(names.slice(0, 30 * (round + 1)).map((name) => record('A.A', name, 1)))
    parts = Math.max(parts, files().length)
    if (round % 5 === 4) saveJournal(`saved-${round}`)
  }
  expect(parts).toBeGreaterThan(1)
  const sums = (rounds: number): number => Array.from({ length: rounds }, (_, round) => 30 * (round + 1)).reduce((sum, count) => sum + count, 0)
  // Without it: some 70 bytes a record. What was written anew goes a moment later.
  await until(() => bytes() < sums(40) * 70)
  await windows.stop()
  await spool.empty()
  expect(memory.total).toBe(sums(40))
  await spool.stop()
  for (let round = 4; round < 40; round += 5) {
    memory.rows.clear()
    cpSync(join(folder, `saved-${round}`), join(folder, 'journal'), { recursive: true })
    const again = open(memory)
    await again.windows.look()
    await again.spool.empty()
    expect(memory.total).toBe(sums(round + 1))
    await again.windows.stop()
    await again.spool.stop()
  }
})

test('all calls that come in are in what goes out, whatever the names, bounds, minutes and restarts', async () => {
  const step = fc.oneof(
    { weight: 8, arbitrary: fc.record({ by: fc.constantFrom('A.A', 'B.B', 'C.C', ''), name: fc.nat(40).map(String), count: fc.integer({ min: 0, max: 1e6 }) }) },
    { weight: 2, arbitrary: fc.constant('minute' as const) },
    { weight: 1, arbitrary: fc.constant('back' as const) },
    { weight: 1, arbitrary: fc.constant('restart' as const) },
  )
  const arbitraryBounds = fc.record({ perReporter: fc.integer({ min: 1, max: 30 }), inAll: fc.integer({ min: 4, max: 60 }) })
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 60 }), arbitraryBounds, async (steps, some) => {
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder)
    const memory = new Memory()
    let now = 0
    let running = open(memory, { bounds: some })
    const sums: Record<string, number> = {}
    for (const one of steps) {
      if (one === 'minute') clock.set(2026, 1, 5, 10, ++now % 60)
      else if (one === 'back') clock.set(2026, 1, 5, 9, (now = 0))
      else if (one === 'restart') {
        await running.windows.stop()
        await running.spool.empty()
        await running.spool.stop()
        running = open(memory, { bounds: some })
      } else {
        sums[one.by] = (sums[one.by] ?? 0) + one.count
        await running.add([record(one.by, one.name, one.count)])
      }
    }
    await running.windows.stop()
    await running.spool.empty()
    await running.spool.stop()
    const out: Record<string, number> = {}
    for (const { fields } of memory.rows.values()) out[String(fields['master_name'])] = (out[String(fields['master_name'])] ?? 0) + Number(fields['succ_count'])
    const all = (values: Record<string, number>): number => Object.values(values).reduce((sum, value) => sum + value, 0)
    expect(all(out)).toBe(all(sums))
    // What is not counted under its reporter's name is under the name of the rest, never under another's.
    for (const [name, value] of Object.entries(out)) if (name !== '__other__') expect(value).toBeLessThanOrEqual(sums[name] ?? -1)
  }), { numRuns: 60 })
})

test('a window has the memory of one that the keeper is done with, and of no other', async () => {
  const taken: Closed[] = []
  let [done, broken]: [string[], Error | undefined] = [[], undefined]
  const keeper = {
    async take(closed?: Closed) {
      if (closed !== undefined) taken.push(closed)
      if (broken !== undefined) throw broken
      return done.splice(0)
    },
  }
  const { windows, add } = openWindows({ journal: join(folder, 'journal'), keeper, clock })
  const window = async (): Promise<unknown> => {
    await add([record('A.A', 'f', 1)])
    await windows.close()
    return taken.at(-1)?.sums?.columns.buffer
  }
  const buffers = [await window(), await window()]
  done = [String(taken[0]?.name)]
  buffers.push(await window(), await window())
  expect(buffers.map((one) => buffers.indexOf(one))).toEqual([0, 1, 2, 0])
  // One that broke may still look at what it was given: windows are handed on again without.
  broken = new Error('broken')
  await windows.look()
  broken = undefined
  await windows.look()
  expect(taken.slice(4).map(({ name, sums }) => [name, sums])).toEqual(taken.slice(1, 4).map(({ name }) => [name, undefined]))
  done = taken.map(({ name }) => name)
  await windows.look()
  expect(buffers).not.toContain(await window())
  await windows.stop()
})

test('memory of two windows is kept for the next ones, whenever they begin', async () => {
  const buffers: unknown[] = []
  const waiting: string[] = []
  let isDone = true
  const keeper = {
    async take(closed?: Closed) {
      if (closed !== undefined) {
        buffers.push(closed.sums?.columns.buffer)
        waiting.push(closed.name)
      }
      return isDone ? waiting.splice(0) : []
    },
  }
  const { windows, add } = openWindows({ journal: join(folder, 'journal'), keeper, clock })
  const gather = async (many: number): Promise<void> => {
    for (let index = 0; index < many; index++) {
      await add([record('A.A', 'f', 1)])
      await windows.close()
    }
  }
  await gather(2)
  isDone = false
  await gather(2)
  isDone = true
  // All are done with before the next one begins.
  await windows.look()
  isDone = false
  await gather(3)
  // Of the first two, which begin in memory of their own, the second's is used again.
  expect(buffers.map((one) => buffers.indexOf(one))).toEqual([0, 1, 1, 3, 3, 1, 6])
  await windows.stop()
})

test('memory that many keys needed once goes after a while', async () => {
  const buffers: unknown[] = []
  const keeper = {
    async take(closed?: Closed) {
      if (closed !== undefined) buffers.push(closed.sums?.columns.buffer)
      return closed === undefined ? [] : [closed.name]
    },
  }
  const { windows, add } = openWindows({ journal: join(folder, 'journal'), keeper, clock })
  for (let index = 0; index < 65; index++) {
    await add([record('A.A', 'f', 1)])
    await windows.close()
  }
  expect(new Set(buffers).size).toBeLessThan(6)
  expect(buffers.slice(60).filter((one) => buffers.indexOf(one) < 60)).toEqual([])
  await windows.stop()
})

test('every minute of a day has a place of its own, and the day has them all', () => {
  const minutes = Array.from({ length: 1440 }, (_, index) => minuteOf(new Date(2026, 2, 10, 0, index + 1).getTime()))
  expect(new Set(minutes.map(({ f_date }) => f_date))).toEqual(new Set(['20260310']))
  expect(new Set(minutes.map(({ f_tflag }) => f_tflag)).size).toBe(1440)
  expect(minutes.map(({ f_tflag }) => f_tflag)).toEqual(minutes.map(({ f_tflag }) => f_tflag).toSorted())
  expect([minutes[0]?.f_tflag, minutes[59]?.f_tflag, minutes.at(-1)?.f_tflag]).toEqual(['0001', '0060', '2360'])
})

test('documents are told to be written when they are, and not before', async () => {
  const { spool, windows } = open(new Memory())
  const outbox = new Outbox({ spool, log: silentLogger, gatherMs: 5 })
  const document = (id: string): Row => ({ id, day: '20260105', fields: { f_date: '20260105', succ_count: 1 } })
  await outbox.add('a', document('a'))
  rmSync(join(folder, 'spool'), { recursive: true })
  await expect(outbox.add('b', document('b'))).rejects.toMatchObject({ code: 'STORE_OUTBOX', temporary: true })
  mkdirSync(join(folder, 'spool'))
  await outbox.add('c', document('c'))
  expect(outbox.counts).toEqual({ handedOn: 3, lost: 0 })
  await outbox.stop()
  await windows.stop()
  await spool.stop()
})
