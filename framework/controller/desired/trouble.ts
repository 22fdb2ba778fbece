import { abilityLabel, labels, names, nodeLabel } from '#api/names.ts'
import type { TServer } from '#api/types.ts'
import type { AnyObject } from '#kube/types.ts'
import { claimTemplates } from './claims.ts'
import { namespaceOf } from './meta.ts'
import { podState, type Pod } from './pod-state.ts'

/** What of the cluster decides whether pods find a place, as far as it is known. */
export interface Surroundings {
  readonly nodes: readonly { readonly metadata: { readonly labels?: Readonly<Record<string, string>> } }[] | undefined
  /** Names of StorageClasses. */
  readonly storageClasses: ReadonlySet<string> | undefined
  /** The server's StatefulSet. */
  readonly set: AnyObject | undefined
}

export interface Trouble {
  /** One word, for conditions and events. */
  readonly reason: string
  /** What is wrong with a pod, and what to do, where that is known. */
  readonly message: string
}

/** Why the first pod among those in trouble does not run; undefined when none is. */
export function troubleOf(server: TServer, pods: readonly Pod[], surroundings: Surroundings): (Trouble & { readonly count: number }) | undefined {
  const troubled = pods.filter((pod) => !isReady(pod) && isTroubled(pod))
  const [first] = troubled
  if (first === undefined) return undefined
  const { presentState, presentMessage } = podState(first)
  const what = `${first.metadata?.name ?? ''}: ${presentState}${presentMessage === undefined ? '' : `: ${presentMessage}`}`
  const cause = causeOf(server, first, surroundings)
  return { count: troubled.length, reason: cause?.reason ?? 'PodsInTrouble', message: cause === undefined ? what : `${what}; ${cause.message}` }
}

/** Ready and not on its way out. */
export function isReady({ metadata, status }: Pod): boolean {
  return metadata?.deletionTimestamp === undefined && (status?.conditions?.some(({ type, status: holds }) => type === 'Ready' && holds === 'True') ?? false)
}

const harmless = new Set(['ContainerCreating', 'PodInitializing'])

const isUnschedulable = ({ status }: Pod): boolean => status?.conditions?.some(({ type, reason }) => type === 'PodScheduled' && reason === 'Unschedulable') === true
const containersOf = ({ status }: Pod) => [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])]

function isTroubled(pod: Pod): boolean {
  if (pod.metadata?.deletionTimestamp !== undefined) return false
  return isUnschedulable(pod) || containersOf(pod).some(({ restartCount, state }) => restartCount > 0 || (state?.waiting?.reason !== undefined && !harmless.has(state.waiting.reason)))
}

function causeOf(server: TServer, pod: Pod, surroundings: Surroundings): Trouble | undefined {
  return isUnschedulable(pod) ? (missingClass(server, surroundings) ?? missingNode(server, surroundings)) : failedPull(server, pod)
}

/** The scheduler says no more than that claims are unbound. */
function missingClass(server: TServer, { storageClasses }: Surroundings): Trouble | undefined {
  for (const { metadata, spec } of server.spec.k8s.daemonSet ? [] : claimTemplates(server)) {
    const wanted = spec?.storageClassName ?? ''
    if (wanted === '' || storageClasses?.has(wanted) !== false) continue
    const remedy = wanted === names.storageClass ? 'the chart tarscontroller has it' : 'create it, or name another one in spec.k8s.mounts'
    return { reason: 'StorageClassMissing', message: `there is no StorageClass ${wanted}, which volume ${metadata?.name ?? ''} asks for: ${remedy}` }
  }
  return undefined
}

/** The scheduler counts nodes, and does not say which label they lack. */
function missingNode(server: TServer, { nodes }: Surroundings): Trouble | undefined {
  if (nodes === undefined) return undefined
  const { app, server: name, k8s } = server.spec
  const namespace = namespaceOf(server)
  const isLocal = !k8s.daemonSet && (k8s.mounts ?? []).some(({ source }) => source.tLocalVolume !== undefined)
  const ability = k8s.daemonSet ? undefined : { AppRequired: abilityLabel(namespace, app), ServerRequired: abilityLabel(namespace, app, name), AppOrServerPreferred: undefined, None: undefined }[k8s.abilityAffinity]
  const wanted = [nodeLabel(namespace), ...(ability === undefined ? [] : [ability]), ...(isLocal ? [labels.supportLocalVolume] : [])]
  const fits = (count: number): boolean => nodes.some(({ metadata }) => wanted.slice(0, count).every((label) => label in (metadata.labels ?? {})))
  const lacking = wanted.findIndex((_label, index) => !fits(index + 1))
  if (lacking < 0) return undefined
  const others = wanted.slice(0, lacking)
  return { reason: 'NodeLabelMissing', message: `no node${others.length === 0 ? '' : ` with ${others.join(' and ')}`} has the label ${wanted[lacking]}: kubectl label node <node> ${wanted[lacking]}=` }
}

const pullReasons = new Set(['ErrImagePull', 'ImagePullBackOff', 'RegistryUnavailable', 'SignatureValidationFailed'])

/** The kubelet does not say by which secret it asked, nor that there is none of that name. */
function failedPull(server: TServer, pod: Pod): Trouble | undefined {
  const failed = containersOf(pod).find(({ state }) => pullReasons.has(state?.waiting?.reason ?? ''))
  if (failed === undefined) return undefined
  const { secret = '', nodeSecret = '' } = server.spec.release ?? {}
  const [used, field] = failed.name === names.nodeContainer ? [nodeSecret, 'nodeSecret'] : [secret, 'secret']
  const namespace = namespaceOf(server)
  const remedy = used === ''
    ? `it was pulled with no Secret of the server: name one in spec.release.${field} if the registry asks who pulls`
    : `it was pulled with Secret ${used} (spec.release.${field}): see that it exists, is of type kubernetes.io/dockerconfigjson and is good for this registry: kubectl -n ${namespace} get secret ${used}`
  return { reason: 'ImagePullFailed', message: `image ${failed.image}: ${remedy}` }
}
