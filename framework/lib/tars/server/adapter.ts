import type { Failure } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'
import { describe } from '#base/errors.ts'
import { Limiter } from '#base/limiter.ts'
import { admission, checkAuth, type Accounts } from '../auth.ts'
import { KnownTexts } from '../codec/known-texts.ts'
import { Reader } from '../codec/reader.ts'
import { isVersion, pingFunction, readRequest, reconnectStatus, ret, type RequestPacket } from '../packet.ts'
import { answer, refuse } from './answer.ts'
import type { Call, Route } from './call.ts'
import type { Channel } from './channel.ts'
import { Dispatcher } from './dispatcher.ts'
import { Executor } from './executor.ts'
import type { ServerMetrics } from './metrics.ts'
import { adapterDefaults, type AdapterOptions, type ServerLimits } from './options.ts'
import type { ReadyAnswers } from './ready-answers.ts'
import { buildRoutes } from './routes.ts'
import type { Turn } from './turn.ts'
import { tokenKey } from '../tokens.ts'

export interface AdapterParts {
  readonly name: string
  readonly options: AdapterOptions
  /** Those of which a caller must have one; absent: it needs none. */
  readonly accounts: Pick<Accounts, 'secretOf'> | undefined
  readonly limits: ServerLimits
  readonly log: Logger
  readonly metrics: ServerMetrics | undefined
  readonly turn: Turn
  readonly now: () => number
}

/** Lines of one peer and reason. */
const logLimit = { windowMs: 10_000, count: 5 } as const

/** Calls whose answers are looked for together: what is read ahead is there still when it is needed. */
const mostGathered = 64

/** What is behind a port, whatever the transport: takes packets, finds the method, answers. */
export class Adapter {
  readonly #parts: AdapterParts
  readonly #routes: ReadonlyMap<string, ReadonlyMap<string, Route>>
  readonly #names: KnownTexts
  readonly #dispatcher: Dispatcher
  readonly #executor: Executor
  readonly #reader = new Reader(Buffer.alloc(0))
  readonly #queueTimeoutMs: number
  readonly #logged = new Limiter(logLimit)
  /** Of packets that are read together, the calls that may have answers that are ready. */
  readonly #gathered: Call[] = []
  #gathering = false
  /** Bytes of one of them are needed still. */
  #needed = false
  readonly #ready: readonly ReadyAnswers[]
  #onIdle: (() => void) | undefined

