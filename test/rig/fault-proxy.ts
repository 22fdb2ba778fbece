// A TCP proxy that harms chosen connections, for tests of what is done when a registry goes away.
import { connect, createServer, type Socket } from 'node:net'

export interface FaultProxy {
  /** host:port to use instead of the target's. */
  readonly address: string
  /** Resets the next connection that has carried so many bytes towards the target; each call arms one cut. */
  cutAfter(bytes: number): void
  /** Cuts made so far. */
  readonly cuts: number
  /** Resets what is open and what comes, or lets it pass again. */
  refuse(on: boolean): void
  /** Keeps connections open and carries nothing, or carries again. */
  hang(on: boolean): void
  /** What the target says arrives so much later, milliseconds. */
  delay(ms: number): void
  /** Resets each connection that is open when the target says something next: what it was asked for is done, and nobody hears of it. */
  loseAnswers(): void
  stop(): Promise<void>
}

/**
 * @param target host:port
 * @param listen own address, from which the target must be reachable
 */
export async function faultProxy(target: string, listen = '127.0.0.1'): Promise<FaultProxy> {
  const [host = '', port = ''] = target.split(':')
  const sockets = new Set<Socket>()
  const armed: number[] = []
  let cuts = 0
  let refusing = false
  let hanging = false
  let delayMs = 0
  const upstreams = new Set<Socket>()
  const losing = new WeakSet<Socket>()
  const server = createServer((client) => {
    if (refusing) return client.resetAndDestroy()
    // From the client's own address, which a registry judges it by.
    const upstream = connect({ port: Number(port), host, localAddress: client.remoteAddress })
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.on('error', () => {})
      socket.on('close', () => sockets.delete(socket))
      if (hanging) socket.pause()
    }
    upstreams.add(upstream)
    upstream.on('close', () => upstreams.delete(upstream))
    const late: (() => void)[] = []
    let dueAt = 0
    /** In their order, though the delay changes. */
    const later = (carry: () => void): void => {
      const now = performance.now()
      dueAt = Math.max(dueAt, now + delayMs)
      if (late.length === 0 && dueAt === now) return carry()
      late.push(carry)
      setTimeout(() => late.shift()?.(), dueAt - now)
    }
    let carried = 0
    client.on('data', (part: Buffer) => {
      carried += part.length
      const [limit] = armed
      if (limit !== undefined && carried > limit) {
        armed.shift()
        cuts++
        // What came before the cut reaches the target, as it does when a cable is pulled.
        upstream.write(part.subarray(0, part.length >> 1), () => upstream.end())
        client.resetAndDestroy()
      } else if (!upstream.write(part)) client.pause()
    })
    upstream.on('drain', () => hanging || client.resume())
    upstream.on('data', (part) => {
      if (losing.has(upstream)) client.resetAndDestroy()
      else later(() => client.write(part))
    })
    upstream.on('end', () => later(() => client.end()))
    client.on('end', () => upstream.end())
    client.on('close', () => upstream.end())
    upstream.on('close', () => later(() => client.destroy()))
  })
  await new Promise<void>((resolve) => server.listen(0, listen, resolve))
  const { port: own } = server.address() as { port: number }
  return {
    address: `${listen}:${own}`,
    cutAfter: (bytes) => void armed.push(bytes),
    get cuts() {
      return cuts
    },
    refuse: (on) => {
      refusing = on
      if (on) for (const socket of sockets) socket.resetAndDestroy()
    },
    hang: (on) => {
      hanging = on
      for (const socket of sockets) {
        if (on) socket.pause()
        else socket.resume()
      }
    },
    delay: (ms) => {
      delayMs = ms
    },
    loseAnswers: () => {
      for (const upstream of upstreams) losing.add(upstream)
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}
