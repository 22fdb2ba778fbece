import { Failure } from '#base/errors.ts'
import { silentLogger } from '#base/log.ts'
import { ClientCall } from './client/call.ts'
import { EndpointSet } from './client/endpoint-set.ts'
import { failures } from './client/failures.ts'
import { locateBy } from './client/locate.ts'
import { RemoteObject } from './client/object.ts'
import { textsOf, type CallOptions, type CommunicatorOptions } from './client/options.ts'
import { makeProxy, type Pingable } from './client/proxy.ts'
import { parseObject } from './endpoint.ts'
import type { FunctionCodec, Interface } from './idl/interface.ts'
import { defaultMaxPacketBytes, pingFunction, version } from './packet.ts'

export { TarsCallError } from './packet.ts'
export type { CallOptions, CommunicatorOptions } from './client/options.ts'
export type { ClientTls } from './client/link.ts'
export type { Pingable } from './client/proxy.ts'

const defaults = { timeoutMs: 3000, connectTimeoutMs: 2000, maxInFlight: 20_000, refreshIntervalMs: 60_000 } as const

/**
 * Calls Tars objects: keeps connections and endpoint lists, and shares them between all proxies of an object.
 *
 * A call that is answered with a code other than 0 rejects with {@link TarsCallError}. A call without an answer rejects
 * with a Failure: `TARS_CONNECT`, `TARS_CLOSED`, `TARS_TIMEOUT`, `TARS_BAD_REPLY`, `TARS_OVERLOAD`, `TARS_NO_ENDPOINT`,
 * `TARS_STOPPED`; one whose arguments do not fit the interface with `TARS_ENCODE`. A call that was never sent is tried at
 * every endpoint; one that was sent is not sent again, because it may have been carried out.
 *
 * Idle connections do not keep the process alive.
 */
export class Communicator {
  readonly #options: CommunicatorOptions
  readonly #objects = new Map<string, RemoteObject>()
  #lastId = 0
  #closed = false

  constructor(options: CommunicatorOptions = {}) {
    this.#options = options
  }

  /**
   * An object to call as if it were local: one method a function of the interface, taking the in parameters and
   * {@link CallOptions}, and `tars_ping`.
   * @param name `App.Server.Obj`, looked up at the locator, or `App.Server.Obj@tcp -h HOST -p PORT[:…]`
   * @throws Failure `TARS_ENDPOINT` for a name that is neither
   */
  proxy<P extends object>(iface: Interface, name: string): P & Pingable {
    this.#object(name)
    const send = (codec: FunctionCodec, args: readonly unknown[], options: CallOptions): Promise<unknown> => this.invoke(name, codec, args, options)
    return makeProxy(iface, send, (options) => this.ping(name, options)) as P & Pingable
  }

  /** Calls one function, of an interface known at run time only. @returns as a proxy method does */
  invoke(name: string, codec: FunctionCodec, args: readonly unknown[], options: CallOptions = {}): Promise<unknown> {
    return this.#call(name, codec.name, codec, args, options)
  }

  /** Resolves when a server of the object answers. */
  async ping(name: string, options: CallOptions = {}): Promise<void> {
    await this.#call(name, pingFunction, undefined, [], options)
  }

  /** Ends every connection once its calls have settled; later calls fail. */
  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#objects.values()].map((object) => object.end()))
  }

  #call(name: string, func: string, codec: FunctionCodec | undefined, args: readonly unknown[], options: CallOptions): Promise<unknown> {
    if (this.#closed) return Promise.reject(failures.stopped())
    const { timeoutMs = defaults.timeoutMs, context, version: ver = version.tars } = this.#options
    const call = new ClientCall({
      servant: servantOf(name),
      func,
      codec,
      args,
      requestId: this.#nextId(),
      version: options.version ?? ver,
      timeoutMs: int32(options.timeoutMs ?? timeoutMs),
      context: textsOf(context, options.context),
      status: textsOf(options.status),
    }, options)
    try {
      if (!call.settled) this.#object(name).dispatch(call)
    } catch (error) {
      call.fail(error)
    }
    return call.promise
  }

  // 1 to 2^31 - 1, then from 1 again: 0 is the server's own messages.
  #nextId(): number {
    this.#lastId = this.#lastId >= 0x7fffffff ? 1 : this.#lastId + 1
    return this.#lastId
  }

  #object(name: string): RemoteObject {
    const known = this.#objects.get(name)
    if (known !== undefined) return known
    const object = this.#makeObject(name)
    this.#objects.set(name, object)
    return object
  }

  #makeObject(name: string): RemoteObject {
    const { object, endpoints: fixed } = parseObject(name)
    const { locator, refreshIntervalMs = defaults.refreshIntervalMs, log = silentLogger } = this.#options
    const endpoints = new EndpointSet(this.#linkOptions(object))
    endpoints.update(fixed)
    const direct = fixed.length > 0
    if (!direct && locator === undefined) {
      throw new Failure('TARS_ENDPOINT', `the object ${object} has no address, and the communicator no locator`, { remedy: 'add "@tcp -h HOST -p PORT" to its name, or set the locator' })
    }
    const locate = direct || locator === undefined ? undefined : locateBy((codec, args) => this.invoke(locator, codec, args), this.#options.tls !== undefined)
    return new RemoteObject({ name: object, endpoints, locate, refreshIntervalMs, log, now: () => performance.now() })
  }

  #linkOptions(object: string): ConstructorParameters<typeof EndpointSet>[0] {
    const { connectTimeoutMs = defaults.connectTimeoutMs, maxInFlight = defaults.maxInFlight, maxPacketBytes = defaultMaxPacketBytes } = this.#options
    const { localAddress, tls, resolve, account, log = silentLogger } = this.#options
    return { connectTimeoutMs, maxInFlight, maxPacketBytes, localAddress, tls, resolve, object, account: account?.(object), log }
  }
}

// What a timer and the field iTimeout can hold; anything longer, Infinity too, is the longest.
function int32(ms: number): number {
  return Math.min(Math.max(1, Math.ceil(ms)), 0x7fffffff)
}

// The part of an object name that servers know: without addresses and hash suffix.
function servantOf(name: string): string {
  const end = name.search(/[@#]/)
  return (end < 0 ? name : name.slice(0, end)).trim()
}
