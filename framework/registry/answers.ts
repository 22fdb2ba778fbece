import { Reader } from '#tars/codec/reader.ts'
import { Writer } from '#tars/codec/writer.ts'
import { QueryF, type EndpointF } from '#tars/protocol/QueryF.ts'
import { encoded, type Encoded } from '#tars/server.ts'
import type { ServantView } from './model/endpoints.ts'

/** The answers about one object, encoded when its endpoints change and sent as they are when it is asked for. */
export interface Answer {
  /** Body of findObjectById: the active endpoints at tag 0. */
  readonly list: Encoded
  /** Return 0 at tag 0, active at 2, inactive at 3. */
  readonly lists: Encoded
  /** The same for the two functions with one more parameter: active at 3, inactive at 4. */
  readonly listsAfterPlace: Encoded
}

const { findObjectById, findObjectById4Any, findObjectByIdInSameSet } = QueryF.functions

/** Encodes the three bodies; a writer of its own, as it runs on change only. */
export function prepareAnswer({ active, inactive }: ServantView): Answer {
  const result = { return: 0, activeEp: active, inactiveEp: inactive }
  return {
    list: encode(findObjectById, active),
    lists: encode(findObjectById4Any, result),
    listsAfterPlace: encode(findObjectByIdInSameSet, result),
  }
}

function encode(codec: { writeResult(writer: Writer, result: unknown): void } | undefined, result: unknown): Encoded {
  const writer = new Writer(256)
  codec?.writeResult(writer, result)
  return encoded(writer.bytes())
}

/** The lists behind an answer, for who wants to look into it. */
export function listsOf(answer: Answer): { readonly return: number; readonly activeEp: EndpointF[]; readonly inactiveEp: EndpointF[] } {
  return findObjectById4Any?.readResult(new Reader(answer.lists.body)) as ReturnType<typeof listsOf>
}
