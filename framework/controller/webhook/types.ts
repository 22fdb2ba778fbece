import type { AdmissionRequest, UserInfo } from '#kube/admission.ts'
import type { KubeObject, Resource } from '#kube/types.ts'

/** How the webhooks look things up; what is not there is undefined, and trouble throws. */
export interface Readers {
  get<T extends KubeObject>(resource: Resource<T>, namespace: string, name: string): Promise<T | undefined>
  list<T extends KubeObject>(resource: Resource<T>, namespace: string, labelSelector?: string): Promise<readonly T[]>
}

/** Who may do what only the machinery does (control-plane spec B.9). */
export interface Identities {
  readonly isController: (user: UserInfo) => boolean
  /** Kubernetes' own controllers, such as those that empty a namespace. */
  readonly isKubernetes: (user: UserInfo) => boolean
}

/** What differs from cluster to cluster, or in tests. */
export interface AdmissionOptions {
  readonly identities?: Identities
  /** Milliseconds since the epoch. */
  readonly now?: () => number
}

/** A request about an object in the hub version. */
export interface Case<T> {
  readonly request: AdmissionRequest
  readonly object: T
  /** Undefined for CREATE. */
  readonly old: T | undefined
  readonly namespace: string
  readonly readers: Readers
  readonly identities: Identities
  readonly now: Date
}
