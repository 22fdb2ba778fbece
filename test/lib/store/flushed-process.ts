// Writes a journal anew, and hands rows over to a spool whose store is away: `flushed-process.ts <folder>`. Then it makes the file `over` there.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { silentLogger } from '#base/log.ts'
import { Journal } from '#store/journal.ts'
import { Spool } from '#store/spool.ts'
import { dataset, row } from './rig.ts'

const folder = process.argv[2] ?? ''
const journal = new Journal(join(folder, 'journal'))
const write = async (): Promise<void> => {
  journal.tape('w').number(1)
  await journal.written()
}
await write()
journal.beginPart('w')
await write()
await journal.dropEarlierParts('w')
const spool = new Spool({ folder: join(folder, 'spool'), dataset, store: { write: () => Promise.reject(new Error('away')) }, log: silentLogger })
await spool.put('1-a', [row('1', { f_date: '20260101' })])
writeFileSync(join(folder, 'over'), '')
await spool.stop()
journal.close()
