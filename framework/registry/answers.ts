import { wire } from '#tars/codec/wire.ts'
import { Writer } from '#tars/codec/writer.ts'
import type { FunctionCodec } from '#tars/idl/interface.ts'
import { QueryF, type EndpointF } from '#tars/protocol/QueryF.ts'
import { bodyOf, Encoded, encoded, ReadyAnswers } from '#tars/server.ts'
import type { ObjectAnswers } from './model/object-answers.ts'
import type { ServantView } from './model/views.ts'

const { findObjectById, findObjectById4Any, findObjectById4All, findObjectByIdInSameGroup, findObjectNodeName } = QueryF.functions

/** The answers about one object: their parts are encoded when its endpoints change, and follow each other when it is asked for. */
export class Answer {
  readonly #active: string
  readonly #inactive: string
  /** Body of findObjectNodeName: names of the pods, active ones first. */
  readonly names: Encoded

  constructor({ active, inactive }: ServantView, writer: Writer) {
    this.#active = listBytes(active, writer)
    this.#inactive = listBytes(inactive, writer)
    const nodeNames = new Set([...active, ...inactive].map(({ nodeName }) => nodeName).filter((name) => name !== ''))
    findObjectNodeName?.writeResult(writer.reset(), { return: 0, nodeNames: [...nodeNames] })
    this.names = encoded(writer.view())
  }

  /** Body of findObjectById: the active endpoints at tag 0. */
  get list(): Encoded {
    return new Encoded(listHead(0), this.#active)
  }

  /** Return 0 at tag 0, active at 2, inactive at 3. */
  get lists(): Encoded {
    return new Encoded(success, listHead(2), this.#active, listHead(3), this.#inactive)
  }

  /** The same for the two functions with one more parameter: active at 3, inactive at 4. */
  get listsAfterPlace(): Encoded {
    return new Encoded(success, listHead(3), this.#active, listHead(4), this.#inactive)
  }
}

/** 0 at tag 0. */
const success = String.fromCharCode(wire.zero)

/** The first byte of a vector. */
function listHead(tag: number): string {
  return String.fromCharCode(tag << 4 | wire.list)
}

/** A vector of endpoints without that. */
function listBytes(endpoints: readonly EndpointF[], writer: Writer): string {
  findObjectById?.writeResult(writer.reset(), endpoints)
  return writer.view().toString('latin1', 1)
}

/** Encodes answers, all with one writer. */
export function answerEncoder(): (view: ServantView) => Answer {
  const writer = new Writer(4096)
  return (view) => new Answer(view, writer)
}

/** What callers of a function get who all get the same, by their very question. */
export class CommonAnswers {
  readonly #ready = new ReadyAnswers()
  readonly #writer = new Writer(256)

  /** By function. */
  readonly functions = Object.fromEntries([findObjectById4Any, findObjectById4All, findObjectByIdInSameGroup].map((codec: FunctionCodec | undefined) => [codec?.name, this.#ready]))

  readonly publish = (id: string, answers: ObjectAnswers<Answer> | undefined): void => {
    findObjectByIdInSameGroup?.writeArgs(this.#writer.reset(), [id])
    const question = this.#writer.view()
    if (answers === undefined || answers.differ) this.#ready.delete(question)
    else this.#ready.set(question, bodyOf(answers.all.lists))
  }
}
