// A namespace full of running servers, as the controller, the StatefulSets and the kubelets leave it: one is made through the API, the others are its copies in the store.
import { createHash } from 'node:crypto'
import { resources } from '#api/resources.ts'
import type { TServer } from '#api/types.ts'
import type { KubeClient } from '#kube/client.ts'
import { nodes, pods, statefulSets } from '#kube/resources.ts'
import type { AnyObject, Resource } from '#kube/types.ts'
import { desiredEndpoint } from '../../../framework/controller/desired/endpoint.ts'
import { desiredStatefulSet } from '../../../framework/controller/desired/stateful-set.ts'
import { collectionOf } from '../../../framework/local/apiserver/definition.ts'
import { Store } from '../../../framework/local/apiserver/store.ts'
import type { StatefulSet } from '../../../framework/local/workloads/kinds.ts'
import { revisionName } from '../../../framework/local/workloads/revisions.ts'
import { statefulPod } from '../../../framework/local/workloads/stateful-pod.ts'
import { tarsServer } from '../../controller/fixtures.ts'
import { namespace } from './cluster.ts'

export interface Population {
  /** Servers of one servant each. */
  readonly servers: number
  /** Pods a server. */
  readonly replicas: number
}

const digits = (index: number): string => String(index).padStart(5, '0')

/** `Bench.S00042.Obj` */
export const servantOf = (index: number): string => `Bench.S${digits(index)}.Obj`
export const podOf = (index: number, ordinal: number): string => `bench-s${digits(index)}-${ordinal}`
export const serverOf = (index: number): string => `S${digits(index)}`

const podsANode = 100
const zones = 3
const since = '2024-01-01T00:00:00Z'

const addressOf = (number: number): string => `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`

/**
 * Makes the first server and the nodes through the API.
 * @returns fills a store, whose server is to be stopped, with all the others
 */
export async function populate(client: KubeClient, { servers, replicas }: Population): Promise<(dataFile: string) => void> {
  for (let node = 0; node < (servers * replicas) / podsANode; node++) await client.create(nodes, nodeObject(node))
  const { metadata: { uid: _, ...metadata }, ...draft } = tarsServer({ app: 'Bench', server: serverOf(0), tars: { template: 'tars.default', servants: [{ name: 'Obj', port: 10_000 }] }, k8s: { replicas } } as never, { name: `bench-s${digits(0)}`, namespace })
  const server = await client.create(resources.tservers, { ...draft, metadata })
  const set = (await client.create(statefulSets, desiredStatefulSet(server) as unknown as AnyObject)) as unknown as StatefulSet
  const endpoint = await client.create(resources.tendpoints, desiredEndpoint(server))
  const whole: readonly (readonly [Resource, AnyObject])[] = [[resources.tservers as unknown as Resource, server as unknown as AnyObject], [statefulSets, set as unknown as AnyObject], [resources.tendpoints as unknown as Resource, endpoint as unknown as AnyObject]]
  const first: AnyObject[] = []
  for (let ordinal = 0; ordinal < replicas; ordinal++) first.push(await createPod(client, set, server, ordinal))
  return (dataFile) => {
    const store = new Store(dataFile)
    for (let index = 1; index < servers; index++) {
      for (const [resource, object] of whole) put(store, resource, copyOf(object, index))
      for (const [ordinal, pod] of first.entries()) {
        const number = index * replicas + ordinal
        const copy = JSON.parse(JSON.stringify(copyOf(pod, index)).replaceAll(`"${addressOf(ordinal)}"`, `"${addressOf(number)}"`)) as AnyObject
        copy['spec'].nodeName = nodeName(Math.floor(number / podsANode))
        put(store, pods, copy)
      }
    }
    store.close()
  }
}

function put(store: Store, resource: Resource, object: AnyObject): void {
  store.commit({ collection: collectionOf(resource), namespace, name: object.metadata.name }, object, undefined)
}

/** The object of server 0 as that of another: with its name, and uids of its own. */
function copyOf(object: AnyObject, index: number): AnyObject {
  const text = JSON.stringify(object).replaceAll(`s${digits(0)}`, `s${digits(index)}`).replaceAll(`S${digits(0)}`, `S${digits(index)}`)
  return JSON.parse(text.replaceAll(/"uid":"([^"]+)"/g, (_, uid: string) => `"uid":"${uidOf(uid, index)}"`)) as AnyObject
}

function uidOf(uid: string, index: number): string {
  return createHash('sha256').update(`${uid} ${index}`).digest('hex').replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-4$3-8$4-$5')
}

const nodeName = (node: number): string => `node-${node}`

function nodeObject(node: number): AnyObject {
  const labels = { 'kubernetes.io/hostname': nodeName(node), 'topology.kubernetes.io/region': 'region-1', 'topology.kubernetes.io/zone': `zone-${node % zones}` }
  return { apiVersion: 'v1', kind: 'Node', metadata: { name: nodeName(node), labels }, status: { addresses: [{ type: 'InternalIP', address: `172.16.${node >> 8}.${node & 255}` }] } } as unknown as AnyObject
}

/** A pod of the set, with the status that the kubelet and tarsregistry write. */
async function createPod(client: KubeClient, set: StatefulSet, { metadata: { name: container }, spec: { release } }: TServer, ordinal: number): Promise<AnyObject> {
  const pod = statefulPod(set, ordinal, set.spec.template, revisionName(set))
  await client.create(pods, { ...pod, spec: { ...pod.spec, nodeName: nodeName(0) } } as unknown as AnyObject)
  const [podIP, hostIP] = [addressOf(ordinal), '172.16.0.0']
  const status = {
    phase: 'Running', podIP, podIPs: [{ ip: podIP }], hostIP, hostIPs: [{ ip: hostIP }], startTime: since, qosClass: 'BestEffort', observedGeneration: 1,
    conditions: [...['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map((type) => ({ type, status: 'True', observedGeneration: 1, lastProbeTime: null, lastTransitionTime: since })), activeCondition(true, ordinal)],
    containerStatuses: [{ name: container, ready: true, started: true, restartCount: 0, image: release?.image, imageID: `registry.test/demo.hello@sha256:${'0'.repeat(64)}`, containerID: `containerd://${'0'.repeat(64)}`, state: { running: { startedAt: since } }, lastState: {} }],
  }
  return client.patch(pods, { namespace, name: pod.metadata.name }, { status }, { type: 'merge', subresource: 'status' })
}

/** The condition that tells a node's word of its service (node-and-image A.9). */
export function activeCondition(active: boolean, pid: number): AnyObject['status'] {
  const present = active ? 'Active' : 'Deactivating'
  return { type: 'tars.io/active', status: active ? 'True' : 'False', reason: `Active/${present}/${100 + pid}`, message: '', lastTransitionTime: since }
}
