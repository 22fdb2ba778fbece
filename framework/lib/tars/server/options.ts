import type { Logger } from '#base/log.ts'
import type { Accounts } from '../auth.ts'
import type { Interface } from '../idl/interface.ts'
import { defaultMaxPacketBytes } from '../packet.ts'
import type { TlsSettings } from '../tls.ts'
import type { Tokens } from '../tokens.ts'
import type { ServerMetrics } from './metrics.ts'
import type { ReadyAnswers } from './ready-answers.ts'

/** What answers for one object name. */
export interface ServantOptions {
  readonly interface: Interface
  /** Has one method a function of the interface: in parameters, then {@link Current}; may be async. */
  readonly servant: object
  /** By function: what is answered to some parameters, in version 1, without asking the servant. */
  readonly ready?: Readonly<Record<string, ReadyAnswers>>
}

/** One listening port. */
export interface AdapterOptions {
  /** `tcp -h HOST -p PORT -t MS`, `ssl …` or `udp …`; port 0 takes a free one. */
  readonly endpoint: string
  /** For log and metrics. Default: the endpoint. */
  readonly name?: string
  /** By object name, `App.Server.Obj`. */
  readonly servants: Readonly<Record<string, ServantOptions>>
  /** Who may call; pings are everybody's. The context of a request carries the token as `token`. Absent: whoever reaches the port. */
  readonly tokens?: Tokens | undefined
  /** Connections at once; one more is refused. Default 1024. */
  readonly maxConnections?: number
  /** A TCP socket that listens at the endpoint already (its file descriptor, which this server then owns): callers wait in it until the server starts. */
  readonly fd?: number
  /** Requests that may wait for their turn; one more is answered -9, as are some that would be left unread for long. Default 10000. */
  readonly queueCapacity?: number
  /** A request that waited longer, read or unread, is answered -6, or earlier when its caller gives up earlier. Default 60000 ms. */
  readonly queueTimeoutMs?: number
  /** Requests being handled at once; the others wait. Default 10000. */
  readonly concurrency?: number
  /** A connection without traffic and without a request under way is closed. Default: `-t` of the endpoint, at least 60 s. */
  readonly idleTimeoutMs?: number
}

export interface ServerLimits {
  /** Largest packet, header included. Default 10 MiB. */
  readonly maxPacketBytes: number
  /** A packet must be complete this long after its first byte, or its connection is closed. Default 60000 ms. */
  readonly partialPacketMs: number
  /** Memory for incomplete packets of one adapter; whoever needs more is closed. Default 256 MiB. */
  readonly maxPartialBytes: number
  /** Memory for waiting requests of one adapter; one more is answered -9. Default 256 MiB. */
  readonly maxQueueBytes: number
  /** With more unsent response bytes than this a connection is not read from. Default 1 MiB. */
  readonly pauseWriteBytes: number
  /** With more than this it is closed. Default 64 MiB. */
  readonly maxWriteBytes: number
  /** Memory for unsent response bytes of one adapter; beyond it the peer that has most of them loses connections. Default 256 MiB. */
  readonly maxUnsentBytes: number
  /** A connection that takes none of its response bytes for this long is closed. Default 30000 ms. */
  readonly writeStallMs: number
}

export interface ServerOptions extends Partial<ServerLimits> {
  readonly adapters: readonly AdapterOptions[]
  /** Gets closed connections and failing methods. Default: silent. */
  readonly log?: Logger
  readonly metrics?: ServerMetrics
  /** TCP ports serve TLS, too, or only; `ssl` endpoints only. */
  readonly tls?: TlsSettings | undefined
  /** Callers of ports whose endpoint says `-e 1`, or that serve one of its objects, must show an account first. */
  readonly accounts?: Accounts | undefined
}

export const defaultLimits: ServerLimits = Object.freeze({
  maxPacketBytes: defaultMaxPacketBytes,
  partialPacketMs: 60_000,
  maxPartialBytes: 256 << 20,
  maxQueueBytes: 256 << 20,
  pauseWriteBytes: 1 << 20,
  maxWriteBytes: 64 << 20,
  maxUnsentBytes: 256 << 20,
  writeStallMs: 30_000,
})

export const adapterDefaults = Object.freeze({ maxConnections: 1024, queueCapacity: 10_000, queueTimeoutMs: 60_000, concurrency: 10_000, idleTimeoutMs: 60_000 })
