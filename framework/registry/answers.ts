import { Reader } from '#tars/codec/reader.ts'
import { Writer } from '#tars/codec/writer.ts'
import type { FunctionCodec } from '#tars/idl/interface.ts'
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

type ResultCodec = Pick<FunctionCodec, 'writeResult'> | undefined

/** Encodes answers, all with one writer; the bodies of an answer share one buffer of their exact size. */
export function answerEncoder(): (view: ServantView) => Answer {
  const writer = new Writer(4096)
  return ({ active, inactive }) => {
    const result = { return: 0, activeEp: active, inactiveEp: inactive }
    const ends: number[] = []
    const write = (codec: ResultCodec, value: unknown) => {
      codec?.writeResult(writer, value)
      ends.push(writer.length)
    }
    writer.reset()
    write(findObjectById, active)
    write(findObjectById4Any, result)
    write(findObjectByIdInSameSet, result)
    // Not from the shared pool: a small answer that lives long would keep a whole slab of it.
    const bytes = Buffer.allocUnsafeSlow(writer.length)
    writer.view().copy(bytes)
    const [first, second, third] = ends
    return { list: encoded(bytes.subarray(0, first)), lists: encoded(bytes.subarray(first, second)), listsAfterPlace: encoded(bytes.subarray(second, third)) }
  }
}

/** The lists behind an answer, for who wants to look into it. */
export function listsOf(answer: Answer): { readonly return: number; readonly activeEp: EndpointF[]; readonly inactiveEp: EndpointF[] } {
  return findObjectById4Any?.readResult(new Reader(answer.lists.body)) as ReturnType<typeof listsOf>
}
