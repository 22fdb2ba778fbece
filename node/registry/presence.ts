import { createConnection, type Socket } from 'node:net'
import { backoff } from '#base/retry.ts'

const RETRY = { baseMs: 500, capMs: 10_000 }

/**
 * Keeps an idle connection to the registry for one purpose: its end tells at once that the registry restarts, and its
 * return that the state must be told again.
 */
export class RegistryPresence {
  readonly #host: string
  readonly #port: number
  readonly #onReturn: () => void
  #socket: Socket | undefined
  #timer: NodeJS.Timeout | undefined
  #failures = 0
  #wasLost = false
  #stopped = false

  constructor(host: string, port: number, onReturn: () => void) {
    this.#host = host
    this.#port = port
    this.#onReturn = onReturn
  }

  start(): void {
    if (this.#stopped) return
    const socket = createConnection({ host: this.#host, port: this.#port, keepAlive: true, keepAliveInitialDelay: 30_000 })
    this.#socket = socket
    socket.on('connect', () => {
      this.#failures = 0
      if (this.#wasLost) this.#onReturn()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#wasLost = true
      this.#failures++
      if (!this.#stopped) this.#timer = setTimeout(() => this.start(), backoff(this.#failures, RETRY))
    })
    socket.resume()
  }

  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    this.#socket?.destroy()
  }
}
