// Database files that are none any more, as of a torn disk.
import { renameSync, rmSync } from 'node:fs'

/** Behind the name of such a file, in whose place a new one is begun. */
export const brokenSuffix = '.broken'

/** Result codes (sqlite.org/rescode.html). */
const [corrupt, notADatabase] = [11, 26]

/** The primary result code of an error. */
export const sqliteCode = (error: unknown): number => Number((error as { errcode?: unknown }).errcode) & 0xff

/** Whether an error says that the file is damaged. */
export const isBroken = (error: unknown): boolean => [corrupt, notADatabase].includes(sqliteCode(error))

/** Moves a damaged file, which is closed, out of the way; one that was set aside before goes. */
export function setAside(file: string): void {
  renameSync(file, `${file}${brokenSuffix}`)
  for (const end of ['-wal', '-shm']) rmSync(`${file}${end}`, { force: true })
}
