import type { Endpoint } from '../endpoint.ts'
import type { FunctionCodec } from '../idl/interface.ts'
import { QueryF, type EndpointF } from '../protocol/QueryF.ts'
import { TarsCallError } from '../packet.ts'

/** By EndpointF.istcp. */
const protocols = ['udp', 'tcp', 'ssl'] as const

type Invoke = (codec: FunctionCodec, args: readonly unknown[]) => Promise<unknown>

/**
 * Asks a registry for the active endpoints of an object, those of the caller's group first choice (framework-services.md 1.1).
 * @param secure whether those that speak TLS can be called
 */
export function locateBy(invoke: Invoke, secure: boolean): (name: string) => Promise<readonly Endpoint[]> {
  const codec = QueryF.functions['findObjectByIdInSameGroup'] as FunctionCodec
  return async (name) => {
    const answer = (await invoke(codec, [name])) as { readonly return: number; readonly activeEp: readonly EndpointF[] }
    if (answer.return !== 0) throw new TarsCallError(answer.return, `the registry answered ${answer.return} for ${name}`, { temporary: true })
    return answer.activeEp.filter((one) => secure || one.istcp !== 2).map(endpointOf)
  }
}

function endpointOf(one: EndpointF): Endpoint {
  const { host, port, timeout: timeoutMs, grid, qos, weight, weightType, authType } = one
  return { protocol: protocols[one.istcp] ?? 'tcp', host, port, timeoutMs, grid, qos, weight, weightType, authType }
}
