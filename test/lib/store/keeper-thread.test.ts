// Windows that are kept in another thread: it looks at their memory, and when it breaks, their journals have all of them.
import { existsSync, readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createLogger } from '#base/log.ts'
import { statDataset } from '#store/datasets.ts'
import type { Closed } from '#store/keeper.ts'
import { KeeperThread } from '#store/keeper-thread.ts'
import { openSqliteStore } from '#store/sqlite/store.ts'
import { openWindows } from './windows-rig.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tarsk8s-keeper-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test('a thread that breaks with windows in it loses none: another takes them from their journals', async () => {
  const [journal, broke, said] = [join(folder, 'journal'), join(folder, 'broke'), [] as string[]]
  const log = createLogger({ write: (line) => void said.push(line) })
  const thread = new KeeperThread({ file: new URL('./dying-keeper.ts', import.meta.url), settings: { data: folder, days: 15, bytes: 1 << 30, spoolBytes: 1 << 20 }, source: broke, windowMs: 60_000, folder: journal, log })
  const taken: Closed[] = []
  const keeper = {
    take(closed?: Closed) {
      if (closed !== undefined) taken.push(closed)
      return thread.take(closed)
    },
  }
  const { windows, add } = openWindows({ journal, keeper, log, lengthMs: 3_600_000 })
  await add([{ by: 'A.A', name: 'f', count: 1 }, { by: 'A.A', name: 'g', count: 2 }])
  await windows.close()
  expect([existsSync(broke), readdirSync(journal).length]).toEqual([true, 1])
  expect(said.some((line) => line.includes('windows are not kept'))).toBe(true)
  await add([{ by: 'A.A', name: 'f', count: 4 }])
  await windows.close()
  await thread.empty()
  // The second time the one that was lost is taken from its journal: nobody knows who still looks at its memory, so it is not used again.
  const [first, again, next] = taken
  expect([first?.name === again?.name, again?.sums, next?.sums === undefined, next?.sums?.columns === first?.sums?.columns]).toEqual([true, undefined, false, false])
  expect(readdirSync(journal)).toEqual([])
  await windows.stop()
  await thread.close()
  const store = openSqliteStore(join(folder, 'rows'))
  const day = (await store.last(statDataset))?.day ?? ''
  const [group] = await store.totals(statDataset, { from: day, to: day, where: [], groupBy: [], measures: [{ field: 'succ_count', by: 'sum' }] })
  expect(group?.values).toEqual([7])
  await store.close()
})
