import type { FunctionCodec, Interface } from '../idl/interface.ts'
import type { CallOptions } from './options.ts'

/** What every proxy has besides the functions of its interface. */
export interface Pingable {
  /** Resolves when a server of the object answers. */
  tars_ping(options?: CallOptions): Promise<void>
}

type Send = (codec: FunctionCodec, args: readonly unknown[], options: CallOptions) => Promise<unknown>

/** An object with a method a function: in parameters, then options. */
export function makeProxy(iface: Interface, send: Send, ping: Pingable['tars_ping']): object {
  const methods = Object.values(iface.functions).map((codec) => [codec.name, methodOf(codec, send)])
  return Object.freeze({ ...Object.fromEntries(methods), tars_ping: ping })
}

function methodOf(codec: FunctionCodec, send: Send): (...given: unknown[]) => Promise<unknown> {
  const count = codec.params.filter((param) => !param.out).length
  return (...given) => send(codec, given.length === count ? given : given.slice(0, count), (given[count] as CallOptions | undefined) ?? {})
}
