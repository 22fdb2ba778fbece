// Very many TServers with their children and pods, as the API server would store them: one is made through it, and the others are
// copies of its bytes with names, uids, addresses and digests of their own, each of the length that it had.
import { createHash } from 'node:crypto'
import { names } from '#api/names.ts'
import { resources } from '#api/resources.ts'
import type { TFrameworkConfig, TServer } from '#api/types.ts'
import { pods, statefulSets } from '#kube/resources.ts'
import type { AnyObject, Resource } from '#kube/types.ts'
import { desiredDisruptionBudget } from '../../../framework/controller/desired/disruption-budget.ts'
import { desiredEndpoint } from '../../../framework/controller/desired/endpoint.ts'
import { desiredService } from '../../../framework/controller/desired/service.ts'
import { desiredStatefulSet } from '../../../framework/controller/desired/stateful-set.ts'
import { digest } from '../../../framework/controller/reconcile/apply.ts'
import { childKinds, Watcher } from './children.ts'
import { draft, tservers } from './drafts.ts'
import { read, write, type Stored } from './etcd.ts'
import { namespace, startController, type Ground } from './ground.ts'

/** Pods of each TServer. */
export const replicas = 5
const active = 'Active/Active/7'

const numberOf = (index: number): string => String(index).padStart(5, '0')
/** Name of the pod of a TServer that {@link draft} makes. */
export const podName = (index: number, ordinal: number): string => `${draft(index).metadata.name}-${ordinal}`

/** Address of the first pod of a TServer; the others follow in the last part. All have the same length. */
function address(index: number): string {
  return `10.${100 + Math.floor(index / 100)}.${100 + (index % 100)}.10`
}

/** Makes the first TServer, with pods that are active, through the API server and the controller, and waits until all of it is told. */
async function firstServer(ground: Ground): Promise<void> {
  const { client } = ground
  const controller = await startController(ground)
  const watcher = await Watcher.open(client, [...childKinds, tservers()])
  const { metadata: { name } } = await client.create(tservers(), draft(0, 'v1beta3', replicas))
  await watcher.until(() => watcher.get(statefulSets, name) !== undefined)
  const set = watcher.get(statefulSets, name)
  for (let ordinal = 0; ordinal < replicas; ordinal++) await createPod(ground, set as AnyObject, ordinal)
  await watcher.until(() => watcher.get(tservers(), name)?.['status']?.readyReplicas === replicas && watcher.get(resources.tendpoints, name)?.['status']?.pods?.every((pod: { presentState: string }) => pod.presentState === 'Active') && watcher.count(resources.texitedrecords) === 1)
  await watcher.close()
  await controller.stop()
}

/** A pod as the StatefulSet's controller and a kubelet would have it. */
async function createPod({ client }: Ground, set: AnyObject, ordinal: number): Promise<void> {
  const { metadata: { name: owner, uid = '' }, spec: { template } } = set
  const name = `${owner}-${ordinal}`
  const metadata = {
    name, namespace, annotations: template.metadata.annotations,
    labels: { ...template.metadata.labels, 'apps.kubernetes.io/pod-index': String(ordinal), 'controller-revision-hash': `${owner}-5f8c9d6b7d`, 'statefulset.kubernetes.io/pod-name': name },
    ownerReferences: [{ apiVersion: 'apps/v1', kind: 'StatefulSet', name: owner, uid, controller: true, blockOwnerDeletion: true }],
  }
  await client.create(pods, { metadata, spec: { ...template.spec, nodeName: 'node-0', hostname: name, subdomain: owner } } as never)
  await client.patch(pods, { namespace, name }, { status: statusOf(template, ordinal) }, { type: 'merge', subresource: 'status' })
}

