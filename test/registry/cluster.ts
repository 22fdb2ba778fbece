// The embedded API server with the CRDs, and shorthands for the objects that the framework services read.
import { randomUUID } from 'node:crypto'
import { customResourceDefinitions } from '#api/crds.ts'
import { resources } from '#api/resources.ts'
import type { TEndpoint } from '#api/types.ts'
import { silentLogger } from '#base/log.ts'
import { createKubeClient, type KubeClient } from '#kube/client.ts'
import { customResourceDefinitions as crds, daemonSets, pods } from '#kube/resources.ts'
import type { AnyObject, Resource } from '#kube/types.ts'
import { eventually } from '../rig/eventually.ts'
import { startApiServer, type ApiServer, type PodLogs } from '../../framework/local/apiserver/server.ts'

export { eventually as until }

export const namespace = 'tars'

export interface TestCluster {
  readonly api: ApiServer
  readonly client: KubeClient
  stop(): Promise<void>
}

export async function startCluster(options: { readonly dataFile?: string; readonly port?: number; readonly podLogs?: PodLogs } = {}): Promise<TestCluster> {
  const { dataFile = ':memory:', port = 0, podLogs } = options
  const api = await startApiServer({ dataFile, host: '127.0.0.1', port, token: randomUUID(), namespaces: [namespace], log: silentLogger, podLogs })
  const client = createKubeClient(api.config)
  if (dataFile === ':memory:') {
    for (const crd of customResourceDefinitions()) await client.create(crds, crd as unknown as AnyObject)
    for (const resource of Object.values(resources)) await eventually(() => client.list(resource as Resource, { namespace }).catch(() => undefined))
  }
  return {
    api,
    client,
    async stop() {
      client.close()
      await api.stop()
    },
  }
}

interface ServantSpec {
  readonly name: string
  readonly port: number
  readonly isTcp?: boolean
  readonly isTars?: boolean
  readonly timeout?: number
}

export function tendpoint(app: string, server: string, servants: readonly ServantSpec[], more: Partial<TEndpoint['spec']['tars']> = {}): AnyObject {
  const tars = { template: 'tars.default', servants, ...more }
  return { apiVersion: 'k8s.tars.io/v1beta3', kind: 'TEndpoint', metadata: { name: `${app}-${server}`.toLowerCase(), namespace }, spec: { app, server, subType: 'tars', tars } }
}

export async function createEndpoint(client: KubeClient, ...args: Parameters<typeof tendpoint>): Promise<void> {
  await client.create(resources.tendpoints, tendpoint(...args) as unknown as TEndpoint)
}

export async function createTemplate(client: KubeClient, name: string, parent: string, content: string): Promise<void> {
  await client.create(resources.ttemplates, { apiVersion: 'k8s.tars.io/v1beta3', kind: 'TTemplate', metadata: { name, namespace }, spec: { content, parent } })
}

export interface PodSpec {
  readonly app: string
  readonly server: string
  readonly name: string
  readonly ip?: string
  readonly hostNetwork?: boolean
  /** Owned by a DaemonSet, which is made. */
  readonly ofDaemonSet?: boolean
  readonly gate?: boolean
  /** Reason of tars.io/active. */
  readonly state?: string
  readonly ready?: boolean
  /** Further labels. */
  readonly labels?: Readonly<Record<string, string>>
}

export async function createPod(client: KubeClient, spec: PodSpec): Promise<AnyObject> {
  const { app, server, name, hostNetwork, gate = true } = spec
  const owner = spec.ofDaemonSet === true ? await createDaemonSet(client, `${app}-${server}`.toLowerCase()) : undefined
  const created = await client.create(pods, {
    apiVersion: 'v1', kind: 'Pod',
    metadata: {
      name, namespace, labels: { 'tars.io/ServerApp': app, 'tars.io/ServerName': server, ...spec.labels },
      ...(owner === undefined ? {} : { ownerReferences: [{ apiVersion: 'apps/v1', kind: 'DaemonSet', name: owner.metadata.name, uid: owner.metadata.uid ?? '', controller: true }] }),
    },
    spec: {
      containers: [{ name: `${app}-${server}`.toLowerCase(), image: 'x' }],
      ...(hostNetwork === undefined ? {} : { hostNetwork }),
      ...(gate ? { readinessGates: [{ conditionType: 'tars.io/active' }] } : {}),
    },
  } as AnyObject)
  return setPodStatus(client, created, spec)
}

async function createDaemonSet(client: KubeClient, name: string): Promise<AnyObject> {
  const metadata = { name, namespace }
  const labels = { app: name }
  const template = { metadata: { labels }, spec: { containers: [{ name, image: 'x' }] } }
  return client.create(daemonSets, { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata, spec: { selector: { matchLabels: labels }, template } } as AnyObject)
}

export async function setPodStatus(client: KubeClient, pod: AnyObject, { ip, state, ready = true }: Partial<PodSpec>): Promise<AnyObject> {
  const conditions = [
    { type: 'ContainersReady', status: ready ? 'True' : 'False' },
    ready && state === 'Active/Active/7' ? { type: 'Ready', status: 'True' } : { type: 'Ready', status: 'False', reason: 'ReadinessGatesNotReady' },
    ...(state === undefined ? [] : [{ type: 'tars.io/active', status: state.startsWith('Active/Active') ? 'True' : 'False', reason: state, lastTransitionTime: '2020-01-01T00:00:00Z' }]),
  ]
  const status = { phase: 'Running', ...(ip === undefined ? {} : { podIP: ip, podIPs: [{ ip }] }), conditions }
  return client.patch(pods, { namespace, name: pod.metadata.name }, { status }, { type: 'merge', subresource: 'status' })
}
