import type { Server, Socket } from 'node:net'

/** Of the peer that has most of these sockets the first one. */
export function oldestOfMost(sockets: Iterable<Socket>): Socket | undefined {
  const byPeer = [...Map.groupBy(sockets, ({ remoteAddress }) => remoteAddress).values()]
  return byPeer.reduce<readonly Socket[]>((most, own) => (own.length > most.length ? own : most), [])[0]
}

/**
 * Bounds a server's connections. When there are more, the peer that has most loses its oldest: nobody keeps the others out, probes least of all.
 * @returns those that are open
 */
export function boundConnections(server: Server, most = 256): ReadonlySet<Socket> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    const gone = sockets.size > most ? oldestOfMost(sockets) : undefined
    if (gone !== undefined) sockets.delete(gone.destroy())
  })
  return sockets
}
