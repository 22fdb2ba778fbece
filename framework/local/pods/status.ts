import { isSidecar } from './kinds.ts'
import type { ContainerStatus, Pod, PodCondition, PodPhase, PodStatus } from './kinds.ts'

/** What the runner knows about a pod's containers. */
export interface PodObservation {
  readonly init: readonly ContainerStatus[]
  readonly containers: readonly ContainerStatus[]
  /** All init containers ended well, and all sidecars have started. */
  readonly initialized: boolean
  readonly podIP?: string | undefined
  readonly hostIP: string
  /** RFC 3339: when the runner took the pod on. */
  readonly startTime: string
}

/** The runner's own condition types; all others belong to whoever wrote them. */
const ownConditions = ['PodScheduled', 'Initialized', 'ContainersReady', 'Ready'] as const

/**
 * A pod's status (Kubernetes, "Pod Lifecycle"): phase, the four conditions of the runner, addresses, container statuses.
 * Conditions keep their lastTransitionTime while their status stays. Conditions of others are not in the result, but
 * those that are readiness gates count for Ready.
 * @param now RFC 3339
 */
export function podStatus(pod: Pod, seen: PodObservation, now: string): PodStatus {
  const previous = new Map((pod.status?.conditions ?? []).map((condition) => [condition.type, condition]))
  const conditions = [scheduled, initialized(pod, seen), containersReady(pod, seen), ready(pod, seen, previous)].map((condition): PodCondition => {
    const before = previous.get(condition.type)
    const since = before?.status === condition.status ? before.lastTransitionTime : undefined
    return { ...condition, lastTransitionTime: since ?? now }
  })
  return {
    phase: phaseOf(pod, seen),
    conditions,
    hostIP: seen.hostIP,
    ...(seen.podIP === undefined ? {} : { podIP: seen.podIP, podIPs: [{ ip: seen.podIP }] }),
    startTime: seen.startTime,
    ...(seen.init.length === 0 ? {} : { initContainerStatuses: seen.init }),
    containerStatuses: seen.containers,
  }
}

const scheduled: PodCondition = { type: 'PodScheduled', status: 'True' }

function initialized(pod: Pod, seen: PodObservation): PodCondition {
  if (seen.initialized) return { type: 'Initialized', status: 'True' }
  const sidecars = sidecarsOf(pod, seen)
  const waiting = seen.init.filter((status) => (sidecars.includes(status) ? !status.started : status.state.terminated?.exitCode !== 0)).map(({ name }) => name)
  return { type: 'Initialized', status: 'False', reason: 'ContainersNotInitialized', message: `containers with incomplete status: [${waiting.join(' ')}]` }
}

function sidecarsOf(pod: Pod, { init }: PodObservation): readonly ContainerStatus[] {
  const names = new Set((pod.spec.initContainers ?? []).filter(isSidecar).map(({ name }) => name))
  return init.filter(({ name }) => names.has(name))
}

function containersReady(pod: Pod, seen: PodObservation): PodCondition {
  const { containers } = seen
  const unready = [...sidecarsOf(pod, seen), ...containers].filter((status) => !status.ready)
  if (unready.length === 0) return { type: 'ContainersReady', status: 'True' }
  const done = containers.every(({ state }) => state.terminated?.exitCode === 0)
  const why = unready.map(({ name, state }) => (state.waiting === undefined ? name : `${name}: ${state.waiting.reason}`))
  return { type: 'ContainersReady', status: 'False', reason: done ? 'PodCompleted' : 'ContainersNotReady', message: `containers with unready status: [${why.join(', ')}]` }
}

function ready(pod: Pod, seen: PodObservation, conditions: ReadonlyMap<string, PodCondition>): PodCondition {
  const own = containersReady(pod, seen)
  if (own.status !== 'True') return { ...own, type: 'Ready' }
  const closed = (pod.spec.readinessGates ?? []).flatMap(({ conditionType }) => {
    const gate = conditions.get(conditionType)
    if (gate === undefined) return [`corresponding condition of pod readiness gate "${conditionType}" does not exist.`]
    return gate.status === 'True' ? [] : [`the status of pod readiness gate "${conditionType}" is not "True", but ${gate.status}`]
  })
  if (closed.length === 0) return { type: 'Ready', status: 'True' }
  return { type: 'Ready', status: 'False', reason: 'ReadinessGatesNotReady', message: closed.join(', ') }
}

/** Kubernetes, "Pod phase". A container that waits for its restart counts as ended; how a sidecar ends does not count. */
function phaseOf(pod: Pod, seen: PodObservation): PodPhase {
  const restart = pod.spec.restartPolicy ?? 'Always'
  const running = sidecarsOf(pod, seen).filter(({ state }) => state.running !== undefined).length
  if (!seen.initialized) return running === 0 && hasFailedForGood(pod, seen) ? 'Failed' : 'Pending'
  const counts = { waiting: 0, running, failed: 0, succeeded: 0 }
  for (const { state, lastState } of seen.containers) {
    const ended = state.terminated ?? (state.running === undefined ? lastState.terminated : undefined)
    if (state.running !== undefined) counts.running++
    else if (ended === undefined) counts.waiting++
    else if (ended.exitCode === 0) counts.succeeded++
    else counts.failed++
  }
  if (counts.waiting > 0) return 'Pending'
  if (counts.running > 0 || restart === 'Always') return 'Running'
  if (counts.failed === 0) return 'Succeeded'
  return restart === 'Never' ? 'Failed' : 'Running'
}

/** An init container that failed is not tried again. */
function hasFailedForGood(pod: Pod, seen: PodObservation): boolean {
  const sidecars = sidecarsOf(pod, seen)
  return pod.spec.restartPolicy === 'Never' && seen.init.some((status) => !sidecars.includes(status) && (status.state.terminated?.exitCode ?? 0) !== 0)
}

/** True when two statuses say the same, so that nothing needs to be written. */
export function sameStatus(a: PodStatus | undefined, b: PodStatus): boolean {
  if (a === undefined) return false
  const own = new Set<string>(ownConditions)
  const reduce = (status: PodStatus): string => canonical({ ...b, ...pick(status, Object.keys(b)), conditions: (status.conditions ?? []).filter(({ type }) => own.has(type)).toSorted((x, y) => (x.type < y.type ? -1 : 1)) })
  return reduce(a) === reduce(b)
}

function pick(status: PodStatus, keys: readonly string[]): Partial<PodStatus> {
  const all = status as Readonly<Record<string, unknown>>
  return Object.fromEntries(keys.map((key) => [key, all[key]])) as Partial<PodStatus>
}

/** JSON with sorted keys and without empty values. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) => (inner !== null && typeof inner === 'object' && !Array.isArray(inner) ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1))) : inner))
}
