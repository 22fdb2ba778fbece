// A thread in which the index of traces is written to or asked; `trace-index.ts` starts it and speaks with it.
import { setPriority } from 'node:os'
import { DatabaseSync } from 'node:sqlite'
import { workerData } from 'node:worker_threads'
import { answerCalls, threadLogger } from '#store/thread.ts'
import { answerTopology, type TopologyQuestion } from './answers.ts'
import type { TraceLine } from './line.ts'
import { TraceQuestions } from './questions.ts'
import { SqliteTraceStore, traceFile, type Finished } from './store.ts'

/** What a thread is started with. */
export interface ThreadData {
  readonly folder: string
  /** It is asked, and writes nothing. */
  readonly asked: boolean
}

/** Who asks comes after those who take logs, where there is not enough of the processor for both (nice(2)). */
const niceness = 5

answerCalls(() => {
  const { folder, asked } = workerData as ThreadData
  return asked ? reading(folder) : writing(new SqliteTraceStore(folder, threadLogger()))
})

function writing(store: SqliteTraceStore) {
  return {
    addLines: (day: string, lines: readonly TraceLine[]) => store.addLines(day, lines),
    finish: (over: readonly Finished[]) => store.finish(over),
    unfinished: () => store.unfinished(),
    forgetSome: (day: string) => store.forgetSome(day),
    answer: (question: TopologyQuestion) => store.ask((found) => answerTopology(found, question)),
    close: () => store.close(),
  }
}

function reading(folder: string) {
  setPriority(niceness)
  return {
    answer(question: TopologyQuestion) {
      // Opened anew each time: who writes may have put another file in its place.
      const db = new DatabaseSync(traceFile(folder), { readOnly: true })
      try {
        return answerTopology(new TraceQuestions(db), question)
      } finally {
        db.close()
      }
    },
    close: () => {},
  }
}
