import type { Logger } from '#base/log.ts'
import type { Account } from '../auth.ts'
import type { Texts, Version } from '../packet.ts'
import type { ClientTls } from './link.ts'

/** Options of one call: the last argument of every proxy method. */
export interface CallOptions {
  /** The whole call, connecting and asking the registry included, milliseconds. Default: that of the communicator. */
  readonly timeoutMs?: number
  /** Added to the communicator's context; its keys win. */
  readonly context?: Texts | Readonly<Record<string, string>>
  /** Status of the request. */
  readonly status?: Texts | Readonly<Record<string, string>>
  /** Send and do not wait: the call resolves with undefined once it is handed to the connection. */
  readonly oneWay?: boolean
  /** Protocol version of this call. */
  readonly version?: Version
  /** Aborting rejects the call with the signal's reason. */
  readonly signal?: AbortSignal
  /** Gets what the response carries besides its result; called just before the call settles. */
  readonly onResponse?: (response: { readonly ret: number; readonly context: Texts; readonly status: Texts }) => void
}

export interface CommunicatorOptions {
  /** Where objects without an address are looked up, `tars.tarsregistry.QueryObj@tcp -h HOST -p PORT[:tcp …]`. */
  readonly locator?: string
  /** Of a call when it gives none. Default 3000 ms. */
  readonly timeoutMs?: number
  /** One attempt to connect. Default 2000 ms. */
  readonly connectTimeoutMs?: number
  /** Context of every call. */
  readonly context?: Texts | Readonly<Record<string, string>>
  /** Default 1. */
  readonly version?: Version
  /** Turns the host of an endpoint into an address. Default: the operating system's resolver. */
  readonly resolve?: (host: string) => Promise<string>
  /** Address of this machine that TCP connections come from. Default: the operating system's choice, on loopback 127.0.0.1. */
  readonly localAddress?: string
  /** Whom `ssl` endpoints are checked by. Default: the authorities that the runtime knows. */
  readonly tls?: ClientTls
  /** What an object wants to be shown whose endpoint says `-e 1`. Default: there is none, and it cannot be called. */
  readonly account?: (object: string) => Account | undefined
  /** Calls under way at once over one connection; one more fails at once. Default 20000. */
  readonly maxInFlight?: number
  /** Largest response packet. Default 10 MiB. */
  readonly maxPacketBytes?: number
  /** How old the registry's answer may be before it is asked again, milliseconds. Default 60000. */
  readonly refreshIntervalMs?: number
  /** Gets dropped connections and registry trouble. Default: silent. */
  readonly log?: Logger
}

export function textsOf(...parts: readonly (Texts | Readonly<Record<string, string>> | undefined)[]): Texts | undefined {
  const given = parts.filter((part) => part !== undefined)
  if (given.length === 0) return undefined
  return new Map(given.flatMap((part) => (part instanceof Map ? [...part.entries()] : Object.entries(part as Record<string, string>))))
}
