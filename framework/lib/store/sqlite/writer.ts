import type { Store } from '../dataset.ts'
import { SqliteDays } from './days.ts'

/** Writes to a store in SQLite files in this thread, which is none that anybody waits for. @throws Failure STORE_FOLDER */
export function openSqliteWriter(folder: string, maxBytes: number): Pick<Store, 'write' | 'close'> {
  const days = new SqliteDays({ folder, maxBytes })
  return {
    write: async (dataset, rows) => days.write(dataset, rows),
    close: async () => days.close(),
  }
}
