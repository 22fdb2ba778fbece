// The parts of core/v1 that running pods needs (Kubernetes API reference, "Pod v1 core"). Fields not listed are kept by the server.
import type { KubeObject, Resource } from '#kube/types.ts'
import { configMaps, endpoints, nodes, persistentVolumeClaims, pods, secrets, services } from '#kube/resources.ts'

export interface FieldSelector { readonly apiVersion?: string; readonly fieldPath: string }
export interface ResourceFieldSelector { readonly containerName?: string; readonly resource: string; readonly divisor?: string | number }
export interface KeySelector { readonly name?: string; readonly key: string; readonly optional?: boolean }

export interface EnvVar {
  readonly name: string
  readonly value?: string
  readonly valueFrom?: {
    readonly fieldRef?: FieldSelector
    readonly resourceFieldRef?: ResourceFieldSelector
    readonly configMapKeyRef?: KeySelector
    readonly secretKeyRef?: KeySelector
  }
}

export interface EnvFrom {
  readonly prefix?: string
  readonly configMapRef?: { readonly name?: string; readonly optional?: boolean }
  readonly secretRef?: { readonly name?: string; readonly optional?: boolean }
}

export interface VolumeMount {
  readonly name: string
  readonly mountPath: string
  readonly subPath?: string
  readonly subPathExpr?: string
  readonly readOnly?: boolean
}

export interface KeyToPath { readonly key: string; readonly path: string; readonly mode?: number }
export interface DownwardItem { readonly path: string; readonly fieldRef?: FieldSelector; readonly resourceFieldRef?: ResourceFieldSelector; readonly mode?: number }

export interface Volume {
  readonly name: string
  readonly emptyDir?: { readonly medium?: string; readonly sizeLimit?: string | number }
  readonly hostPath?: { readonly path: string; readonly type?: string }
  readonly configMap?: { readonly name?: string; readonly items?: readonly KeyToPath[]; readonly defaultMode?: number; readonly optional?: boolean }
  readonly secret?: { readonly secretName?: string; readonly items?: readonly KeyToPath[]; readonly defaultMode?: number; readonly optional?: boolean }
  readonly downwardAPI?: { readonly items?: readonly DownwardItem[]; readonly defaultMode?: number }
  readonly persistentVolumeClaim?: { readonly claimName: string; readonly readOnly?: boolean }
  readonly image?: { readonly reference?: string; readonly pullPolicy?: string }
}

export interface SecurityContext {
  readonly runAsUser?: number
  readonly runAsGroup?: number
  readonly runAsNonRoot?: boolean
  readonly privileged?: boolean
  readonly allowPrivilegeEscalation?: boolean
  readonly readOnlyRootFilesystem?: boolean
  readonly capabilities?: { readonly add?: readonly string[]; readonly drop?: readonly string[] }
}

export interface PodSecurityContext {
  readonly runAsUser?: number
  readonly runAsGroup?: number
  readonly runAsNonRoot?: boolean
  readonly supplementalGroups?: readonly number[]
  readonly fsGroup?: number
}

export interface Probe {
  readonly httpGet?: { readonly path?: string; readonly port: number | string; readonly host?: string; readonly scheme?: string; readonly httpHeaders?: readonly { readonly name: string; readonly value: string }[] }
  readonly tcpSocket?: { readonly port: number | string; readonly host?: string }
  readonly exec?: { readonly command?: readonly string[] }
  readonly initialDelaySeconds?: number
  readonly periodSeconds?: number
  readonly timeoutSeconds?: number
  readonly successThreshold?: number
  readonly failureThreshold?: number
  /** In the place of the pod's, when this probe ends the container. */
  readonly terminationGracePeriodSeconds?: number
}

/** What is done in a container at an event of its life (Kubernetes, "Container Lifecycle Hooks"). */
export interface LifecycleHandler extends Pick<Probe, 'httpGet' | 'tcpSocket' | 'exec'> {
  readonly sleep?: { readonly seconds: number }
}

export interface Container {
  readonly name: string
  readonly image?: string
  readonly command?: readonly string[]
  readonly args?: readonly string[]
  readonly workingDir?: string
  readonly env?: readonly EnvVar[]
  readonly envFrom?: readonly EnvFrom[]
  readonly ports?: readonly { readonly name?: string; readonly containerPort: number; readonly hostPort?: number; readonly protocol?: string }[]
  readonly resources?: { readonly requests?: Readonly<Record<string, string | number>>; readonly limits?: Readonly<Record<string, string | number>> }
  readonly volumeMounts?: readonly VolumeMount[]
  readonly imagePullPolicy?: string
  readonly terminationMessagePath?: string
  readonly securityContext?: SecurityContext
  readonly livenessProbe?: Probe
  readonly readinessProbe?: Probe
  readonly startupProbe?: Probe
  readonly lifecycle?: { readonly preStop?: LifecycleHandler; readonly postStart?: LifecycleHandler }
  /** Of an init container: `Always` makes it a sidecar. */
  readonly restartPolicy?: string
}

/** An init container that goes on (Kubernetes, "Sidecar Containers"): what comes after it waits for its start only, and it ends after all others. */
export const isSidecar = ({ restartPolicy }: Container): boolean => restartPolicy === 'Always'

