import { describe, Failure } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'
import { PartedTurns, type PartedBounds } from '#base/turns.ts'
import { ret, TarsCallError } from '#tars/packet.ts'
import { steadyTime, tooSlow, type Last } from '#store/dataset.ts'
import type { GatheredReader } from '#store/remote.ts'
import type { MonitorQueryRsp } from '#tars/protocol/MonitorQuery.ts'
import type { Kind } from './model/kind.ts'
import { answerOf, planOf, type Asked, type Plan } from './model/question.ts'

/** What is said of the last time when nothing is kept: greater than all, as native says (framework-services 8.2). */
const noTime = '99999999 9999'

/** Milliseconds that a store has for an answer. */
const patienceMs = 9000
/** A question waits no longer for its turn, milliseconds, whatever who asks says. */
const longestWaitMs = 55_000

/** Who asks, by whichever protocol. */
export interface Asker {
  /** Its address. */
  readonly peer: string
  /** How long it waits for its answer, milliseconds; 0 when it does not say. */
  readonly timeoutMs: number
  /** Nobody can be answered any more. */
  readonly gone: boolean
}

export interface Answerer {
  /** Asked for where none is named. */
  readonly usualIndex: string
  /** @throws TarsCallError with the code of overload when too many questions of who asks wait */
  answer(asked: Asked, asker: Asker): Promise<MonitorQueryRsp>
  /** `YYYYMMDD HHMM` up to which there are rows of all stores. @throws Failure when a store does not say, or too many questions of who asks wait */
  lastTime(asker: Asker): Promise<string>
  readonly counts: { answered: number; refused: number; failed: number }
}

export interface AnswererOptions {
  readonly kind: Kind
  readonly reader: GatheredReader
  /** Questions with the stores, however they came: an answer may take tens of megabytes. Peers have their turns one after the other. */
  readonly atOnce: PartedBounds
  readonly log: Logger
}

/**
 * Answers questions out of the stores. What they do not know is an empty answer; that one of them does not answer is ret -1 with what the others
 * know, and of one that does not run activeDb tells, as native's does (framework-services 8.2).
 */
export function createAnswerer({ kind, reader, atOnce, log }: AnswererOptions): Answerer {
  const { dataset } = kind
  const counts = { answered: 0, refused: 0, failed: 0 }
  const turns = new PartedTurns(atOnce)
  const failed = (msg: string, more: Partial<MonitorQueryRsp> = {}): MonitorQueryRsp => ({ ret: -1, msg, lastTime: noTime, activeDb: 0, totalDb: 0, retThreads: [], result: new Map(), ...more })
  const notAnswered = (error: unknown): MonitorQueryRsp => {
    const refused = error instanceof Failure && error.code === 'STORE_QUESTION'
    if (refused) counts.refused++
    else counts.failed++
    if (!refused) log.error('a question was not answered', { dataset: dataset.name, error })
    return failed(describe(error))
  }
  // One for all: where many are refused, making one takes longer than the rest.
  const busy = new TarsCallError(ret.overload, `${atOnce.mostOfOwner} questions of this peer are not answered yet`, { remedy: 'ask again in a moment' })
  const refuse = (): Promise<never> => {
    counts.refused++
    return Promise.reject(busy)
  }
  /** @param work is given until when it is waited for */
  const inTurn = <T>(asker: Asker, work: (until: number) => Promise<T>): Promise<T> => {
    const until = steadyTime() + Math.min(asker.timeoutMs || longestWaitMs, longestWaitMs)
    return turns.take(asker.peer, () => {
      if (asker.gone || steadyTime() > until) throw tooSlow()
      return work(Math.min(until, steadyTime() + patienceMs))
    })
  }
  let looking: ReturnType<GatheredReader['last']> | undefined
  /** Of the newest rows: who asks while it is looked at has the same. */
  const last = (): ReturnType<GatheredReader['last']> => (looking ??= reader.last(dataset).finally(() => {
    looking = undefined
  }))
  const answerPlan = async (plan: Plan, asker: Asker): Promise<MonitorQueryRsp> => {
    const [{ answer: groups, stores: totalDb, answered: activeDb, failures }, { answer: newest }] = await inTurn(asker, (until) => Promise.all([reader.totals(dataset, { ...plan.question, until }), last()]))
    const retThreads = [...Array.from({ length: activeDb }, () => 0), ...failures.map(() => -1)]
    const rest = { lastTime: timeOf(newest), activeDb, totalDb, retThreads, result: answerOf(kind, plan, groups) }
    if (activeDb > 0 && failures.length === 0) {
      counts.answered++
      return { ret: 0, msg: '', ...rest }
    }
    counts.failed++
    log.error('a question was answered in part', { dataset: dataset.name, totalDb, activeDb, why: failures[0] })
    return failed(failures[0] ?? noStore, rest)
  }
  return {
    counts,
    usualIndex: kind.usualIndex,
    async lastTime(asker) {
      if (turns.isFull(asker.peer)) return refuse()
      const { answer, answered, failures } = await inTurn(asker, last)
      if (answered === 0 || failures.length > 0) throw new Failure('QUERY_STORE', failures[0] ?? noStore, { temporary: true })
      return timeOf(answer)
    },
    // Not async: what a question has beside its plan, which is bounded, is not kept while it waits.
    answer(asked, asker) {
      if (turns.isFull(asker.peer)) return refuse()
      let plan: Plan
      try {
        plan = planOf(kind, asked)
      } catch (error) {
        return Promise.resolve(notAnswered(error))
      }
      return answerPlan(plan, asker).catch(notAnswered)
    },
  }
}

/** As native says it (framework-services 8.2). */
const noStore = 'no active db'

const timeOf = (last: Last | undefined): string => (last === undefined ? noTime : `${last.day} ${last.order}`)
