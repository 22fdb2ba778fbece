import { describe, Failure } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'
import { steadyTime } from '#store/dataset.ts'
import type { GatheredReader } from '#store/remote.ts'
import type { MonitorQueryRsp } from '#tars/protocol/MonitorQuery.ts'
import { Turns } from '#base/turns.ts'
import type { Kind } from './model/kind.ts'
import { answerOf, planOf, type Asked } from './model/question.ts'

/** What is said of the last time when nothing is kept: greater than all, as native says (framework-services 8.2). */
const noTime = '99999999 9999'

/** So many questions are with the stores at once, however they came: an answer may take tens of megabytes. */
const mostAtOnce = 16
/** Milliseconds that a store has for an answer. */
const patienceMs = 9000

export interface Answerer {
  /** Asked for where none is named. */
  readonly usualIndex: string
  /** @param peer who asks */
  answer(asked: Asked, peer: string): Promise<MonitorQueryRsp>
  /** `YYYYMMDD HHMM` of the newest rows. */
  lastTime(peer: string): Promise<string>
  readonly counts: { answered: number; refused: number; failed: number }
}

/** Answers questions out of the stores. What they do not know is an empty answer; that one of them is away is ret -1 with what the others know. */
export function createAnswerer(kind: Kind, reader: GatheredReader, log: Logger): Answerer {
  const counts = { answered: 0, refused: 0, failed: 0 }
  const lastOf = (last: Awaited<ReturnType<GatheredReader['last']>>['answer']): string => (last === undefined ? noTime : `${last.day} ${last.order}`)
  const failed = (msg: string, more: Partial<MonitorQueryRsp> = {}): MonitorQueryRsp => ({ ret: -1, msg, lastTime: noTime, activeDb: 0, totalDb: 0, retThreads: [], result: new Map(), ...more })
  const turns = new Turns(mostAtOnce)
  return {
    counts,
    usualIndex: kind.usualIndex,
    lastTime: (peer) => turns.take(peer, async () => lastOf((await reader.last(kind.dataset)).answer)),
    async answer(asked, peer) {
      try {
        const plan = planOf(kind, asked)
        const [{ answer: groups, asked: totalDb, failures }, { answer: last }] = await turns.take(peer, () => Promise.all([reader.totals(kind.dataset, { ...plan.question, until: steadyTime() + patienceMs }), reader.last(kind.dataset)]))
        const activeDb = totalDb - failures.length
        const rest = { lastTime: lastOf(last), activeDb, totalDb, retThreads: Array.from({ length: totalDb }, (_, index) => (index < activeDb ? 0 : -1)), result: answerOf(kind, plan, groups) }
        if (totalDb > 0 && failures.length === 0) {
          counts.answered++
          return { ret: 0, msg: '', ...rest }
        }
        counts.failed++
        log.error('a question was answered in part', { dataset: kind.dataset.name, totalDb, activeDb, why: failures[0] })
        return failed(failures[0] ?? 'no active db', rest)
      } catch (error) {
        const bad = error instanceof Failure && error.code === 'STORE_QUESTION'
        if (bad) counts.refused++
        else counts.failed++
        if (!bad) log.error('a question was not answered', { dataset: kind.dataset.name, error })
        return failed(describe(error))
      }
    },
  }
}
