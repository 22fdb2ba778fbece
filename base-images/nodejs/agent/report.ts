import type { Logger } from '#base/log.ts'
import { describe } from '#base/errors.ts'
import { Communicator } from '#tars/client.ts'
import { ServerF, type ServerFProxy } from '#tars/protocol/NodeF.ts'
import type { Settings } from './settings.ts'

/** As every Tars runtime does: a heartbeat each ten seconds, far below tarsnode's limit of sixty. */
const heartbeatMs = 10_000
/** While starting, native runtimes say so every five seconds. */
const activatingMs = 5_000

/** Tells tarsnode that the service is starting, then that it lives. Failures are logged and tried again at the next beat. */
export class Reporter {
  readonly #settings: Settings
  readonly #log: Logger
  readonly #communicator = new Communicator({ timeoutMs: 3000 })
  readonly #node: ServerFProxy
  #timer: NodeJS.Timeout | undefined
  #active = false

  constructor(settings: Settings & { readonly nodeObject: string }, log: Logger) {
    this.#settings = settings
    this.#log = log
    this.#node = this.#communicator.proxy<ServerFProxy>(ServerF, settings.nodeObject)
  }

  /** Begins with keepActiving: the service runs but does not serve yet. */
  start(): void {
    this.#beat()
    this.#every(activatingMs)
  }

  /** From now on: keepAlive. */
  activate(version: string): void {
    if (this.#active) return
    this.#active = true
    this.#call(this.#node.reportVersion(this.#settings.app, this.#settings.server, version))
    this.#beat()
    this.#every(heartbeatMs)
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#communicator.close()
  }

  #every(ms: number): void {
    clearInterval(this.#timer)
    this.#timer = setInterval(() => this.#beat(), ms)
  }

  #beat(): void {
    const info = { application: this.#settings.app, serverName: this.#settings.server, pid: process.pid, adapter: '' }
    this.#call(this.#active ? this.#node.keepAlive(info) : this.#node.keepActiving(info))
  }

  #call(result: Promise<unknown>): void {
    result.catch((error: unknown) => this.#log.error('tarsnode did not take the report', { error: describe(error) }))
  }
}
