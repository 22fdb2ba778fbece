// A disk that is full: what cannot be written is told so, leaves nothing behind, and is taken once there is room.
import { execFile } from 'node:child_process'
import { cpSync, rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import type { Row } from '#store/dataset.ts'
import { Disks } from '../../rig/disks.ts'
import { fill } from '../../rig/fill.ts'
import { HandClock } from '../../stat/rig.ts'
import { openKept } from './windows-rig.ts'

const folder = await mkdtemp(join(tmpdir(), 'tarsk8s-full-'))
const disks = await Disks.mount(folder, { store: 2, journal: 1 })
afterAll(async () => {
  await disks.unmount()
  await rm(folder, { recursive: true, force: true })
})

test('a day that cannot begin leaves no draft and no open file, and one that cannot go on says why; it begins when there is room', async () => {
  const [program, ...words] = disks.within
  const { stdout } = await promisify(execFile)(program, [...words, process.execPath, '--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'full-disk-process.ts'), disks.inside('store')])
  expect(JSON.parse(stdout)).toEqual({ first: 0, refused: { code: 'STORE_SQLITE', temporary: true }, why: expect.stringContaining('database or disk is full') as string, more: 0, drafts: [], second: 0, total: [2] })
})

test('what is acknowledged after the disk was full survives the end of the process, though its key was new when there was no room', async () => {
  const disk = disks.outside('journal')
  const counts = new Map<string, number>()
  const write = async (_dataset: unknown, rows: readonly Row[]): Promise<number> => {
    for (const { id, fields } of rows) counts.set(id, Number(fields['succ_count']))
    return 0
  }
  const open = (journal: string, spool: string) => openKept({ journal, spool, store: { write }, lengthMs: 3_600_000 })
  const first = open(join(disk, 'journal'), join(disk, 'spool'))
  await fill(join(disk, 'filler'))
  await expect(first.add([{ by: 'A.A', name: 'f', count: 1 }])).rejects.toMatchObject({ code: 'STORE_JOURNAL' })
  rmSync(join(disk, 'filler'))
  await first.add([{ by: 'A.A', name: 'f', count: 2 }])
  // As it would be found, should the process end here.
  cpSync(join(disk, 'journal'), join(folder, 'saved'), { recursive: true })
  const second = open(join(folder, 'saved'), join(folder, 'spool'))
  await second.windows.look()
  await second.spool.empty()
  expect([...counts.values()]).toEqual([3])
  for (const { windows, spool } of [first, second]) {
    await windows.stop()
    await spool.stop()
  }
})

test('how many reports were not acknowledged is told, those among them that came while the journal was torn', async () => {
  const disk = disks.outside('journal')
  const kept = openKept({ journal: join(disk, 'torn'), spool: join(folder, 'torn'), store: { write: async () => 0 }, clock: new HandClock(), bounds: { perReporter: 1000, inAll: 1000 } })
  // More than is left of a page of the disk.
  const add = (): Promise<unknown> => kept.add(Array.from({ length: 100 }, (_, index) => ({ by: 'A.A', name: `f${came.length}-${index}`, count: 1 }))).then(() => 'written', ({ code }: { code: string }) => code)
  const came: unknown[] = []
  for (const isFull of [true, false, true, false]) {
    if (isFull) await fill(join(disk, 'filler'))
    else rmSync(join(disk, 'filler'))
    came.push(await add())
  }
  // The last one found room, but the journal was written anew in the same moment before.
  expect([came, kept.windows.counts.journalFailures]).toEqual([['STORE_JOURNAL', 'written', 'STORE_JOURNAL', 'STORE_JOURNAL'], 3])
  await kept.windows.stop()
  await kept.spool.stop()
})
