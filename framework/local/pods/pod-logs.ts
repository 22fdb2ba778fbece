import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { Failure } from '#base/errors.ts'
import type { Layout } from './layout.ts'
import { logRuns, readLog } from './log-reader.ts'
import type { PodSet } from './pod-set.ts'

/** What `kubectl logs` asks for (Kubernetes API reference, "read log of the specified Pod"). */
export interface PodLogRequest {
  readonly namespace: string
  readonly name: string
  /** Default: the first of the pod. */
  readonly container?: string | undefined
  readonly follow?: boolean | undefined
  /** The run before the current one. */
  readonly previous?: boolean | undefined
  readonly tailLines?: number | undefined
  readonly sinceSeconds?: number | undefined
  /** RFC 3339 */
  readonly sinceTime?: string | undefined
  readonly timestamps?: boolean | undefined
  readonly limitBytes?: number | undefined
  readonly signal?: AbortSignal | undefined
}

/** @throws POD_LOG_NOT_FOUND when the pod or that run of it has no log here */
export function readPodLog(set: PodSet, layout: Layout, request: PodLogRequest): Readable {
  const { namespace, name } = request
  const worker = set.worker(namespace, name)
  if (worker === undefined) throw notFound(request, 'the pod does not run here')
  const container = request.container ?? worker.pod.spec.containers[0]?.name ?? ''
  const runs = logRuns(join(layout.podLogs(worker.pod), container))
  const run = runs.at(request.previous === true ? -2 : -1)
  if (run === undefined) throw notFound(request, request.previous === true ? 'it has not run before' : 'it has not run yet')
  const file = layout.logFile(worker.pod, container, run)
  if (!existsSync(file)) throw notFound(request, 'its log is gone')
  const { follow, tailLines, timestamps, limitBytes, signal } = request
  const sinceMs = request.sinceTime === undefined ? (request.sinceSeconds === undefined ? undefined : Date.now() - request.sinceSeconds * 1000) : Date.parse(request.sinceTime)
  const given = Object.fromEntries(Object.entries({ follow, tailLines, timestamps, limitBytes, signal, sinceMs }).filter(([, value]) => value !== undefined))
  return readLog(file, request.previous === true ? undefined : worker.writer(container), given)
}

function notFound({ name, container = '' }: PodLogRequest, why: string): Failure {
  return new Failure('POD_LOG_NOT_FOUND', `container "${container}" of pod "${name}" has no log: ${why}`, { remedy: 'look at its state with kubectl describe pod' })
}
