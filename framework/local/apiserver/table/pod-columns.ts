import type { AnyObject } from '#kube/types.ts'
import { at, isObject } from '../json.ts'
import type { JsonObject } from '../json.ts'
import { ageOf } from './age.ts'

// What kubectl's pod table says, computed from the status (Kubernetes, "Pod Lifecycle").

const listAt = (object: AnyObject, ...path: string[]): JsonObject[] => {
  const value = at(object, path)
  return Array.isArray(value) ? value.filter(isObject) : []
}

/** Init containers that go on (Kubernetes, "Sidecar Containers"). */
const sidecarsOf = (pod: AnyObject): JsonObject[] => listAt(pod, 'spec', 'initContainers').filter((container) => container['restartPolicy'] === 'Always')

/** Of those that are there for as long as the pod. */
function lastingStatuses(pod: AnyObject): JsonObject[] {
  const names = sidecarsOf(pod).map((container) => container['name'])
  return [...listAt(pod, 'status', 'initContainerStatuses').filter((status) => names.includes(status['name'])), ...listAt(pod, 'status', 'containerStatuses')]
}

export function podReady(pod: AnyObject): string {
  const ready = lastingStatuses(pod).filter((status) => status['ready'] === true).length
  return `${ready}/${sidecarsOf(pod).length + listAt(pod, 'spec', 'containers').length}`
}

export function podRestarts(pod: AnyObject): string {
  const statuses = lastingStatuses(pod)
  const count = statuses.reduce((sum, status) => sum + Number(status['restartCount'] ?? 0), 0)
  const ends = statuses.map((status) => String(at(status, ['lastState', 'terminated', 'finishedAt']) ?? '')).filter((time) => time !== '').sort()
  const last = ends.at(-1)
  return count > 0 && last !== undefined ? `${count} (${ageOf(last)} ago)` : String(count)
}

/** The STATUS column: the phase, unless a container, an init container or a deletion has more to say. */
export function podStatus(pod: AnyObject): string {
  const phase = String(at(pod, ['status', 'reason']) ?? at(pod, ['status', 'phase']) ?? 'Unknown')
  const status = initProblem(pod) ?? containerProblem(pod) ?? phase
  return pod.metadata.deletionTimestamp === undefined ? status : at(pod, ['status', 'reason']) === 'NodeLost' ? 'Unknown' : 'Terminating'
}

function initProblem(pod: AnyObject): string | undefined {
  if (isTrue(pod, 'Initialized')) return undefined
  const statuses = listAt(pod, 'status', 'initContainerStatuses')
  const sidecars = sidecarsOf(pod).map((container) => container['name'])
  const index = statuses.findIndex((status) => (sidecars.includes(status['name']) ? status['started'] !== true : at(status, ['state', 'terminated', 'exitCode']) !== 0))
  const status = statuses[index]
  if (status === undefined) return undefined
  const terminated = at(status, ['state', 'terminated'])
  if (isObject(terminated)) return `Init:${endReason(terminated)}`
  const waiting = at(status, ['state', 'waiting', 'reason'])
  if (typeof waiting === 'string' && waiting !== '' && waiting !== 'PodInitializing') return `Init:${waiting}`
  return `Init:${index}/${listAt(pod, 'spec', 'initContainers').length}`
}

function containerProblem(pod: AnyObject): string | undefined {
  let running = false
  let found: string | undefined
  for (const status of listAt(pod, 'status', 'containerStatuses').reverse()) {
    const terminated = at(status, ['state', 'terminated'])
    const waiting = at(status, ['state', 'waiting', 'reason'])
    if (typeof waiting === 'string' && waiting !== '') found = waiting
    else if (isObject(terminated)) found = endReason(terminated)
    else if (status['ready'] === true && at(status, ['state', 'running']) !== undefined) running = true
  }
  if (found !== 'Completed' || !running) return found
  return isTrue(pod, 'Ready') ? 'Running' : 'NotReady'
}

function isTrue(pod: AnyObject, type: string): boolean {
  return listAt(pod, 'status', 'conditions').some((condition) => condition['type'] === type && condition['status'] === 'True')
}

function endReason(terminated: JsonObject): string {
  const { reason, signal, exitCode } = terminated
  if (typeof reason === 'string' && reason !== '') return reason
  return typeof signal === 'number' && signal !== 0 ? `Signal:${signal}` : `ExitCode:${String(exitCode)}`
}

/** Met and declared readiness gates, e.g. `1/1`; undefined when there are none. */
export function podGates(pod: AnyObject): string | undefined {
  const gates = listAt(pod, 'spec', 'readinessGates')
  if (gates.length === 0) return undefined
  const conditions = listAt(pod, 'status', 'conditions')
  const met = gates.filter((gate) => conditions.some((condition) => condition['type'] === gate['conditionType'] && condition['status'] === 'True'))
  return `${met.length}/${gates.length}`
}
