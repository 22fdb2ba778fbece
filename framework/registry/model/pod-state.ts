// What a pod is, to a caller of the registry: active or not, at which address, in which state. Pure.
import { activeCondition, annotations, labels, restartsCondition } from '#api/names.ts'
import { addressesOf, isOnLostNode } from '#api/topology.ts'

/** The parts of a Kubernetes pod that the registry reads. */
export interface PodObject {
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly uid?: string
    readonly resourceVersion?: string
    readonly creationTimestamp?: string
    readonly deletionTimestamp?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
    readonly ownerReferences?: readonly { readonly kind: string }[]
  }
  readonly spec?: {
    readonly nodeName?: string
    readonly hostNetwork?: boolean
    readonly readinessGates?: readonly { readonly conditionType: string }[]
  }
  readonly status?: {
    readonly phase?: string
    readonly podIP?: string
    readonly podIPs?: readonly { readonly ip: string }[]
    readonly conditions?: readonly PodCondition[]
  }
}

export interface PodCondition {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
  readonly lastTransitionTime?: string
  /** Of a node's word: when it was said, RFC 3339 in whole seconds. */
  readonly lastProbeTime?: string | null
}

/** What a node said of the service in its pod (`updateServerState`). */
export interface ReportedState {
  /** What is wanted: Active or Inactive. */
  readonly setting: string
  /** What is: Inactive, Activating, Active or Deactivating. */
  readonly present: string
  readonly pid: string
  /** Why, in one sentence; may be empty. */
  readonly message: string
  /** How often the service was started again by its node; empty when the node does not say. */
  readonly restarts?: string
  /** When it was said, seconds since the epoch: of two words of a node the later counts. */
  readonly saidAt?: number
}

const ended = new Set(['Failed', 'Succeeded'])

export function conditionOf(pod: PodObject, type: string): PodCondition | undefined {
  return pod.status?.conditions?.find((condition) => condition.type === type)
}

/** Takes the state apart that the condition's reason carries: `<setting>/<present>/<pid>`. */
export function stateOfCondition(condition: PodCondition | undefined): ReportedState | undefined {
  const parts = condition?.reason?.split('/') ?? []
  const [setting = '', present = '', pid = ''] = parts
  if (parts.length < 2 || parts.length > 3) return undefined
  return { setting, present, pid, message: condition?.message ?? '' }
}

export function isActiveState(state: Pick<ReportedState, 'setting' | 'present'>): boolean {
  return state.setting === 'Active' && state.present === 'Active'
}

/**
 * Whether callers may be sent to this pod (framework-services 1.2, F.3): it is not being deleted, its containers
 * run, and its node's last word is Active/Active. `reported` is a word that the API server does not know yet.
 * A pod that has no node in it (no such condition and no such gate) is active when Kubernetes calls it ready.
 */
export function isActivePod(pod: PodObject, reported?: ReportedState): boolean {
  if (pod.metadata.deletionTimestamp !== undefined || hasEnded(pod)) return false
  if (conditionOf(pod, 'ContainersReady')?.status === 'False') return false
  if (reported !== undefined) return isActiveState(reported)
  const condition = conditionOf(pod, activeCondition)
  if (condition !== undefined) return condition.status === 'True' && isActiveState(stateOfCondition(condition) ?? unreadable)
  return !hasGate(pod) && conditionOf(pod, 'Ready')?.status === 'True'
}

/** Whether Kubernetes hears nothing of the pod's machine: what was known of the pod may be no longer so. */
export function isLostPod({ status }: PodObject): boolean {
  return isOnLostNode(status?.conditions)
}

/** A condition that is True with a reason of another form was written by somebody who knows: it counts. */
const unreadable = { setting: 'Active', present: 'Active' }

export function hasGate(pod: PodObject): boolean {
  return pod.spec?.readinessGates?.some((gate) => gate.conditionType === activeCondition) ?? false
}

/** It still names its address, which may be another pod's by now. */
export function hasEnded(pod: PodObject): boolean {
  return ended.has(pod.status?.phase ?? '')
}

