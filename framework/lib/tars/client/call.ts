import { Failure } from '#base/errors.ts'
import type { Reader } from '../codec/reader.ts'
import type { Writer } from '../codec/writer.ts'
import type { FunctionCodec } from '../idl/interface.ts'
import { readResult, writeArguments } from '../packet/bodies.ts'
import { emptyBody } from '../packet/empty.ts'
import { packetType, pingFunction, reconnectStatus, retName, TarsCallError, writeRequest, type ResponsePacket, type Texts, type Version } from '../packet.ts'
import { failures } from './failures.ts'
import type { CallOptions } from './options.ts'

/** What is called, with what. */
export interface CallTarget {
  readonly servant: string
  readonly func: string
  /** Absent for a ping, which has an empty body. */
  readonly codec: FunctionCodec | undefined
  readonly args: readonly unknown[]
  readonly requestId: number
  readonly version: Version
  readonly timeoutMs: number
  readonly context: Texts | undefined
  readonly status: Texts | undefined
}

/** One call from its start to its settling, which happens exactly once. */
export class ClientCall {
  readonly requestId: number
  readonly oneWay: boolean
  /** Endpoints that could not be reached for it. */
  readonly tried = new Set<unknown>()
  /** Why the last of them could not be reached. */
  unreached: unknown
  /** The registry was asked again because none of the known endpoints could be reached. */
  lookedAgain = false
  readonly promise: Promise<unknown>
  readonly #target: CallTarget
  readonly #options: CallOptions
  #resolve!: (value: unknown) => void
  #reject!: (error: unknown) => void
  #timer: NodeJS.Timeout | undefined
  #settled = false
  /** Told when it settles while a connection waits for its answer. */
  onSettled: ((call: ClientCall) => void) | undefined

  constructor(target: CallTarget, options: CallOptions) {
    this.#target = target
    this.#options = options
    this.requestId = target.requestId
    this.oneWay = options.oneWay === true
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // Once what had come by then is read: after a standstill of the process the answer may only wait for that.
    this.#timer = setTimeout(setImmediate, target.timeoutMs, this.#expire).unref()
    options.signal?.addEventListener('abort', this.#abort, { once: true })
    if (options.signal?.aborted === true) this.#abort()
  }

  get settled(): boolean {
    return this.#settled
  }

  /**
   * Appends the request packet.
   * @param first it is the first on its connection, and tells what the client understands
   * @throws Failure `TARS_ENCODE`
   */
  write(writer: Writer, first = false): void {
    const { codec, version, args, status, ...head } = this.#target
    const start = writer.length
    try {
      writeRequest(writer, { ...head, version, status: first ? new Map([...(status ?? []), [reconnectStatus, '1']]) : status, packetType: this.oneWay ? packetType.oneWay : packetType.normal } as Parameters<typeof writeRequest>[1], (w) => {
        if (codec === undefined) w.writeRaw(emptyBody(version))
        else writeArguments(codec, version, w, args)
      })
    } catch (error) {
      writer.rewind(start)
      throw error
    }
  }

  /** The answer came; its body is read at once. @throws never */
  answer(packet: ResponsePacket, reader: Reader): void {
    if (this.#settled) return
    const { func, servant, codec } = this.#target
    const { ret, context, status } = packet
    try {
      this.#options.onResponse?.({ ret, context, status })
    } catch (error) {
      return this.fail(error)
    }
    if (ret !== 0) {
      const why = packet.description === '' ? retName(ret) : packet.description
      return this.fail(new TarsCallError(ret, `${servant}.${func} answered ${ret}: ${why}`, { context: { servant, function: func } }))
    }
    try {
      this.succeed(codec === undefined ? undefined : readResult(codec, packet.version, packet.body, reader))
    } catch (error) {
      this.fail(new Failure('TARS_BAD_RESULT', `the answer of ${servant}.${func} cannot be read`, { cause: error, remedy: 'check that both sides use the same .tars interface' }))
    }
  }

  succeed(value: unknown): void {
    if (this.#settle()) this.#resolve(value)
  }

  fail(error: unknown): void {
    if (this.#settle()) this.#reject(error)
  }

  #settle(): boolean {
    if (this.#settled) return false
    this.#settled = true
    clearTimeout(this.#timer)
    this.#options.signal?.removeEventListener('abort', this.#abort)
    this.onSettled?.(this)
    return true
  }

  readonly #expire = (): void => {
    const { servant, func, timeoutMs } = this.#target
    this.fail(failures.timeout(`${servant}.${func === pingFunction ? 'ping' : func}`, timeoutMs))
  }

  readonly #abort = (): void => {
    this.fail(this.#options.signal?.reason)
  }
}
