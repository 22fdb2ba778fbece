import type { Logger } from '#base/log.ts'
import type { Account } from '../auth.ts'
import type { Endpoint } from '../endpoint.ts'
import type { ClientCall } from './call.ts'

/** Whom a client trusts. */
export interface ClientTls {
  /** PEM certificates of authorities; asked for at each connection, so that new ones count. Default: those that the runtime knows. */
  readonly ca?: () => string
  /** The name that certificates must be for. Default: the host of the endpoint. */
  readonly name?: string | undefined
}

export interface LinkOptions {
  readonly connectTimeoutMs: number
  readonly maxInFlight: number
  readonly maxPacketBytes: number
  readonly localAddress: string | undefined
  /** What `ssl` endpoints must show a certificate of; undefined: authorities that the runtime knows. */
  readonly tls: ClientTls | undefined
  readonly resolve: ((host: string) => Promise<string>) | undefined
  /** What is called. */
  readonly object: string
  /** What is shown where an endpoint says `-e 1`. */
  readonly account: Account | undefined
  readonly log: Logger
}

export interface LinkParts {
  readonly endpoint: Endpoint
  /** The endpoint as text, for messages. */
  readonly label: string
  readonly options: LinkOptions
  /**
   * It takes no more calls. Called once.
   * @param lost it was open, and the other side closed it, broke it or asked to leave
   */
  readonly onEnd: (link: Link, lost: boolean) => void
}

/** A way to one endpoint: a TCP connection or a UDP socket. */
export interface Link {
  /** True when {@link send} may be called. */
  readonly open: boolean
  /** Resolves when open; rejects with Failure `TARS_CONNECT`. */
  readonly ready: Promise<void>
  /** Resolves when nothing of it is left. */
  readonly closed: Promise<void>
  /** Sends a call, whose answer settles it; failures settle it too. */
  send(call: ClientCall): void
  /** Takes no more calls, and closes when those under way have settled. */
  end(): void
}
