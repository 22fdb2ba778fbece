import type { FunctionCodec } from '../idl/interface.ts'
import type { ArrivedRequest } from '../packet.ts'
import type { Channel } from './channel.ts'
import type { ReadyAnswers } from './ready-answers.ts'

/** A method of a servant with its codec. */
export interface Route {
  readonly codec: FunctionCodec
  readonly servant: object
  readonly method: (...args: unknown[]) => unknown
  readonly ready: ReadyAnswers | undefined
}

/** A request on its way through the server. */
export interface Call {
  /** Its body is let go when the method is called: it may be large, and the method may take its time. */
  readonly packet: ArrivedRequest
  readonly bodyBytes: number
  readonly channel: Channel
  readonly route: Route
  /** Monotonic milliseconds. */
  readonly arrivedAt: number
  /** Monotonic milliseconds after which it is not worth starting. */
  readonly deadline: number
  /** When its method was called; 0 before. */
  startedAt: number
}
