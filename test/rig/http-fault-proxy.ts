// An HTTP proxy that answers in a service's place, or loses its answers, for tests of what is done when a store is in trouble.
import http from 'node:http'
import type { AddressInfo } from 'node:net'

/** What is done with a request: passed on; not accepted; never answered; answered with this status; or passed on with its answer lost. */
export type Treatment = 'pass' | 'refuse' | 'hang' | 'lose-answer' | number

export interface HttpFaultProxy {
  /** host:port to use instead of the target's. */
  readonly address: string
  /** Of requests from now on; those that hang are let go when it changes. */
  treat(how: Treatment): void
  stop(): Promise<void>
}

/** @param target where requests go: host and port */
export async function httpFaultProxy(target: { readonly host: string; readonly port: number }): Promise<HttpFaultProxy> {
  let how: Treatment = 'pass'
  const hanging = new Set<http.ServerResponse>()
  const server = http.createServer((request, response) => {
    if (how === 'refuse') return void request.socket.resetAndDestroy()
    if (how === 'hang') {
      request.resume()
      response.on('close', () => hanging.delete(response))
      return void hanging.add(response)
    }
    if (typeof how === 'number') {
      request.resume()
      return void response.writeHead(how, { 'content-type': 'application/json' }).end(JSON.stringify({ error: { reason: `treated with ${how}` } }))
    }
    const loses = how === 'lose-answer'
    const { method = 'GET', url = '/', headers } = request
    // A connection of its own for each: a kept one may just be let go by the target, which would be a fault that nobody asked for.
    const onward = http.request({ ...target, method, path: url, headers, agent: false }, (answer) => {
      if (loses) {
        answer.resume()
        answer.on('end', () => request.socket.resetAndDestroy())
      } else {
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(response)
        answer.on('error', () => response.destroy())
      }
    })
    onward.on('error', () => request.socket.destroy())
    request.pipe(onward)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    treat(wanted) {
      how = wanted
      for (const response of hanging) response.destroy()
      hanging.clear()
    },
    async stop() {
      const closed = new Promise((resolve) => server.close(resolve))
      server.closeAllConnections()
      await closed
    },
  }
}
