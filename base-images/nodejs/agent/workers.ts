import cluster, { type Worker } from 'node:cluster'
import { EventEmitter } from 'node:events'
import type { Logger } from '#base/log.ts'

export interface WorkersOptions {
  readonly count: number
  /** Environment of the workers beside the inherited one. */
  readonly env: Readonly<Record<string, string>>
  /** How long a worker may take to end before it is killed, milliseconds. */
  readonly stopTimeoutMs: number
  /** How often a worker says that its event loop goes on, milliseconds; 0: never. */
  readonly beatMs?: number
  readonly log: Logger
}

/** More than this many unexpected exits within {@link crashWindowMs} end the agent, so that tarsnode sees the crash. */
const crashLimit = 5
const crashWindowMs = 10_000
/** How long clients may take to leave a worker that ends, milliseconds: below the 2 s after which tarsnode sends SIGTERM at the earliest. */
const departureMs = 1_500

/** A worker that misses more than so many beats in a row hangs. */
export const beatsMissed = 5
/** The message, and the variable of a worker's environment that says how often. */
export const aliveMessage = 'agent.alive'
export const beatVariable = 'NODE_AGENT_BEAT_MS'

/** One message between workers, or from an operator: `tars.*` commands reach the script as `process.on('message')`. */
export interface WorkerMessage {
  readonly cmd: string
  readonly data?: string
}

/**
 * The cluster of workers sharing the service's listening ports.
 * Events: `listening` when every worker listens (or `online` when it only runs), `ended` with the exit code when none is left.
 */
export class Workers extends EventEmitter<{ online: []; listening: []; ended: [code: number] }> {
  readonly #options: WorkersOptions
  readonly #slots: (Worker | undefined)[]
  readonly #listening = new Set<Worker>()
  /** Beats that each worker has missed since it was online. */
  readonly #missed = new Map<Worker, number>()
  #watch: NodeJS.Timeout | undefined
  #crashes: number[] = []
  #stopping = false
  #lastCode = 0

  constructor(options: WorkersOptions) {
    super()
    this.#options = options
    this.#slots = Array.from({ length: options.count }, () => undefined)
  }

  start(): void {
    const { beatMs = 0 } = this.#options
    // Beats are counted, not measured: of a standstill of this process no worker is to blame.
    if (beatMs > 0) this.#watch = setInterval(() => this.#countMissed(), beatMs)
    for (let slot = 0; slot < this.#slots.length; slot++) this.#fork(slot)
  }

  /** Every worker has begun to run its script. */
  get online(): boolean {
    return this.#slots.every((worker) => worker !== undefined && this.#missed.has(worker))
  }

  broadcast(message: WorkerMessage): void {
    for (const worker of this.#slots) if (worker?.isConnected() === true) worker.send(message)
  }

  /** Asks every worker to end, kills what has not ended in time. `ended` follows. */
  stop(): void {
    if (this.#stopping) return
    this.#stopping = true
    clearInterval(this.#watch)
    const running = this.#slots.filter((worker) => worker !== undefined)
    if (running.length === 0) this.emit('ended', this.#lastCode)
    for (const worker of running) this.#end(worker)
  }

  #countMissed(): void {
    for (const [worker, missed] of this.#missed) {
      this.#missed.set(worker, missed + 1)
      if (missed < beatsMissed) continue
      this.#options.log.error('a worker hangs: its event loop stands still', { pid: worker.process.pid })
      worker.process.kill('SIGKILL')
    }
  }

  #end(worker: Worker): void {
    const timer = setTimeout(() => worker.process.kill('SIGKILL'), this.#options.stopTimeoutMs)
    worker.once('exit', () => clearTimeout(timer))
    if (!worker.isConnected()) return void worker.process.kill('SIGTERM')
    worker.send({ cmd: 'agent.shutdown', data: String(Math.min(departureMs, this.#options.stopTimeoutMs / 2)) } satisfies WorkerMessage, () => {})
    worker.disconnect()
  }

  #fork(slot: number): void {
    const worker = cluster.fork({ ...this.#options.env, WORKER_ID: String(slot) })
    this.#slots[slot] = worker
    worker.on('online', () => {
      this.#missed.set(worker, 0)
      this.emit('online')
    })
    worker.on('listening', () => {
      this.#listening.add(worker)
      if (this.#slots.every((other) => other !== undefined && this.#listening.has(other))) this.emit('listening')
    })
    // A message to a worker that is ending anyway fails; its exit is what counts.
    worker.on('error', (error) => this.#options.log.info('a worker cannot be told', { worker: slot, error }))
    worker.on('message', (message: unknown) => this.#heard(worker, message))
    worker.on('exit', (code: number | null, signal: NodeJS.Signals | null) => this.#exited(slot, worker, code, signal))
  }

  #heard(worker: Worker, message: unknown): void {
    const { cmd } = (message ?? {}) as { cmd?: unknown }
    if (cmd === aliveMessage && this.#missed.has(worker)) this.#missed.set(worker, 0)
    else this.#relay(cmd, message)
  }

  /** `process.msg:all` and `process.msg:<worker id>` pass between workers, as @tars packages use them. */
  #relay(cmd: unknown, message: unknown): void {
    if (typeof cmd !== 'string' || !cmd.startsWith('process.msg:')) return
    const target = cmd.slice('process.msg:'.length)
    for (const [slot, worker] of this.#slots.entries()) {
      if (worker?.isConnected() === true && (target === 'all' || target === String(slot))) worker.send(message as WorkerMessage)
    }
  }

  #exited(slot: number, worker: Worker, code: number | null, signal: NodeJS.Signals | null): void {
    this.#slots[slot] = undefined
    this.#listening.delete(worker)
    this.#missed.delete(worker)
    this.#lastCode = this.#stopping ? this.#lastCode : (code ?? 1) || 1
    if (this.#stopping) return this.#endedWhenEmpty()
    this.#options.log.error('worker ended unexpectedly', { worker: slot, code, signal })
    const now = performance.now()
    this.#crashes = [...this.#crashes.filter((time) => now - time < crashWindowMs), now]
    if (this.#crashes.length <= crashLimit) return this.#fork(slot)
    this.#options.log.error('workers keep ending; giving up', { crashes: this.#crashes.length })
    this.stop()
  }

  #endedWhenEmpty(): void {
    if (this.#slots.every((worker) => worker === undefined)) this.emit('ended', this.#lastCode)
  }
}