  constructor(parts: AdapterParts) {
    const { options, limits, log, metrics, turn, now, name } = parts
    this.#parts = parts
    this.#routes = buildRoutes(options.servants)
    this.#names = new KnownTexts([...this.#routes].flatMap(([servant, functions]) => [servant, ...functions.keys()]))
    this.#ready = [...new Set(Object.values(options.servants).flatMap(({ ready = {} }) => Object.values(ready)))]
    this.#queueTimeoutMs = options.queueTimeoutMs ?? adapterDefaults.queueTimeoutMs
    this.#executor = new Executor({ adapter: name, log, metrics, turn, done: (started) => this.#done(started) })
    this.#dispatcher = new Dispatcher({
      queueCapacity: options.queueCapacity ?? adapterDefaults.queueCapacity,
      concurrency: options.concurrency ?? adapterDefaults.concurrency,
      maxQueueBytes: limits.maxQueueBytes,
      now,
      turn,
      start: (call) => this.#executor.start(call),
      refuse: (call, code, why) => this.#executor.refuse(call, code, why),
    })
  }

  /** Requests accepted and not answered yet. */
  get pending(): number {
    return this.#dispatcher.pending
  }

  /** Whether packets are to be read now; {@link read} follows. If not, {@link readLater} says when to ask again. */
  mayRead(): boolean {
    this.#gathering = this.#dispatcher.mayRead()
    return this.#gathering
  }

  /** Starts what was put off since {@link mayRead}. @returns whether the bytes of those packets are needed no more */
  settle(): boolean {
    this.#admitGathered()
    const needed = this.#needed
    this.#needed = false
    return !needed
  }

  /** They are read, or one of them is none. */
  read(): void {
    this.settle()
    this.#gathering = false
    this.#dispatcher.read()
  }

  /** Something is unread: calls `task` when it may be time. */
  readLater(task: () => void): void {
    this.#dispatcher.readLater(task)
  }

  /** Nothing is unread any more. */
  caughtUp(): void {
    this.#dispatcher.caughtUp()
  }

  /** Resolves once no request is under way. */
  idle(): Promise<void> {
    if (this.pending === 0) return Promise.resolve()
    return new Promise((resolve) => (this.#onIdle = resolve))
  }

  /** Answers what still waits for its turn: the server ends. */
  refuseWaiting(): void {
    this.#dispatcher.refuseWaiting(ret.queueTimeout, 'the server is stopping')
  }

  /**
   * One packet without its header.
   * @param arrivedAt monotonic milliseconds
   * @returns whether its bytes are needed no more, once {@link settle} says the same
   * @throws Failure `TARS_DECODE` when it is no request, `TARS_AUTH` when it should show an account and does not
   */
  onPacket(bytes: Buffer, start: number, end: number, channel: Channel, arrivedAt: number): boolean {
    const packet = readRequest(this.#reader.reset(bytes, start, end), this.#names)
    if (packet.status.size > 0) noteAgreement(packet, channel)
    if (this.#parts.accounts !== undefined && channel.account === undefined) return this.#admitCaller(packet, channel, this.#parts.accounts)
    this.#parts.metrics?.onRequest?.(this.#parts.name, packet.servant, packet.func, packet.body.length)
    const route = this.#find(packet, channel)
    if (route === undefined) return true
    channel.begin()
    const call = { packet, bodyBytes: packet.body.length, channel, route, arrivedAt, deadline: arrivedAt + this.#patience(packet), startedAt: 0 }
    if (this.#gather(call)) return true
    this.#admitGathered() // calls start in the order in which they came
    return this.#dispatcher.admit(call)
  }

  /** A connection or datagram was refused. */
  refused(failure: Failure, peer: string): void {
    // Somebody who connects again and again does not fill the log; the metrics count on.
    if (this.#logged.take(`${peer.replace(/:\d+$/, '')} ${failure.code}`, this.#parts.now()).taken) this.#parts.log.error('connection closed', { adapter: this.#parts.name, peer, code: failure.code, error: describe(failure) })
    this.#parts.metrics?.onRefused?.(this.#parts.name, failure.code)
  }

  #done(started: boolean): void {
    if (started) this.#dispatcher.done()
    if (this.#onIdle === undefined || this.pending > 0) return
    this.#onIdle()
    this.#onIdle = undefined
  }

  #gather(call: Call): boolean {
    if (!this.#gathering || call.route.ready?.expect(call.packet.body) !== true) return false
    this.#gathered.push(call)
    if (this.#gathered.length === mostGathered) this.#admitGathered()
    return true
  }

  #admitGathered(): void {
    if (this.#gathered.length === 0) return
    for (const ready of this.#ready) ready.readAhead()
    for (const call of this.#gathered) if (!this.#dispatcher.admit(call)) this.#needed = true
    this.#gathered.length = 0
  }

  // How long it may wait for its turn: no longer than its caller does.
  #patience(packet: RequestPacket): number {
    return packet.timeoutMs > 0 && packet.timeoutMs < this.#queueTimeoutMs ? packet.timeoutMs : this.#queueTimeoutMs
  }

  #admitCaller(packet: RequestPacket, channel: Channel, accounts: Pick<Accounts, 'secretOf'>): boolean {
    channel.account = checkAuth(packet.body, (object) => this.#routes.has(object), accounts, Date.now() / 1000)
    answer(channel, packet, {}, (writer) => writer.writeRaw(admission))
    return true
  }

  // The method to call, or undefined when the packet has been answered already.
  #find(packet: RequestPacket, channel: Channel): Route | undefined {
    const functions = this.#routes.get(packet.servant)
    const route = functions?.get(packet.func)
    if (route !== undefined && isVersion(packet.version) && this.#mayCall(packet)) return route
    this.#answerAtOnce(packet, channel, functions !== undefined)
    return undefined
  }

  #mayCall({ context }: RequestPacket): boolean {
    const { tokens } = this.#parts.options
    return tokens === undefined || tokens.admits(context.get(tokenKey))
  }

  #answerAtOnce(packet: RequestPacket, channel: Channel, known: boolean): void {
    const { servant, func, version } = packet
    if (!isVersion(version)) refuse(channel, packet, ret.decodeError, `protocol version ${version} is not served; use 1 (Tars), 3 (TUP) or 5 (JSON)`)
    else if (!known) refuse(channel, packet, ret.noServant, `no servant ${servant} on this port`)
    else if (func === pingFunction) refuse(channel, packet, ret.success, '')
    else if (!this.#mayCall(packet)) refuse(channel, packet, ret.unknownError, `${servant} wants a token that it knows, in the context of the request under "${tokenKey}"`)
    else refuse(channel, packet, ret.noFunction, `${servant} has no function ${func}`)
  }
}

// The key is between client and server; servants do not see it.
function noteAgreement(packet: RequestPacket, channel: Channel): void {
  if ((packet.status as Map<string, string>).delete(reconnectStatus)) channel.agreesToLeave(packet.version)
}
