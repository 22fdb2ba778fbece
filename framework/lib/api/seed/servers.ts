import { completeServer, type Sparse } from '../default.ts'
import { activeCondition, annotations, registryPorts, serverObjectName } from '../names.ts'
import { mutateServer } from '../mutate/tserver.ts'
import type { TServer, TServerSpec } from '../types.ts'

/** Framework services that {@link frameworkServer} knows; each is also the role that `tarsk8s` starts. */
export const frameworkRoles = ['registry', 'config', 'notify', 'log', 'stat', 'property', 'querystat', 'queryproperty', 'kevent', 'image', 'admin', 'adminregistry'] as const
export type FrameworkRole = (typeof frameworkRoles)[number]

/** Its server, in the application `tars`: callers know it by this name. */
const serverOf = (role: FrameworkRole): string => (role === 'adminregistry' ? 'tarsAdminRegistry' : `tars${role}`)

/** Name of a framework service's TServer, and of all its children. */
export const frameworkServerName = (role: FrameworkRole): string => serverObjectName('tars', serverOf(role))

export interface FrameworkServerOptions {
  readonly namespace: string
  readonly release: { readonly id: string; readonly image: string; readonly secret?: string | undefined }
  /** RFC 3339: when the framework was released. */
  readonly time: string
  /** Pods of the registry. Default 1; on several nodes take 2. */
  readonly registryReplicas?: number | undefined
  /** Port of tarsimage's HTTP. Default 80. */
  readonly imagePort?: number | undefined
  /** Port of tarsadmin's HTTP. Default 8080. */
  readonly adminPort?: number | undefined
  readonly imagePullPolicy?: TServerSpec['k8s']['imagePullPolicy'] | undefined
}

/** Servants and ports: framework-services spec 0.1, control-plane spec D.2. */
const parts: Readonly<Record<FrameworkRole, (options: FrameworkServerOptions) => Sparse<TServerSpec>>> = {
  registry: ({ registryReplicas = 1 }) => ({
    subType: 'normal',
    normal: { ports: [{ name: 'queryobj', port: registryPorts.query }, { name: 'registryobj', port: registryPorts.registry }] },
    k8s: { replicas: registryReplicas, readinessGates: [activeCondition] },
  }),
  config: () => ({ subType: 'tars', tars: { template: 'tars.cpp', servants: [{ name: 'ConfigObj', port: 11111 }] } }),
  notify: () => ({ subType: 'tars', tars: { template: 'tars.es', servants: [{ name: 'NotifyObj', port: 13111 }] } }),
  stat: () => ({ subType: 'tars', tars: { template: 'tars.es', servants: [{ name: 'StatObj', port: 17000 }] } }),
  property: () => ({ subType: 'tars', tars: { template: 'tars.es', servants: [{ name: 'PropertyObj', port: 14000 }] } }),
  querystat: () => ({ subType: 'tars', tars: { template: 'tars.es', servants: [{ name: 'QueryObj', port: 16000 }, { name: 'NoTarsObj', port: 16002, isTars: false }] } }),
  queryproperty: () => ({ subType: 'tars', tars: { template: 'tars.es', servants: [{ name: 'QueryObj', port: 15000 }, { name: 'NoTarsObj', port: 15002, isTars: false }] } }),
  kevent: () => ({ subType: 'normal', normal: { ports: [{ name: 'store', port: 17101 }] } }),
  log: () => ({ subType: 'tars', tars: { template: 'tars.cpp', servants: [{ name: 'LogObj', port: 12111 }, { name: 'TopologyObj', port: 13030 }] } }),
  image: ({ imagePort = 80 }) => ({ subType: 'normal', normal: { ports: [{ name: 'http', port: imagePort }] } }),
  admin: ({ adminPort = 8080 }) => ({ subType: 'normal', normal: { ports: [{ name: 'http', port: adminPort }] } }),
  adminregistry: () => ({ subType: 'tars', tars: { template: 'tars.cpp', servants: [{ name: 'AdminRegObj', port: 19111 }] } }),
}

/** Where roles serve `/metrics`: beside their servants, or with what they serve by HTTP. */
export const metricsPorts: Readonly<Record<FrameworkRole, number>> = {
  registry: 17892, config: 11112, notify: 13112, log: 12112, stat: 17001, property: 14001, querystat: 16001, queryproperty: 15001, kevent: 17101, image: 80, admin: 8080, adminregistry: 19112,
}
/** Those that have no other reason to serve HTTP. */
const healthOnly: readonly FrameworkRole[] = ['registry', 'config', 'log', 'adminregistry']

const podFields = [['Namespace', 'metadata.namespace'], ['PodName', 'metadata.name'], ['PodIP', 'status.podIP']] as const

/** The TServer of a framework service, started as `tarsk8s <role>`. */
export function frameworkServer(role: FrameworkRole, options: FrameworkServerOptions): TServer {
  const { namespace, release, registryReplicas = 1, imagePullPolicy = 'IfNotPresent' } = options
  const part = parts[role](options)
  const http = part.normal?.ports?.find((port) => port?.name === 'http')?.port
  const bounds = role === 'registry' && registryReplicas > 1 ? { annotations: { [annotations.minReplicas]: String(registryReplicas) } } : {}
  const { secret, ...image } = release
  const complete = completeServer({ name: frameworkServerName(role), namespace, ...bounds }, {
    ...part, app: 'tars', server: serverOf(role), important: 5,
    k8s: {
      replicas: 1, ...part.k8s, imagePullPolicy,
      command: ['tarsk8s', role],
      env: [
        ...podFields.map(([name, fieldPath]) => ({ name, valueFrom: { fieldRef: { fieldPath } } })),
        ...(http === undefined ? [] : [{ name: 'HTTP_PORT', value: String(http) }]),
        ...(healthOnly.includes(role) ? [{ name: `TARS${role.toUpperCase()}_HEALTH_PORT`, value: String(metricsPorts[role]) }] : []),
      ],
    },
    release: { ...image, ...(secret === undefined ? {} : { secret }), time: options.time },
  })
  return mutateServer(complete, { now: options.time })
}
