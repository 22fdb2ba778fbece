import { describe, Failure } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'
import { Reader } from '../codec/reader.ts'
import type { Writer } from '../codec/writer.ts'
import { ret, TarsCallError, version } from '../packet.ts'
import { answer, refuse } from './answer.ts'
import { readArguments } from '../packet/bodies.ts'
import { writeReturned } from './bodies.ts'
import type { Call } from './call.ts'
import { Current } from './current.ts'
import type { ServerMetrics } from './metrics.ts'
import type { Turn } from './turn.ts'

/** Characters of a reason that travel back. */
const maxReasonLength = 4096

export interface ExecutorOptions {
  readonly adapter: string
  readonly log: Logger
  readonly metrics: ServerMetrics | undefined
  readonly turn: Turn
  /** A call has been answered: one that was started, or one that was refused before. */
  readonly done: (started: boolean) => void
}

/** Runs the method of a call and answers it. Nothing that a method does, throws or returns gets past it. */
export class Executor {
  readonly #options: ExecutorOptions
  readonly #reader = new Reader(Buffer.alloc(0))

  constructor(options: ExecutorOptions) {
    this.#options = options
  }

  start(call: Call): void {
    if (this.#options.metrics !== undefined) call.startedAt = this.#options.turn.at
    const { ready } = call.route
    const { version: ver, body } = call.packet
    const place = ready !== undefined && ver === version.tars ? ready.find(body) : -1
    if (place < 0) this.#ask(call)
    else this.#send(call, plain, (writer) => ready?.write(place, writer))
  }

  #ask(call: Call): void {
    const { codec, method, servant } = call.route
    const { packet, channel } = call
    const current = new Current(packet, channel)
    let args: unknown[]
    try {
      args = readArguments(codec, packet.version, packet.body, this.#reader)
    } catch (error) {
      return this.#finish(call, ret.decodeError, refuse(channel, packet, ret.decodeError, reasonOf(error)))
    }
    packet.body = noBody
    args.push(current)
    try {
      const result = Reflect.apply(method, servant, args)
      if (isThenable(result)) Promise.resolve(result).then((value) => this.#succeed(call, current, value), (error: unknown) => this.#fail(call, current, error))
      else this.#succeed(call, current, result)
    } catch (error) {
      this.#fail(call, current, error)
    }
  }

  /** Answers a call that has not been started and will not be. */
  refuse(call: Call, code: number, why: string): void {
    this.#finish(call, code, refuse(call.channel, call.packet, code, why), false)
  }

  #succeed(call: Call, current: Current, value: unknown): void {
    this.#send(call, current.touched ? responseMaps(current) : plain, (writer) => writeReturned(call.route.codec, call.packet.version, writer, value))
  }

  #send(call: Call, rest: ReturnType<typeof responseMaps>, body: (writer: Writer) => void): void {
    let bytes: number
    try {
      bytes = answer(call.channel, call.packet, rest, body)
    } catch (error) {
      this.#options.log.error('the result of a method cannot be encoded', { servant: call.packet.servant, function: call.packet.func, error })
      return this.#finish(call, ret.encodeError, refuse(call.channel, call.packet, ret.encodeError, reasonOf(error)))
    }
    this.#finish(call, ret.success, bytes)
  }

  #fail(call: Call, current: Current, error: unknown): void {
    const code = error instanceof TarsCallError ? error.ret : ret.unknownError
    const description = reasonOf(error)
    if (!(error instanceof Failure)) this.#options.log.error('a method failed', { servant: call.packet.servant, function: call.packet.func, error: description })
    this.#finish(call, code, this.#answerFailure(call, current, code, description))
  }

  #answerFailure(call: Call, current: Current, code: number, description: string): number {
    try {
      return answer(call.channel, call.packet, { ...responseMaps(current), ret: code, description })
    } catch {
      return refuse(call.channel, call.packet, code, description) // without what the method put into context or status
    }
  }

  #finish(call: Call, code: number, responseBytes: number, started = true): void {
    call.channel.end()
    this.#options.done(started)
    const { metrics } = this.#options
    if (metrics?.onResponse !== undefined) metrics.onResponse(this.#record(call, code, responseBytes))
  }

  #record(call: Call, code: number, responseBytes: number): Parameters<NonNullable<ServerMetrics['onResponse']>>[0] {
    const now = this.#options.turn.read()
    const startedAt = call.startedAt === 0 ? now : call.startedAt
    return {
      adapter: this.#options.adapter,
      servant: call.packet.servant,
      function: call.packet.func,
      peer: call.channel.peer.address,
      oneWay: call.packet.packetType === 1,
      ret: code,
      queueMs: startedAt - call.arrivedAt,
      handleMs: now - startedAt,
      requestBytes: call.bodyBytes,
      responseBytes,
    }
  }
}

const noBody = Buffer.alloc(0)

/** What a response needs besides its body when the method set nothing. */
const plain = Object.freeze({})

function responseMaps(current: Current): { readonly context?: ReadonlyMap<string, string>; readonly status?: ReadonlyMap<string, string> } {
  const { givenContext: context, givenStatus: status } = current
  return { ...(context === undefined ? {} : { context }), ...(status === undefined ? {} : { status }) }
}

/** The text of anything that a method can throw, also of what cannot be turned into text. */
function reasonOf(error: unknown): string {
  try {
    return describe(error).slice(0, maxReasonLength)
  } catch {
    return 'the method threw something that has no text'
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