/**
 * The name or address that callers are given, or undefined while there is none. Names of DaemonSet pods do not
 * resolve (they have no host name under the Service), so those and pods on the host's network go by address, as long as
 * it is theirs.
 */
export function hostOf(pod: PodObject, service: string, form: 'dns' | 'ip'): string | undefined {
  const byAddress = form === 'ip' || pod.spec?.hostNetwork === true || (pod.metadata.ownerReferences ?? []).some(({ kind }) => kind === 'DaemonSet')
  if (!byAddress) return podName(pod, service)
  return hasEnded(pod) ? undefined : addressesOf(pod)[0]
}

/** The stable DNS name under the server's headless Service, relative to the namespace. */
export function podName(pod: PodObject, service: string): string {
  return `${pod.metadata.name}.${service}`
}

/** By ordinal, then by name: the same list in the same order from every replica of the registry. */
export function comparePods(a: PodObject, b: PodObject): number {
  const byOrdinal = (ordinalOf(a.metadata.name) ?? Infinity) - (ordinalOf(b.metadata.name) ?? Infinity)
  if (byOrdinal !== 0 && !Number.isNaN(byOrdinal)) return byOrdinal
  return a.metadata.name < b.metadata.name ? -1 : a.metadata.name > b.metadata.name ? 1 : 0
}

/** The number at the end of a StatefulSet pod's name. */
export function ordinalOf(name: string): number | undefined {
  const digits = /-(\d{1,9})$/.exec(name)?.[1]
  return digits === undefined ? undefined : Number(digits)
}

/** What many pods have alike is one object for all of them. */
const ofDaemonSet = Object.freeze([Object.freeze({ kind: 'DaemonSet' })])
const gated = Object.freeze([Object.freeze({ conditionType: activeCondition })])
const judged: readonly PodCondition[] = ['ContainersReady', 'Ready'].flatMap((type) => [{ type, status: 'True' }, { type, status: 'False' }, { type, status: 'False', reason: 'Kubelet' }].map((one) => Object.freeze(one)))

/** The pod without what nothing here reads. A namespace may have a hundred thousand: what is left of one takes less than 1 KB of memory. */
export function essentials<T extends PodObject>(pod: T): T {
  const { name, namespace, uid, resourceVersion, creationTimestamp, deletionTimestamp, labels: all, annotations: notes, ownerReferences } = pod.metadata
  const { nodeName, hostNetwork } = pod.spec ?? {}
  const { phase, podIP, podIPs, conditions = [] } = pod.status ?? {}
  const flow = notes?.[annotations.flow]
  return {
    ...pod,
    metadata: {
      name, namespace, uid, resourceVersion, creationTimestamp, deletionTimestamp,
      labels: all && ownLabels(all),
      annotations: flow === undefined ? undefined : { [annotations.flow]: flow },
      ownerReferences: ownerReferences?.some(({ kind }) => kind === 'DaemonSet') === true ? ofDaemonSet : undefined,
    },
    spec: { nodeName, hostNetwork, readinessGates: hasGate(pod) ? gated : undefined },
    status: { phase, podIP, podIPs: podIPs?.some(({ ip }) => ip !== podIP) === true ? podIPs : undefined, conditions: conditions.flatMap(conditionKept) },
  }
}

/** Those that say whose a pod is. */
function ownLabels({ [labels.app]: app, [labels.server]: server, [labels.variant]: variant }: Readonly<Record<string, string>>) {
  return variant === undefined ? { [labels.app]: app, [labels.server]: server } : { [labels.app]: app, [labels.server]: server, [labels.variant]: variant }
}

/** Of Kubernetes' own conditions what they say, and whether there is a reason why not; those of a node whole. */
function conditionKept(condition: PodCondition): readonly PodCondition[] {
  if (condition.type === restartsCondition) return [condition]
  const { status, reason, message, lastTransitionTime, lastProbeTime } = condition
  if (condition.type === activeCondition) return [{ type: activeCondition, status, reason, message, lastTransitionTime, lastProbeTime } as PodCondition]
  const hasReason = status === 'False' && (reason ?? '') !== ''
  return judged.filter((one) => one.type === condition.type && one.status === status && (one.reason !== undefined) === hasReason)
}
