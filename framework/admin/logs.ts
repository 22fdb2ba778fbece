import { pipeline } from 'node:stream/promises'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Logger } from '#base/log.ts'
import type { KubeClient } from '#kube/client.ts'
import type { ServerRow } from './contract.ts'
import { unknownPod } from './errors.ts'
import type { View } from './model/view.ts'
import { invalid, texts, wholeNumber } from './routes.ts'

export interface LogParts {
  readonly view: View
  /** @throws Failure CALLER_REFUSED when who asks may not read what pods of a server print */
  readonly admit: (request: FastifyRequest, row: ServerRow) => Promise<void>
  readonly client: KubeClient
  readonly namespace: string
  readonly log: Logger
  /** Ends streams that follow a log. */
  readonly signal: AbortSignal
}

const known = ['follow', 'tail', 'previous'] as const

/**
 * `GET /api/v1/pods/{pod}/logs[?follow=true&tail=n&previous=true]`: what the pod's service printed, as text, passed on
 * from the Kubernetes API as it comes.
 */
export function addLogRoute(http: FastifyInstance, { view, admit, client, namespace, log, signal }: LogParts): void {
  http.get('/api/v1/pods/:pod/logs', async (request, reply) => {
    const { pod } = request.params as { pod: string }
    const row = view.serverOfPod(pod)
    if (row === undefined) throw unknownPod(pod)
    await admit(request, row)
    const tail = wholeNumber(request, 'tail', known)
    const { follow, previous } = texts(request, known)
    const query = new URLSearchParams({ container: row.name, ...(isYes('follow', follow) && { follow: 'true' }), ...(isYes('previous', previous) && { previous: 'true' }), ...(tail !== undefined && { tailLines: String(tail) }) })
    const gone = new AbortController()
    reply.raw.once('close', () => gone.abort())
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/log?${query.toString()}`
    const answer = await client.stream('GET', path, { accept: '*/*', signal: AbortSignal.any([gone.signal, signal]) })
    reply.hijack()
    reply.raw.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' })
    // A quiet log has nothing to send for long: let the reader know at once that it is being followed.
    reply.raw.flushHeaders()
    await pipeline(answer, reply.raw).catch((error: unknown) => {
      if (!gone.signal.aborted && !signal.aborted) log.info('log stream broke off', { pod, error })
      reply.raw.destroy()
    })
  })
}

function isYes(name: string, text = 'false'): boolean {
  if (!['true', '1', '', 'false', '0'].includes(text)) throw invalid(name, `must be true or false, not "${text}"`)
  return text !== 'false' && text !== '0'
}
