// The thread in which a SQLite store works; `store.ts` starts it and speaks with it.
import { workerData } from 'node:worker_threads'
import { answerCalls } from '../thread.ts'
import { SqliteDays } from './days.ts'

/** What a thread is started with. */
export type ThreadData = ConstructorParameters<typeof SqliteDays>[0]

answerCalls(() => {
  const days = new SqliteDays(workerData as ThreadData)
  return {
    write: (...args: Parameters<SqliteDays['write']>) => days.write(...args),
    totals: (...args: Parameters<SqliteDays['totals']>) => days.totals(...args),
    find: (...args: Parameters<SqliteDays['find']>) => days.find(...args),
    last: (...args: Parameters<SqliteDays['last']>) => days.last(...args),
    trim: (...args: Parameters<SqliteDays['trim']>) => days.trim(...args),
    close: () => days.close(),
  }
})