export interface NodeSelectorTerm {
  readonly matchExpressions?: readonly { readonly key: string; readonly operator: string; readonly values?: readonly string[] }[]
  readonly matchFields?: readonly { readonly key: string; readonly operator: string; readonly values?: readonly string[] }[]
}

export interface PodAntiAffinityTerm {
  readonly labelSelector?: LabelSelector
  readonly namespaces?: readonly string[]
  readonly topologyKey: string
}

export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>
  readonly matchExpressions?: readonly { readonly key: string; readonly operator: string; readonly values?: readonly string[] }[]
}

export interface PodSpec {
  containers: readonly Container[]
  initContainers?: readonly Container[]
  volumes?: readonly Volume[]
  nodeName?: string
  nodeSelector?: Readonly<Record<string, string>>
  affinity?: {
    readonly nodeAffinity?: { readonly requiredDuringSchedulingIgnoredDuringExecution?: { readonly nodeSelectorTerms: readonly NodeSelectorTerm[] } }
    readonly podAntiAffinity?: { readonly requiredDuringSchedulingIgnoredDuringExecution?: readonly PodAntiAffinityTerm[] }
  }
  restartPolicy?: 'Always' | 'OnFailure' | 'Never'
  terminationGracePeriodSeconds?: number
  hostname?: string
  subdomain?: string
  hostNetwork?: boolean
  serviceAccountName?: string
  imagePullSecrets?: readonly { readonly name?: string }[]
  readinessGates?: readonly { readonly conditionType: string }[]
  securityContext?: PodSecurityContext
  hostAliases?: readonly { readonly ip: string; readonly hostnames?: readonly string[] }[]
}

export interface PodCondition {
  readonly type: string
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason?: string
  readonly message?: string
  readonly lastTransitionTime?: string
}

export interface TerminatedState {
  readonly exitCode: number
  readonly signal?: number
  readonly reason: string
  readonly message?: string
  readonly startedAt?: string
  readonly finishedAt: string
  readonly containerID?: string
}

export interface ContainerState {
  readonly waiting?: { readonly reason: string; readonly message?: string }
  readonly running?: { readonly startedAt: string }
  readonly terminated?: TerminatedState
}

export interface ContainerStatus {
  readonly name: string
  readonly image: string
  readonly imageID: string
  readonly containerID?: string
  readonly ready: boolean
  readonly started: boolean
  readonly restartCount: number
  readonly state: ContainerState
  readonly lastState: ContainerState
}

export type PodPhase = 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown'

export interface PodStatus {
  phase?: PodPhase
  conditions?: readonly PodCondition[]
  hostIP?: string
  podIP?: string
  podIPs?: readonly { readonly ip: string }[]
  startTime?: string
  reason?: string
  message?: string
  initContainerStatuses?: readonly ContainerStatus[]
  containerStatuses?: readonly ContainerStatus[]
  qosClass?: string
  observedGeneration?: number
}

export interface Pod extends KubeObject {
  spec: PodSpec
  status?: PodStatus
}

export interface ConfigMap extends KubeObject { readonly data?: Readonly<Record<string, string>>; readonly binaryData?: Readonly<Record<string, string>> }
export interface Secret extends KubeObject { readonly type?: string; readonly data?: Readonly<Record<string, string>> }

export interface ServicePort { readonly name?: string; readonly port: number; readonly targetPort?: number | string; readonly protocol?: string }
export interface Service extends KubeObject {
  readonly spec: { readonly selector?: Readonly<Record<string, string>>; readonly clusterIP?: string; readonly ports?: readonly ServicePort[]; readonly publishNotReadyAddresses?: boolean; readonly type?: string }
}

export interface ClaimSpec { readonly accessModes?: readonly string[]; readonly storageClassName?: string; readonly volumeName?: string; readonly volumeMode?: string; readonly resources?: { readonly requests?: Readonly<Record<string, string>> }; readonly selector?: LabelSelector }
export interface Claim extends KubeObject { readonly spec: ClaimSpec; readonly status?: { readonly phase?: string } }
export interface Node extends KubeObject { readonly spec?: { readonly unschedulable?: boolean }; readonly status?: Readonly<Record<string, unknown>> }
export interface Endpoints extends KubeObject { readonly subsets?: readonly EndpointSubset[] }
export interface EndpointAddress { readonly ip: string; readonly hostname?: string; readonly nodeName?: string; readonly targetRef?: { readonly kind: string; readonly namespace: string; readonly name: string; readonly uid: string } }
export interface EndpointSubset { readonly addresses?: readonly EndpointAddress[]; readonly notReadyAddresses?: readonly EndpointAddress[]; readonly ports?: readonly { readonly name?: string; readonly port: number; readonly protocol: string }[] }

export const podResource = pods as unknown as Resource<Pod>
export const configMapResource = configMaps as unknown as Resource<ConfigMap>
export const secretResource = secrets as unknown as Resource<Secret>
export const serviceResource = services as unknown as Resource<Service>
export const claimResource = persistentVolumeClaims as unknown as Resource<Claim>
export const nodeResource = nodes as unknown as Resource<Node>
export const endpointsResource = endpoints as unknown as Resource<Endpoints>
