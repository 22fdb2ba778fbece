import type { RequestListener, Server as HttpServer } from 'node:http'
import { createServer, type Server, type Socket } from 'node:net'
import { oldestOfMost } from '#base/connections.ts'
import { Failure } from '#base/errors.ts'

/** The time in which a request must be there, milliseconds: it is a few lines, and who is slower is no probe. */
const REQUEST_MS = 5_000
/** Connections whose request is awaited. One more, and who has most of them loses its oldest: a neighbour must not keep the kubelet out. */
const MOST_WAITING = 16
const MOST = 256

/**
 * An HTTP server whose code is loaded with the first connection: it would take a fifth of the supervisor's memory, and a
 * pod that nobody probes does not pay for it. Each connection serves one request.
 * @returns its end, once it listens at all addresses
 * @throws Failure EYES_LISTEN naming the address
 */
export async function listenHttp(addresses: readonly string[], port: number, answer: RequestListener): Promise<() => void> {
  let http: HttpServer | undefined
  /** Those whose request is awaited, the oldest first. */
  const limits = new Map<Socket, NodeJS.Timeout>()
  const unlimited = (socket: Socket): void => {
    clearTimeout(limits.get(socket))
    limits.delete(socket)
  }
  const take = (socket: Socket): void => {
    http ??= httpServer((request, response) => {
      unlimited(request.socket)
      answer(request, response)
    })
    // The time limits of an HTTP server count only for one that listens itself.
    if (limits.size >= MOST_WAITING) {
      const gone = oldestOfMost(limits.keys())
      if (gone !== undefined) unlimited(gone.destroy())
    }
    limits.set(socket, setTimeout(() => socket.destroy(), REQUEST_MS))
    socket.on('close', () => unlimited(socket))
    http.emit('connection', socket)
  }
  const servers = await Promise.all(addresses.map((host) => listen(host, port, take)))
  return () => {
    for (const server of servers) server.close()
    http?.closeAllConnections()
  }
}

function httpServer(answer: RequestListener): HttpServer {
  const { createServer: create } = process.getBuiltinModule('node:http')
  return create({ keepAlive: false }, (request, response) => {
    response.setHeader('connection', 'close')
    answer(request, response)
  })
}

function listen(host: string, port: number, take: (socket: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer(take)
    server.maxConnections = MOST
    server.on('error', (cause) => reject(new Failure('EYES_LISTEN', `cannot listen on ${host}:${port} for probes and metrics`, { cause, remedy: 'set TARSNODE_HTTP_PORT in spec.k8s.env of the TServer to a free port, and its spec.k8s.probes to the same' })))
    server.listen({ host, port }, () => resolve(server))
  })
}
