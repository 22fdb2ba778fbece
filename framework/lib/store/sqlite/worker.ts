// The thread in which a SQLite store works; `store.ts` starts it and speaks with it.
import { setImmediate as turn } from 'node:timers/promises'
import { workerData } from 'node:worker_threads'
import { answerCalls } from '../thread.ts'
import { SqliteDays, type Steps } from './days.ts'

/** What a thread is started with. */
export type ThreadData = ConstructorParameters<typeof SqliteDays>[0]

answerCalls(() => {
  const days = new SqliteDays(workerData as ThreadData)
  const running = new Set<Promise<unknown>>()
  /** Questions take turns, step by step. */
  const inTurns = <T>(steps: Steps<T>): Promise<T> => {
    const whole = (async () => {
      for (let step = steps.next(); ; step = steps.next()) {
        if (step.done === true) return step.value
        await turn()
      }
    })().finally(() => running.delete(whole))
    running.add(whole)
    return whole
  }
  return {
    write: (...args: Parameters<SqliteDays['write']>) => days.write(...args),
    totals: (...args: Parameters<SqliteDays['totals']>) => inTurns(days.totals(...args)),
    find: (...args: Parameters<SqliteDays['find']>) => inTurns(days.find(...args)),
    last: (...args: Parameters<SqliteDays['last']>) => days.last(...args),
    trim: (...args: Parameters<SqliteDays['trim']>) => days.trim(...args),
    async close() {
      await Promise.allSettled(running)
      days.close()
    },
  }
})
