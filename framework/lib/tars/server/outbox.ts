import type { Socket } from 'node:net'

/** Most bytes handed to the socket at once: what is unsent shrinks piece by piece, so that progress can be seen. */
const pieceBytes = 256 * 1024

interface Waiting {
  bytes: Buffer
  /** They are needed no more. */
  readonly done: () => void
}

/** Sends buffers in order over a socket and knows how much is unsent and since when nothing moved. */
export class Outbox {
  readonly #socket: Socket
  readonly #onEmpty: () => void
  readonly #waiting: Waiting[] = []
  #inSocket = 0
  /** To be called when the socket has taken what it was handed. */
  #dones: (() => void)[] = []
  #bytes = 0
  /** Writes that were seen to be over before their call back came. */
  #seen = 0
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

  /** @param done called when the operating system has taken these bytes, mostly at once */
  push(bytes: Buffer, done: () => void): void {
    this.#bytes += bytes.length
    this.#waiting.push({ bytes, done })
    if (this.#inSocket === 0) this.#write()
  }

  /** Closes our end of the connection once everything is sent. */
  end(): void {
    this.#ending = true
    if (this.#inSocket === 0) this.#socket.end()
  }

  #write(): void {
    while (this.#waiting.length > 0) {
      const pieces = this.#take()
      this.#inSocket = pieces.reduce((sum, piece) => sum + piece.length, 0)
      const last = pieces.pop() as Buffer
      if (pieces.length > 0) this.#socket.cork()
      for (const piece of pieces) this.#socket.write(piece)
      this.#socket.write(last, this.#written)
      if (pieces.length > 0) this.#socket.uncork()
      if (this.#socket.writableLength > 0) return
      this.#seen++
      this.#taken()
    }
    if (this.#ending) this.#socket.end()
    this.#onEmpty()
  }

  // The next pieces, together at most pieceBytes.
  #take(): Buffer[] {
    const pieces: Buffer[] = []
    let room = pieceBytes
    while (room > 0 && this.#waiting.length > 0) {
      const first = this.#waiting[0] as Waiting
      const piece = first.bytes.length <= room ? first.bytes : first.bytes.subarray(0, room)
      if (piece === first.bytes) {
        this.#waiting.shift()
        this.#dones.push(first.done)
      } else first.bytes = first.bytes.subarray(room)
      pieces.push(piece)
      room -= piece.length
    }
    return pieces
  }

  readonly #written = (error?: Error | null): void => {
    if (this.#seen > 0) this.#seen--
    else if (error == null) { // else the socket's own 'error' or 'close' ends the connection
      this.#taken()
      this.#write()
    }
  }

  #taken(): void {
    this.#bytes -= this.#inSocket
    this.#inSocket = 0
    const dones = this.#dones
    this.#dones = []
    for (const done of dones) done()
  }
}
