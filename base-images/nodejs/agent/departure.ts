// How a worker that is told to end takes leave of its clients: the servers of @tars/rpc would drop calls under way.
import { subscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { encodeResponse, reconnectMessage, reconnectStatus, version } from '#tars/packet.ts'

/** A connection whose client knows no leave-taking has ended its calls when nothing moved for this long, milliseconds. */
const quietMs = 100
const checkMs = 20

interface Peer {
  /** The client said that it understands the request to leave. */
  leaves: boolean
  moved: number
  /** Monotonic milliseconds of the last look that found bytes moved. */
  movedAt: number
}

/** Knows the connections that the servers of this process accepted. */
export class Departure {
  readonly #peers = new Map<Socket, Peer>()

  constructor() {
    subscribe('net.server.socket', (message) => this.#accepted((message as { socket: Socket }).socket))
  }

  /** Asks the clients that understand it to leave. Resolves when all have left or are quiet, at the latest after `graceMs`. */
  async say(graceMs: number): Promise<void> {
    const now = performance.now()
    for (const [socket, peer] of this.#peers) {
      Object.assign(peer, { moved: moved(socket), movedAt: now })
      if (peer.leaves && socket.writable) socket.write(encodeResponse({ version: version.tars, requestId: 0, description: reconnectMessage }))
    }
    while (performance.now() - now < graceMs && [...this.#peers].some(([socket, peer]) => isBusy(socket, peer))) {
      await new Promise((resolve) => setTimeout(resolve, checkMs))
    }
  }

  #accepted(socket: Socket): void {
    const peer: Peer = { leaves: false, moved: 0, movedAt: performance.now() }
    this.#peers.set(socket, peer)
    socket.once('close', () => this.#peers.delete(socket))
    // Reads along where the service reads: Node tells of a connection after the service, and a listener of ours alone
    // would let bytes flow past a service that reads later.
    if (socket.listenerCount('data') > 0) socket.once('data', (chunk: Buffer | string) => (peer.leaves = chunk.includes(reconnectStatus)))
  }
}

const moved = (socket: Socket): number => socket.bytesRead + socket.bytesWritten

function isBusy(socket: Socket, peer: Peer): boolean {
  if (peer.leaves) return true // until it is closed
  const [now, bytes] = [performance.now(), moved(socket)]
  if (bytes !== peer.moved) Object.assign(peer, { moved: bytes, movedAt: now })
  return now - peer.movedAt < quietMs
}
