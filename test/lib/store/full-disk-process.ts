// Writes to a SQLite store on a disk that is full and has room again, and prints what came of it: `full-disk-process.ts <disk>`.
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { openSqliteStore } from '#store/sqlite/store.ts'
import { fill } from '../../rig/fill.ts'
import { dataset, row } from './rig.ts'

const disk = process.argv[2] ?? ''
const store = openSqliteStore(disk)
const write = async (day: string): Promise<unknown> => store.write(dataset, [row(day, { f_date: day, name: 'x', count: 1 })]).catch(({ code, temporary }: { code?: unknown; temporary?: unknown }) => ({ code, temporary }))
const openFiles = (): number => readdirSync('/proc/self/fd').length
const first = await write('20260101')
await fill(join(disk, 'filler'))
const refused = await write('20260102')
const many = Array.from({ length: 500 }, (_, number) => row(`many-${number}`, { f_date: '20260101', name: 'y'.repeat(1000), count: 1 }))
const why = await store.write(dataset, many).catch(({ message }: { message?: unknown }) => message)
const before = openFiles()
for (let count = 0; count < 20; count++) await write('20260102')
const more = openFiles() - before
const drafts = readdirSync(disk, { recursive: true }).filter((file) => String(file).includes('20260102'))
rmSync(join(disk, 'filler'))
const second = await write('20260102')
const [total] = await store.totals(dataset, { from: '20260101', to: '20260102', where: [], groupBy: [], measures: [{ field: 'count', by: 'sum' }] })
await store.close()
process.stdout.write(JSON.stringify({ first, refused, why, more, drafts, second, total: total?.values }))
