// Labels, annotations, fixed names and ports of the k8s.tars.io group. Source: control-plane spec 0, E; node spec A.7.

export const group = 'k8s.tars.io'
/** The hub: what is stored, and what all code here reads. */
export const hubVersion = 'v1beta3'
export const hubApiVersion = `${group}/${hubVersion}`
export const versions = ['v1beta1', 'v1beta2', 'v1beta3'] as const
export type Version = (typeof versions)[number]

export const labels = {
  app: 'tars.io/ServerApp',
  server: 'tars.io/ServerName',
  /** TServer.spec.variant, on the TServer, its children and pods; absent on the first TServer of a server. */
  variant: 'tars.io/ServerVariant',
  /** On pods: name of their TServer, which tells them from the pods of its variants. */
  tserver: 'tars.io/TServer',
  subType: 'tars.io/SubType',
  template: 'tars.io/Template',
  /** Release id; on TServer and on its pods. */
  serverId: 'tars.io/ServerID',
  /** TTemplate: name of the parent; absent on a root. */
  parent: 'tars.io/Parent',
  configName: 'tars.io/ConfigName',
  podSeq: 'tars.io/PodSeq',
  /** TConfig: the set that the file is for; absent when for none. */
  configSet: 'tars.io/ConfigSet',
  version: 'tars.io/Version',
  activated: 'tars.io/Activated',
  deactivate: 'tars.io/Deactivate',
  deleting: 'tars.io/Deleting',
  imageType: 'tars.io/ImageType',
  /** Followed by a server type, e.g. `tars.io/Supported.nodejs`. */
  supportedPrefix: 'tars.io/Supported.',
  localVolume: 'tars.io/LocalVolume',
  /** Of a local volume's server: volumes know no namespaces, and two frameworks may have a server of the same name. */
  localVolumeNamespace: 'tars.io/LocalVolumeNamespace',
  /** On nodes: any framework may use it. */
  node: 'tars.io/node',
  supportLocalVolume: 'tars.io/SupportLocalVolume',
} as const

export const annotations = {
  maxReplicas: 'tars.io/MaxReplicas',
  minReplicas: 'tars.io/MinReplicas',
  /** Anything but `"false"`: take the default release of the TImage when none is set. */
  autoRelease: 'tars.io/AutoRelease',
  localVolumeUid: 'tars.io/LocalVolumeUID',
  localVolumeGid: 'tars.io/LocalVolumeGID',
  localVolumeMode: 'tars.io/LocalVolumeMode',
  /** TConfig: when this version was last activated, RFC 3339 with milliseconds. Of two activated ones the newer counts. */
  activatedAt: 'tars.io/ActivatedAt',
  /** TConfig: when a newer activation replaced this version. */
  replacedAt: 'tars.io/ReplacedAt',
  /** On children of a TServer: digest of what the controller last applied. */
  applied: 'tars.io/Applied',
  /** On a pod: `inactive` keeps callers away from it for as long as it lives; spec.tars.instances[].flow outlives it. */
  flow: 'tars.io/Flow',
  /** TServer: names of its nodes for callers who give them names of their own (AdminRegObj), by the number of the pod, separated by commas. */
  nodeNames: 'tars.io/NodeNames',
  /** TServer: those of its named nodes that have left, but whose pods have lower numbers than one that has not. */
  leavingNodes: 'tars.io/LeavingNodes',
  /** TConfig: name of the node that a file for one pod was made for. */
  nodeName: 'tars.io/NodeName',
  /** TServer: who released what runs. */
  releasedBy: 'tars.io/ReleasedBy',
  /** Prefix of `1b11b2`, `1b11b3`, `1b21b3`: fields an older version cannot hold. */
  conversionPrefix: 'tars.io/Conversion.',
} as const

/** Pod readiness gate and condition, written by the registry: reason `<setting>/<present>/<pid>`. */
export const activeCondition = 'tars.io/active'
/** Pod condition, always True: its reason is how often tarsnode started the service again since the container started. */
export const restartsCondition = 'tars.io/restarts'

export const names = {
  tree: 'tars-tree',
  framework: 'tars-framework',
  storageClass: 'tars-storage-class',
  /** Extra volume claim that pins a pod with host ports to its node. */
  delayBind: 'delay-bind',
  /** Volume of an injected supervisor, shared by its init container and the service's container. */
  nodeWorkDir: 'tarsnode-work-dir',
  nodeContainer: 'tarsnode',
  /** Volume of the node image itself, where it is mounted instead of copied. */
  nodeImageVolume: 'tarsnode-image',
  timezone: 'host-timezone',
} as const

