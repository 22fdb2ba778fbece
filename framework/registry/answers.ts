import { Writer } from '#tars/codec/writer.ts'
import type { FunctionCodec } from '#tars/idl/interface.ts'
import { QueryF } from '#tars/protocol/QueryF.ts'
import { bodyOf, encoded, ReadyAnswers, type Encoded } from '#tars/server.ts'
import type { ObjectAnswers } from './model/object-answers.ts'
import type { ServantView } from './model/views.ts'

/** The answers about one object, encoded when its endpoints change and sent as they are when it is asked for. */
export interface Answer {
  /** Body of findObjectById: the active endpoints at tag 0. */
  readonly list: Encoded
  /** Return 0 at tag 0, active at 2, inactive at 3. {@link CommonAnswers} puts its own copy here, so that there is one. */
  lists: Encoded
  /** The same for the two functions with one more parameter: active at 3, inactive at 4. */
  readonly listsAfterPlace: Encoded
  /** Body of findObjectNodeName: names of the pods, active ones first. */
  readonly names: Encoded
}

const { findObjectById, findObjectById4Any, findObjectById4All, findObjectByIdInSameGroup, findObjectByIdInSameSet, findObjectNodeName } = QueryF.functions

type ResultCodec = Pick<FunctionCodec, 'writeResult'> | undefined

/** Encodes answers, all with one writer. */
export function answerEncoder(): (view: ServantView) => Answer {
  const writer = new Writer(4096)
  return ({ active, inactive }) => {
    const result = { return: 0, activeEp: active, inactiveEp: inactive }
    const encode = (codec: ResultCodec, value: unknown): Encoded => {
      codec?.writeResult(writer.reset(), value)
      return encoded(writer.view())
    }
    const nodeNames = new Set([...active, ...inactive].map(({ nodeName }) => nodeName).filter((name) => name !== ''))
    return {
      list: encode(findObjectById, active),
      lists: encode(findObjectById4Any, result),
      listsAfterPlace: encode(findObjectByIdInSameSet, result),
      names: encode(findObjectNodeName, { return: 0, nodeNames: [...nodeNames] }),
    }
  }
}

/** What callers of a function get who all get the same, by their very question. */
export class CommonAnswers {
  readonly #ready = new ReadyAnswers()
  readonly #writer = new Writer(256)

  /** By function. */
  readonly functions = Object.fromEntries([findObjectById4Any, findObjectById4All, findObjectByIdInSameGroup].map((codec) => [codec?.name, this.#ready]))

  readonly publish = (id: string, answers: ObjectAnswers<Answer> | undefined): void => {
    findObjectByIdInSameGroup?.writeArgs(this.#writer.reset(), [id])
    const question = this.#writer.view()
    if (answers === undefined || answers.differ) this.#ready.delete(question)
    else answers.all.lists = this.#ready.set(question, bodyOf(answers.all.lists))
  }
}
