import { connect, createServer, type Socket } from 'node:net'

/** One address for the webhooks of several replicas, as a Service is: each connection goes to the next one that accepts it. */
export interface WebhookService {
  readonly url: string
  /** Ends what is open and refuses what comes, or lets it pass again. */
  refuse(on: boolean): void
  stop(): Promise<void>
}

/** @param backends asked at each connection */
export async function webhookService(listen: string, backends: () => readonly { readonly host: string; readonly port: number }[]): Promise<WebhookService> {
  const sockets = new Set<Socket>()
  let refusing = false
  let turn = 0
  const track = (socket: Socket): void => {
    sockets.add(socket)
    socket.on('error', () => {}).on('close', () => sockets.delete(socket))
  }
  const server = createServer((client) => {
    track(client)
    const all = backends()
    const first = turn++
    const tryNext = (tries: number): void => {
      const backend = all[(first + tries) % all.length]
      if (refusing || client.destroyed || backend === undefined || tries === all.length) return void client.resetAndDestroy()
      const upstream = connect(backend)
      const next = (): void => tryNext(tries + 1)
      upstream.once('error', next)
      upstream.once('connect', () => {
        upstream.off('error', next)
        track(upstream)
        client.pipe(upstream).pipe(client)
        client.on('close', () => upstream.destroy())
        upstream.on('close', () => client.destroy())
      })
    }
    tryNext(0)
  })
  await new Promise<void>((resolve) => server.listen(0, listen, resolve))
  const { port } = server.address() as { port: number }
  return {
    url: `https://${listen}:${port}`,
    refuse(on) {
      refusing = on
      if (on) for (const socket of sockets) socket.resetAndDestroy()
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}
