// A disk that is full: what cannot be written is told so, leaves nothing behind, and is taken once there is room.
import { execFile } from 'node:child_process'
import { cpSync, rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import { silentLogger } from '#base/log.ts'
import type { Row } from '#store/dataset.ts'
import { statDataset } from '#store/datasets.ts'
import { Fold, keyOf } from '#store/fold.ts'
import { Spool } from '#store/spool.ts'
import { Windows } from '#store/windows.ts'
import type { StatRecord } from '../../../framework/stat/model/record.ts'
import { statRules } from '../../../framework/stat/model/stat-rules.ts'
import { Disks } from '../../rig/disks.ts'
import { fill } from '../../rig/fill.ts'

const folder = await mkdtemp(join(tmpdir(), 'tarsk8s-full-'))
const disks = await Disks.mount(folder, { store: 2, journal: 1 })
afterAll(async () => {
  await disks.unmount()
  await rm(folder, { recursive: true, force: true })
})

test('a day that cannot begin leaves no draft and no open file; it begins when there is room', async () => {
  const [program, ...words] = disks.within
  const { stdout } = await promisify(execFile)(program, [...words, process.execPath, '--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'full-disk-process.ts'), disks.inside('store')])
  expect(JSON.parse(stdout)).toEqual({ first: 0, refused: { code: 'STORE_SQLITE', temporary: true }, more: 0, drafts: [], second: 0, total: [2] })
})

test('what is acknowledged after the disk was full survives the end of the process, though its key was new when there was no room', async () => {
  const disk = disks.outside('journal')
  const counts = new Map<string, number>()
  const write = async (_dataset: unknown, rows: readonly Row[]): Promise<number> => {
    for (const { id, fields } of rows) counts.set(id, Number(fields['succ_count']))
    return 0
  }
  const open = (journal: string, spoolFolder: string) => {
    const spool = new Spool({ folder: spoolFolder, dataset: statDataset, store: { write }, log: silentLogger })
    return { spool, windows: new Windows({ folder: journal, lengthMs: 3_600_000, fold: () => new Fold(statRules('p'), { perReporter: 10, inAll: 100 }), spool, log: silentLogger }) }
  }
  const record = (count: number): StatRecord => ({
    key: keyOf('A.A', { master: 'A.A', slave: 'S.S', interface: 'f', version: '', masterIp: 'm', slaveIp: 's', port: 1, ret: 0, setName: '', setArea: '', setId: '' }),
    value: { count, timeouts: 0, failures: 0, intervals: [], total: 0, max: 0, min: 0 },
  })
  const first = open(join(disk, 'journal'), join(disk, 'spool'))
  await fill(join(disk, 'filler'))
  await expect(first.windows.add([record(1)])).rejects.toMatchObject({ code: 'STORE_JOURNAL' })
  rmSync(join(disk, 'filler'))
  await first.windows.add([record(2)])
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
