import type { Socket } from 'node:net'

/** Largest piece handed to the socket at once: what is unsent shrinks piece by piece, so that progress can be seen. */
const pieceBytes = 256 * 1024

/** Sends buffers in order over a socket and knows how much is unsent and since when nothing moved. */
export class Outbox {
  readonly #socket: Socket
  readonly #onEmpty: () => void
  #waiting: Buffer[] = []
  #release: (() => void) | undefined
  #inSocket = 0
  #bytes = 0
  #ending = false

  /** @param onEmpty called whenever everything was handed to the operating system */
  constructor(socket: Socket, onEmpty: () => void) {
    this.#socket = socket
    this.#onEmpty = onEmpty
  }

  /** Bytes not yet taken by the operating system. */
  get bytes(): number {
    return this.#bytes
  }

  /** @param release called when everything pushed so far is sent, and with it these bytes; one at a time */
  push(bytes: Buffer, release?: () => void): void {
    this.#bytes += bytes.length
    this.#waiting.push(bytes)
    this.#release ??= release
    if (this.#inSocket === 0) this.#write()
  }

  /** Closes our end of the connection once everything is sent. */
  end(): void {
    this.#ending = true
    if (this.#inSocket === 0) this.#socket.end()
  }

  #write(): void {
    const pieces = this.#take()
    this.#inSocket = pieces.reduce((sum, piece) => sum + piece.length, 0)
    const last = pieces.pop() as Buffer
    if (pieces.length > 0) this.#socket.cork()
    for (const piece of pieces) this.#socket.write(piece)
    this.#socket.write(last, this.#written)
    if (pieces.length > 0) this.#socket.uncork()
  }

  // The next pieces, together at most pieceBytes.
  #take(): Buffer[] {
    const pieces: Buffer[] = []
    let room = pieceBytes
    while (room > 0 && this.#waiting.length > 0) {
      const first = this.#waiting[0] as Buffer
      const piece = first.length <= room ? first : first.subarray(0, room)
      if (piece === first) this.#waiting.shift()
      else this.#waiting[0] = first.subarray(room)
      pieces.push(piece)
      room -= piece.length
    }
    return pieces
  }

  readonly #written = (error?: Error | null): void => {
    if (error != null) return // the socket's own 'error' or 'close' ends the connection
    this.#bytes -= this.#inSocket
    this.#inSocket = 0
    if (this.#waiting.length > 0) return this.#write()
    this.#release?.()
    this.#release = undefined
    if (this.#ending) this.#socket.end()
    this.#onEmpty()
  }
}
