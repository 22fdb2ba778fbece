import { describe } from '#base/errors.ts'
import { Reader } from '../codec/reader.ts'
import { Writer } from '../codec/writer.ts'
import type { FunctionCodec, Interface } from '../idl/interface.ts'
import { ret, TarsCallError } from '../packet.ts'

/**
 * The same interface, one of whose functions is called with a Reader in place of its arguments: its servant reads them itself,
 * before it returns, as in version 1 of the protocol and whatever the version.
 */
export function unread(of: Interface, func: string): Interface {
  const codec = of.functions[func] as FunctionCodec
  const again = (args: readonly unknown[]): [Reader] => {
    const writer = new Writer()
    codec.writeArgs(writer, args)
    return [new Reader(writer.bytes())]
  }
  const reading: FunctionCodec = { ...codec, readArgs: (reader) => [reader], readArgsTup: (map) => again(codec.readArgsTup(map)), argsFromJson: (value) => again(codec.argsFromJson(value)) }
  return { ...of, functions: Object.assign(Object.create(null), of.functions, { [func]: reading }) }
}

/** What is read from it. @throws TarsCallError with the code of what cannot be decoded */
export function reading<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new TarsCallError(ret.decodeError, describe(error))
  }
}