function statusOf(template: AnyObject, ordinal: number): object {
  const time = new Date().toISOString().replace(/\.\d+Z$/, 'Z')
  const podIP = `${address(0)}${ordinal}`
  const containers = template['spec'].containers as { name: string; image: string }[]
  return {
    phase: 'Running', podIP, podIPs: [{ ip: podIP }], hostIP: '10.0.0.1', hostIPs: [{ ip: '10.0.0.1' }], startTime: time, qosClass: 'BestEffort',
    conditions: [activeCondition(true), ...['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map((type) => ({ type, status: 'True', lastProbeTime: null, lastTransitionTime: time }))],
    containerStatuses: containers.map(({ name, image }) => ({ name, image, imageID: `${image}@sha256:${'a'.repeat(64)}`, containerID: `containerd://${'b'.repeat(64)}`, ready: true, started: true, restartCount: 0, state: { running: { startedAt: time } }, lastState: {} })),
  }
}

/** What tarsnode's word makes of a pod. */
export function activeCondition(isActive: boolean): object {
  return { type: 'tars.io/active', status: isActive ? 'True' : 'False', reason: isActive ? active : 'Active/Inactive/7', lastTransitionTime: new Date().toISOString().replace(/\.\d+Z$/, 'Z') }
}

/** Digests of what the controller applies for a server. */
function digests(server: TServer, framework: TFrameworkConfig): string[] {
  return [desiredStatefulSet(server, framework), desiredService(server, true), desiredDisruptionBudget(server), desiredEndpoint(server)].map(digest)
}

/** Another uid of the same length, the same for the same copy. */
function uidOf(uid: string, index: number): string {
  return createHash('sha256').update(`${uid} ${index}`).digest('hex').replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12}).*$/, '$1-$2-4$3-8$4-$5')
}

/** Fills the API server's store with TServers 0 to `size` - 1, of which each has all children and {@link replicas} pods. */
export async function populate(ground: Ground, size: number, note: (line: string) => void): Promise<void> {
  const { plane, client } = ground
  await firstServer(ground)
  const { metadata: { name } } = draft(0)
  const entries = await read(plane.etcdUrl, (key) => !key.startsWith('/registry/events/') && key.split('/').some((part) => part === name || part.startsWith(`${name}-`)))
  note(`of one TServer: ${entries.map(({ key, value }) => `${key.slice('/registry/'.length)} ${value.length} B`).join(', ')}`)
  const server = (await client.get(tservers(), { namespace, name })) as unknown as TServer
  const framework = (await client.get(resources.tframeworkconfigs as Resource, { namespace, name: names.framework })) as unknown as TFrameworkConfig
  const objects = [server as unknown as AnyObject, ...(await Promise.all([...childKinds, pods].map((kind) => client.list(kind, { namespace })))).flatMap(({ items }) => items)]
  const uids = objects.map(({ metadata }) => metadata.uid ?? '')
  await plane.killApi()
  const known = digests(server, framework)
  const copy = (index: number): Stored[] => {
    const renamed = JSON.stringify(server).replaceAll(numberOf(0), numberOf(index))
    const own = uids.reduce((text, uid) => text.replaceAll(uid, uidOf(uid, index)), renamed)
    const fresh = digests(JSON.parse(own) as TServer, framework)
    const pairs: readonly (readonly [string, string])[] = [
      [`s${numberOf(0)}`, `s${numberOf(index)}`], [`S${numberOf(0)}`, `S${numberOf(index)}`], [address(0), address(index)],
      ...uids.map((uid) => [uid, uidOf(uid, index)] as const), ...known.map((old, at) => [old, fresh[at] ?? ''] as const),
    ]
    const replaced = (text: string): string => pairs.reduce((result, [from, to]) => result.replaceAll(from, to), text)
    return entries.map(({ key, value }) => ({ key: replaced(key), value: replaced(value) }))
  }
  const copies = function* (): Generator<Stored> {
    for (let index = 1; index < size; index++) {
      if (index % 2000 === 0) note(`${index} TServers are stored`)
      yield* copy(index)
    }
  }
  await write(plane.etcdUrl, copies())
  await plane.resumeApi()
}