export const paths = {
  nodeWorkDir: '/usr/local/app/tars/tarsnode',
  /** The supervisor's own files in an image: the baked layer's, and the node image's. */
  supervisor: '/tarsnode',
  /** Starts the supervisor; needs nothing of the image that it is in. */
  supervisorLauncher: '/tarsnode/bin/tarsk8s',
  appLog: '/usr/local/app/tars/app_log',
  localtime: '/etc/localtime',
} as const

/** TCP ports that every tars pod uses itself; no servant or port of a tars TServer may take one. */
export const reservedPorts = {
  /** Admin servant of the business process, on loopback. */
  admin: 1000,
  /** tars.tarsnode.NodeObj, on the pod's address. */
  node: 19385,
  /** tars.tarsnode.ServerObj, on loopback. */
  server: 19386,
  /** tarsnode's /healthz, /readyz and /metrics, on the pod's address. */
  health: 19387,
} as const

export const registryPorts = { query: 17890, registry: 17891 } as const

/** What AdminRegObj was called before it had a server of its own; DCache's routers ask for it by this name (framework-services 0.1). */
export const formerAdminRegObj = 'tars.tarsregistry.AdminRegObj'

/** What an unreleased container's image is called (control-plane spec 0). */
export const imagePlaceholder = ' '

/** A TServer's name must be shorter than this, so that pod names and label values stay legal. */
export const serverNameLimit = 59

/**
 * Characters that the name of a StatefulSet may have: its pods get a label of it and a hash of up to ten digits, which no value longer
 * than 63 can hold (StatefulSet controller, controller-revision-hash).
 */
export const statefulNameLength = 52

/** Characters of a label's name behind its prefix, by Kubernetes. */
const labelNameLength = 63

/** False for a label that no node can have. */
export function isLabel(key: string): boolean {
  return key.slice(key.indexOf('/') + 1).length <= labelNameLength
}

/** Seconds during which a just created active TConfig cannot be deleted. */
export const configGuardSeconds = 48

/** On PersistentVolumes that tarsagent makes (control-plane spec C.15). */
export const localVolume = {
  /** Annotation: a volume of ours, to us and to Kubernetes, which then leaves its removal to us. */
  provisionedBy: { key: 'pv.kubernetes.io/provisioned-by', value: 'tars-local-volume-provisioner' },
  /** Holds a deleted volume until its folder is gone, or is known to stay. */
  finalizer: 'tars.io/local-volume',
  /** Node label that a volume asks of its node. */
  hostnameLabel: 'kubernetes.io/hostname',
} as const

/** What counts when TFrameworkConfig does not say otherwise. */
export const fallbackLimits = { texitedPod: 60, tconfigHistory: 10, timageRelease: 32 } as const
/** Seconds an image build may run when TFrameworkConfig does not say. */
export const fallbackBuildTime = 480

/** The name of the TServer, and of all its children: `lower(app)-lower(server)`, and `-variant` for a further TServer of the same server. */
export function serverObjectName(app: string, server: string, variant?: string): string {
  return `${app.toLowerCase()}-${server.toLowerCase()}${variant === undefined || variant === '' ? '' : `-${variant}`}`
}

/** The name of the TServer that a labelled child or pod belongs to. */
export function ownerNameOf(known: Readonly<Record<string, string>> | undefined): string {
  const { [labels.app]: app = '', [labels.server]: server = '', [labels.variant]: variant } = known ?? {}
  return serverObjectName(app, server, variant)
}

/** Label selector text for everything that belongs to one TServer. */
export function serverSelector(app: string, server: string, variant?: string): string {
  return `${labels.app}=${app},${labels.server}=${server},${variant === undefined ? `!${labels.variant}` : `${labels.variant}=${variant}`}`
}

/** Node label that admits pods of the framework in this namespace. */
export function nodeLabel(namespace: string): string {
  return `${labels.node}.${namespace}`
}

/** Node label that marks a node as able to run the whole app, or one server of it. */
export function abilityLabel(namespace: string, app: string, server?: string): string {
  return `tars.io/ability.${namespace}.${app}${server === undefined ? '' : `-${server}`}`
}
