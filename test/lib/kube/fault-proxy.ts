// A TLS proxy in front of an API server that fails in chosen ways: answers of its own, resets, cut lines, silence.
import http from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import https from 'node:https'
import type { KubeConfig } from '#kube/config.ts'

/** What happens to a request. `cut`: the answer is broken off after so many bytes of its `nth` line. */
export type Fault =
  | { readonly kind: 'pass' }
  | { readonly kind: 'status'; readonly code: number; readonly body?: string; readonly headers?: Record<string, string> }
  | { readonly kind: 'reset' }
  | { readonly kind: 'watch-error'; readonly code: number; readonly reason: string }
  | { readonly kind: 'truncate-next-event' }
  | { readonly kind: 'stall' }

export interface FaultProxy {
  readonly config: KubeConfig
  /** Faults for the next requests for which `match` holds, in order; then requests pass. */
  inject(match: (request: IncomingMessage) => boolean, ...faults: Fault[]): void
  /** Resets all connections of open watches. @returns how many */
  resetWatches(): number
  readonly requests: readonly string[]
  stop(): Promise<void>
}

export const isWatch = ({ url = '' }: IncomingMessage): boolean => url.includes('watch=1')
export const isList = ({ url = '', method }: IncomingMessage): boolean => method === 'GET' && !url.includes('watch=1')

export async function startFaultProxy(target: KubeConfig): Promise<FaultProxy> {
  const pending: { readonly match: (request: IncomingMessage) => boolean; readonly fault: Fault }[] = []
  const watches = new Set<ServerResponse>()
  const requests: string[] = []
  const agent = new https.Agent({ keepAlive: false, ...(target.ca === undefined ? {} : { ca: target.ca }) })
  const server = http.createServer((request, response) => {
    requests.push(`${request.method ?? ''} ${request.url ?? ''}`)
    const index = pending.findIndex(({ match }) => match(request))
    const fault = (index < 0 ? undefined : pending.splice(index, 1)[0]?.fault) ?? { kind: 'pass' as const }
    if (isWatch(request)) {
      watches.add(response)
      response.on('close', () => watches.delete(response))
    }
    answer(fault, request, response, (onData) => forward({ target, agent, request, response, onData }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  return {
    config: { server: `http://127.0.0.1:${port}`, token: target.token },
    inject: (match, ...faults) => pending.push(...faults.map((fault) => ({ match, fault }))),
    resetWatches() {
      const open = [...watches]
      for (const response of open) response.socket?.resetAndDestroy()
      return open.length
    },
    requests,
    async stop() {
      server.closeAllConnections()
      agent.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** Sees what the server sends; true once it has dealt with it. */
type OnData = (chunk: Buffer) => boolean

function answer(fault: Fault, request: IncomingMessage, response: ServerResponse, pass: (onData?: OnData) => void): void {
  switch (fault.kind) {
    case 'pass':
      return pass()
    case 'status':
      response.writeHead(fault.code, fault.headers).end(fault.body ?? '')
      return
    case 'reset':
      request.socket.resetAndDestroy()
      return
    case 'watch-error':
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(`${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code: fault.code, reason: fault.reason, message: 'injected' } })}\n`)
      return
    case 'truncate-next-event':
      return pass((chunk) => {
        response.end(chunk.subarray(0, Math.floor(chunk.length / 2)))
        return true
      })
    case 'stall':
      response.writeHead(200, { 'content-type': 'application/json' })
      response.flushHeaders()
  }
}

interface Forward {
  readonly target: KubeConfig
  readonly agent: https.Agent
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly onData: OnData | undefined
}

function forward({ target, agent, request, response, onData }: Forward): void {
  const outgoing = https.request(new URL(request.url ?? '/', target.server), { agent, method: request.method, headers: { ...request.headers, host: new URL(target.server).host } }, (incoming) => {
    response.writeHead(incoming.statusCode ?? 500, incoming.headers)
    response.flushHeaders()
    incoming.on('data', (chunk: Buffer) => {
      if (onData?.(chunk) === true) outgoing.destroy()
      else response.write(chunk)
    })
    incoming.on('end', () => response.end())
    incoming.on('error', () => response.destroy())
  })
  outgoing.on('error', () => response.destroy())
  response.on('close', () => outgoing.destroy())
  request.pipe(outgoing)
}
