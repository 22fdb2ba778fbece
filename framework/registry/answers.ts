import { Writer } from '#tars/codec/writer.ts'
import type { FunctionCodec } from '#tars/idl/interface.ts'
import { QueryF } from '#tars/protocol/QueryF.ts'
import { encoded, type Encoded } from '#tars/server.ts'
import type { ServantView } from './model/views.ts'

/** The answers about one object, encoded when its endpoints change and sent as they are when it is asked for. */
export interface Answer {
  /** Body of findObjectById: the active endpoints at tag 0. */
  readonly list: Encoded
  /** Return 0 at tag 0, active at 2, inactive at 3. */
  readonly lists: Encoded
  /** The same for the two functions with one more parameter: active at 3, inactive at 4. */
  readonly listsAfterPlace: Encoded
  /** Body of findObjectNodeName: names of the pods, active ones first. */
  readonly names: Encoded
}

const { findObjectById, findObjectById4Any, findObjectByIdInSameSet, findObjectNodeName } = QueryF.functions

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
    write(findObjectNodeName, { return: 0, nodeNames: [...new Set([...active, ...inactive].map(({ nodeName }) => nodeName).filter((name) => name !== ''))] })
    // Not from the shared pool: a small answer that lives long would keep a whole slab of it.
    const bytes = Buffer.allocUnsafeSlow(writer.length)
    writer.view().copy(bytes)
    const [first, second, third, fourth] = ends
    return { list: encoded(bytes.subarray(0, first)), lists: encoded(bytes.subarray(first, second)), listsAfterPlace: encoded(bytes.subarray(second, third)), names: encoded(bytes.subarray(third, fourth)) }
  }
}
