import type { ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import type { AnyObject } from '#kube/types.ts'
import type { Api, ApiRequest, PodLogRequest } from '../api.ts'
import { ApiError, badRequest, notFound } from '../errors.ts'
import { at } from '../json.ts'
import { addressOf } from '../request.ts'

/** GET of pods/log: the text of a container's log, followed while the client listens. */
export async function podLog(api: Api, request: ApiRequest, response: ServerResponse): Promise<void> {
  const pod = api.store.get(addressOf(request))
  if (pod === undefined) throw notFound(request.definition, request.name)
  if (api.podLogs === undefined) throw new ApiError(501, 'NotImplemented', 'this API server runs without a pod runner, so there are no pod logs')
  const source = await api.podLogs(logRequest(request, pod))
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' })
  response.flushHeaders()
  await pipeline(source, response).catch((error: unknown) => {
    if (!request.signal.aborted) api.log.error('pod log broken off', { pod: request.name, error })
  })
}

function logRequest({ namespace, name, query, signal }: ApiRequest, pod: AnyObject): PodLogRequest {
  const text = (key: string) => query.get(key) ?? undefined
  const flag = (key: string) => query.get(key) === 'true'
  return {
    namespace, name, signal,
    container: containerOf(pod, text('container')),
    follow: flag('follow'), previous: flag('previous'), timestamps: flag('timestamps'),
    tailLines: count(query, 'tailLines'), sinceSeconds: count(query, 'sinceSeconds'), limitBytes: count(query, 'limitBytes'),
    sinceTime: text('sinceTime'),
  }
}

function count(query: URLSearchParams, key: string): number | undefined {
  const value = query.get(key)
  if (value === null) return undefined
  if (!/^[0-9]+$/.test(value)) throw badRequest(`${key} must be a whole number, not ${JSON.stringify(value)}`)
  return Number(value)
}

function containerOf(pod: AnyObject, asked: string | undefined): string {
  const names = ['containers', 'initContainers'].flatMap((kind) => ((at(pod, ['spec', kind]) ?? []) as { name: string }[]).map(({ name }) => name))
  const first = names[0]
  if (asked === undefined && ((at(pod, ['spec', 'containers']) ?? []) as unknown[]).length === 1 && first !== undefined) return first
  if (asked === undefined) throw badRequest(`a container name must be specified for pod ${pod.metadata.name}, choose one of: [${names.join(' ')}]`)
  if (!names.includes(asked)) throw badRequest(`container ${asked} is not valid for pod ${pod.metadata.name}`)
  return asked
}
