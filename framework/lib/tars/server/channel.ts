import type { Writer } from '../codec/writer.ts'
import type { Peer } from './current.ts'

/** The way back to one caller: a connection, or an address that sent a datagram. */
export interface Channel {
  readonly peer: Peer
  /** Largest response packet it takes. */
  readonly maxBytes: number
  /** Access key that the caller has shown that it has. */
  account: string | undefined
  /** It understands being asked to leave, in this protocol version. */
  agreesToLeave(version: number): void
  /** Nothing can be sent to it any more. */
  readonly gone: boolean
  /** A request was accepted from it and is not done yet. */
  begin(): void
  /** The request is done, answered or not. */
  end(): void
  /** The buffer to append a response to, or undefined when the caller is gone. {@link commit} follows at once. */
  open(): Writer | undefined
  /** The response is complete. */
  commit(): void
}
