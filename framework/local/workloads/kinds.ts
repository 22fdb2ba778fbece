// The parts of apps/v1 that the workload controllers need (Kubernetes API reference).
import { controllerRevisions, daemonSets, statefulSets } from '#kube/resources.ts'
import type { KubeObject, ObjectMeta, Resource } from '#kube/types.ts'
import type { Claim, LabelSelector, PodSpec } from '../pods/kinds.ts'

export interface PodTemplate {
  readonly metadata?: Pick<ObjectMeta, 'labels' | 'annotations'>
  readonly spec: PodSpec
}

export interface StatefulSetSpec {
  readonly replicas?: number
  readonly selector: LabelSelector
  readonly serviceName?: string
  readonly podManagementPolicy?: 'OrderedReady' | 'Parallel'
  readonly updateStrategy?: { readonly type?: 'RollingUpdate' | 'OnDelete'; readonly rollingUpdate?: { readonly partition?: number } }
  readonly revisionHistoryLimit?: number
  readonly minReadySeconds?: number
  readonly ordinals?: { readonly start?: number }
  readonly template: PodTemplate
  readonly volumeClaimTemplates?: readonly Pick<Claim, 'metadata' | 'spec'>[]
}

export interface StatefulSetStatus {
  readonly observedGeneration?: number
  readonly replicas: number
  readonly readyReplicas: number
  readonly availableReplicas: number
  readonly currentReplicas: number
  readonly updatedReplicas: number
  readonly currentRevision: string
  readonly updateRevision: string
  readonly collisionCount: number
}

export interface StatefulSet extends KubeObject { readonly spec: StatefulSetSpec; readonly status?: Partial<StatefulSetStatus> }

export interface DaemonSetSpec {
  readonly selector: LabelSelector
  readonly template: PodTemplate
  readonly updateStrategy?: { readonly type?: 'RollingUpdate' | 'OnDelete' }
  readonly revisionHistoryLimit?: number
  readonly minReadySeconds?: number
}

export interface DaemonSetStatus {
  readonly observedGeneration: number
  readonly currentNumberScheduled: number
  readonly desiredNumberScheduled: number
  readonly numberMisscheduled: number
  readonly numberReady: number
  readonly numberAvailable: number
  readonly numberUnavailable: number
  readonly updatedNumberScheduled: number
}

export interface DaemonSet extends KubeObject { readonly spec: DaemonSetSpec; readonly status?: Partial<DaemonSetStatus> }

export interface ControllerRevision extends KubeObject {
  readonly data: { readonly spec: { readonly template: PodTemplate } }
  readonly revision: number
}

export const statefulSetResource = statefulSets as unknown as Resource<StatefulSet>
export const daemonSetResource = daemonSets as unknown as Resource<DaemonSet>
export const revisionResource = controllerRevisions as unknown as Resource<ControllerRevision>

/** Label by which a pod says from which revision it was made. */
export const revisionLabel = 'controller-revision-hash'
