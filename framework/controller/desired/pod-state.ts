import type { Pod as CorePod, PodCondition } from 'kubernetes-types/core/v1.d.ts'
import { activeCondition, labels } from '#api/names.ts'
import { isOnLostNode } from '#api/topology.ts'
import type { TEndpointPod } from '#api/types.ts'

/** A pod as the API server shows it; what is decided here depends on these two parts. */
export type Pod = Pick<CorePod, 'metadata' | 'status'>

/** What a pod should be and is, in the words of Tars. */
export interface PodState {
  readonly settingState: string
  readonly presentState: string
  readonly presentMessage?: string
  readonly pid?: string
}

/**
 * State logic of control-plane spec C.5. Better than the reference in one case: a service that was Active in a container that has
 * since died, or on a machine that has, is not Active, whatever its last report said.
 */
export function podState({ metadata, status }: Pod): PodState {
  if (metadata?.deletionTimestamp !== undefined) return { settingState: 'Active', presentState: 'Terminating' }
  const conditions = status?.conditions ?? []
  const report = reported(conditions)
  if (report !== undefined && report.presentState !== 'Active') return report
  if (isOnLostNode(conditions)) return { settingState: report?.settingState ?? 'Active', presentState: 'NodeLost', presentMessage: 'Kubernetes hears nothing of its node' }
  const obstacle = firstObstacle(conditions, report !== undefined)
  if (obstacle === undefined) return unobstructed(conditions, report)
  const presentMessage = [obstacle.message, ...waiting(status)].filter((text) => text !== undefined && text !== '').join('; ')
  return { settingState: 'Active', presentState: obstacle.reason ?? obstacle.type, ...(presentMessage === '' ? {} : { presentMessage }) }
}

function unobstructed(conditions: readonly PodCondition[], report: PodState | undefined): PodState {
  if (report !== undefined) return report
  return { settingState: 'Active', presentState: isReady(conditions) ? 'Active' : (conditions.at(-1)?.type ?? 'Pending') }
}

/** The registry's condition: reason `<setting>/<present>/<pid>`, message why. */
function reported(conditions: readonly PodCondition[]): PodState | undefined {
  const condition = conditions.find(({ type }) => type === activeCondition)
  if (condition?.reason === undefined) return undefined
  const [settingState, presentState, pid, ...rest] = condition.reason.split('/')
  const message = condition.message === undefined || condition.message === '' ? {} : { presentMessage: condition.message }
  if (settingState === undefined || presentState === undefined || rest.length > 0) return { settingState: 'Unknown', presentState: 'Unknown', ...message }
  return { settingState, presentState, ...(pid === undefined || pid === '' ? {} : { pid }), ...message }
}

const stages = ['PodScheduled', 'Initialized', 'ContainersReady']

/**
 * The first condition that is not true, in the order of a pod's life. `Ready` follows the registry's report only after a while, so
 * with a report it does not count.
 */
function firstObstacle(conditions: readonly PodCondition[], isReported: boolean): PodCondition | undefined {
  const others = conditions.filter(({ type }) => !stages.includes(type) && type !== activeCondition && !(isReported && type === 'Ready') && !neverObstacles.includes(type))
  const ordered = [...stages.flatMap((stage) => conditions.filter(({ type }) => type === stage)), ...others]
  return ordered.find(({ status }) => status !== 'True')
}

/** Conditions that are normally false and say nothing about readiness. */
const neverObstacles = ['DisruptionTarget', 'PodResizePending', 'PodResizeInProgress']

const isReady = (conditions: readonly PodCondition[]): boolean => conditions.some(({ type, status }) => type === 'Ready' && status === 'True')

/** Why containers wait, e.g. `CrashLoopBackOff: back-off 40s restarting failed container`. */
function waiting(status: Pod['status']): string[] {
  return [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].flatMap(({ name, state }) => {
    const { reason = '', message = '' } = state?.waiting ?? {}
    return reason === '' ? [] : [`${name}: ${reason}${message === '' ? '' : `: ${message}`}`]
  })
}

/** The entry of TEndpoint.status.pods for a pod. */
function endpointPod(pod: Pod): TEndpointPod {
  const { metadata = {}, status = {} } = pod
  const id = metadata.labels?.[labels.serverId]
  return {
    uid: metadata.uid ?? '',
    name: metadata.name ?? '',
    ...(id === undefined ? {} : { id }),
    ...(status.podIP === undefined ? {} : { podIP: status.podIP }),
    ...(status.hostIP === undefined ? {} : { hostIP: status.hostIP }),
    ...(metadata.creationTimestamp === undefined ? {} : { startTime: metadata.creationTimestamp }),
    ...podState(pod),
    ...(status.containerStatuses === undefined ? {} : { containerStatuses: status.containerStatuses.map(containerStatus) }),
  }
}

type ContainerStatuses = NonNullable<NonNullable<Pod['status']>['containerStatuses']>

/** Only what the CRD keeps, so that what is written equals what is read back. */
function containerStatus({ name, image, imageID, containerID, ready, restartCount, started, state, lastState }: ContainerStatuses[number]): NonNullable<TEndpointPod['containerStatuses']>[number] {
  return {
    name, image, imageID, ready, restartCount,
    ...(containerID === undefined ? {} : { containerID }),
    ...(started === undefined ? {} : { started }),
    ...(state === undefined ? {} : { state: known(state) }),
    ...(lastState === undefined ? {} : { lastState: known(lastState) }),
  }
}

type ContainerState = NonNullable<ContainerStatuses[number]['state']>

/** Without times that are not known, as of a container that its node has lost: Kubernetes writes them as null, and the CRD drops that. */
function known(state: ContainerState): ContainerState {
  return Object.fromEntries(Object.entries(state).map(([name, facts]: [string, object]) => [name, Object.fromEntries(Object.entries(facts).filter(([, fact]) => fact !== null))]))
}

/** All entries, in order of pod name with numbers by value, so that equal pods give equal lists. */
export function endpointPods(pods: readonly Pod[]): TEndpointPod[] {
  return pods.map(endpointPod).toSorted((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }))
}
