// Whether a namespace is what its operator asked for. The children of a TServer follow from it by the pure functions that say so.
import { isDeepStrictEqual } from 'node:util'
import { mutateServer } from '#api/mutate/tserver.ts'
import { accountName } from '#api/mutate/taccount.ts'
import { isControlledBy } from '#api/meta.ts'
import { labels } from '#api/names.ts'
import { effectiveReplicas } from '#api/replicas.ts'
import type { TConfig, TFrameworkConfig, TServer, TServerStatus, TTree } from '#api/types.ts'
import type { AnyObject } from '#kube/types.ts'
import { contains } from '../../../framework/controller/desired/contained.ts'
import { desiredDaemonSet } from '../../../framework/controller/desired/daemon-set.ts'
import { desiredDisruptionBudget } from '../../../framework/controller/desired/disruption-budget.ts'
import { desiredEndpoint } from '../../../framework/controller/desired/endpoint.ts'
import { endpointPods } from '../../../framework/controller/desired/pod-state.ts'
import { serverStatus } from '../../../framework/controller/desired/server-status.ts'
import { desiredService } from '../../../framework/controller/desired/service.ts'
import { desiredStatefulSet } from '../../../framework/controller/desired/stateful-set.ts'
import { marked } from '../../../framework/controller/reconcile/apply.ts'
import { fitStatefulSet } from '../../../framework/controller/reconcile/workloads.ts'
import type { Observer } from './observer.ts'
import { within, type Snapshot } from './snapshot.ts'
import type { KnownFile, Space } from './space.ts'

/** Nodes that pods of a DaemonSet can be on. */
export const NODES = ['node-a', 'node-b'] as const
/** The controller tells no more often of one thing; each failed try is told, and tries come less and less often. */
const MOST_TOLD = 60

/** What is wrong in the namespace; nothing when it is what was asked for. */
export function faultsOf(space: Space, everything: Snapshot, observer: Pick<Observer, 'endedOf' | 'setsOf'>): readonly string[] {
  const found = within(everything, space.namespace)
  return [
    ...serverFaults(space, found),
    ...childFaults(found),
    ...(found.servers as unknown as readonly TServer[]).flatMap((server) => [...podFaults(server, found), ...derivedFaults(server, found), ...recordFaults(server, found, observer), ...setFaults(server, space, observer)]),
    ...configFaults(space, found),
    ...otherFaults(space, found),
    ...eventFaults(found),
  ].map((fault) => `${space.namespace}: ${fault}`)
}

/** Every TServer that was asked for is there as it was asked for, and no other. */
function serverFaults(space: Space, { servers }: Snapshot): string[] {
  return compared('TServer', [...space.known.servers.keys()], servers, (name, server) => {
    const { spec } = mutateServer(space.draft(name) as TServer, { now: '' })
    return differences(server['spec'], spec, 'spec')
  })
}

type Desired = (server: TServer, framework: TFrameworkConfig | undefined) => object | undefined
const childKinds: readonly (readonly [kind: string, list: keyof Snapshot, desired: Desired])[] = [
  ['Service', 'services', (server) => desiredService(server, true)],
  ['StatefulSet', 'statefulSets', desiredStatefulSet],
  ['DaemonSet', 'daemonSets', desiredDaemonSet],
  ['PodDisruptionBudget', 'budgets', desiredDisruptionBudget],
  ['TEndpoint', 'endpoints', desiredEndpoint],
  ['TExitedRecord', 'records', ({ metadata: { name, namespace }, spec: { app, server } }) => ({ metadata: { name, namespace }, app, server })],
]

/** Every child that the TServers call for is there, theirs, and as it should be; and no other. */
function childFaults(found: Snapshot): string[] {
  const servers = found.servers as unknown as readonly TServer[]
  const framework = found.frameworks[0] as TFrameworkConfig | undefined
  return childKinds.flatMap(([kind, list, desired]) => {
    const wanted = new Map(servers.flatMap((server) => {
      const child = desired(server, framework)
      return child === undefined ? [] : [[server.metadata.name, { server, child }] as const]
    }))
    return compared(kind, [...wanted.keys()], found[list], (name, child) => {
      const { server, child: right } = wanted.get(name) ?? {}
      if (server === undefined || right === undefined) return []
      if (!isControlledBy(child, server)) return ['is not controlled by its TServer']
      const fitted = kind === 'StatefulSet' ? fitStatefulSet(right, child, server, framework) : right
      if (fitted === 'recreate') return ['has other claims than its TServer']
      return differences(child, kind === 'TExitedRecord' ? fitted : marked(fitted), '')
    })
  })
}

/** Its pods are as many as asked for, each of the present template, and ready. */
function podFaults(server: TServer, { pods, statefulSets }: Snapshot): string[] {
  const { name, labels: own } = server.metadata
  const mine = pods.filter(({ metadata }) => metadata.labels?.[labels.server] === own?.[labels.server])
  const count = server.spec.k8s.daemonSet ? (server.spec.release === undefined ? 0 : NODES.length) : effectiveReplicas(server)
  const numbered = Array.from({ length: count }, (_, number) => `${name}-${number}`)
  const names = mine.map(({ metadata }) => metadata.name)
  const revision = statefulSets.find(({ metadata }) => metadata.name === name)?.['status']?.updateRevision as string | undefined
  const wrong = server.spec.k8s.daemonSet ? names.length !== count : !isDeepStrictEqual(names.toSorted(), numbered.toSorted())
  return [
    ...(wrong ? [`TServer ${name} has the pods ${names.join(', ') || 'none'} instead of ${count}`] : []),
    ...mine.flatMap((pod) => [
      ...(isReady(pod) ? [] : [`Pod ${pod.metadata.name} is not ready`]),
      ...(pod.metadata.labels?.[labels.serverId] === server.spec.release?.id ? [] : [`Pod ${pod.metadata.name} runs release ${pod.metadata.labels?.[labels.serverId] ?? 'none'}`]),
      ...(server.spec.k8s.daemonSet || pod.metadata.labels?.['controller-revision-hash'] === revision ? [] : [`Pod ${pod.metadata.name} is of an older template`]),
    ]),
  ]
}

const isReady = ({ metadata, status }: AnyObject): boolean => metadata.deletionTimestamp === undefined && (status?.conditions as { type: string; status: string }[] | undefined)?.some(({ type, status: holds }) => type === 'Ready' && holds === 'True') === true

/** Pods that are ready are in no trouble, wherever they are. */
const nowhere = { nodes: [], storageClasses: new Set<string>(), set: undefined }

/** What the controller says of the server's pods is what they are. */
function derivedFaults(server: TServer, { pods, endpoints }: Snapshot): string[] {
  const { name, labels: own } = server.metadata
  const mine = pods.filter(({ metadata }) => metadata.labels?.[labels.server] === own?.[labels.server])
  const endpoint = endpoints.find(({ metadata }) => metadata.name === name)
  const undated = (status: TServerStatus | undefined): object => ({ ...status, conditions: status?.conditions?.map((fact) => ({ ...fact, lastTransitionTime: '' })) })
  return [
    ...(endpoint === undefined || isDeepStrictEqual(endpoint['status']?.pods, endpointPods(mine)) ? [] : [`TEndpoint ${name} tells of other pods than there are: ${bothWays(endpoint['status']?.pods, endpointPods(mine))}`]),
    ...(isDeepStrictEqual(undated(server.status), undated(serverStatus(server, mine as never, nowhere, ''))) ? [] : [`the status of TServer ${name} is not true: ${bothWays(undated(server.status), undated(serverStatus(server, mine as never, nowhere, '')))}`]),
  ]
}

/** Every pod that callers were told of and that ended is on record. */
function recordFaults({ metadata: { name } }: TServer, { records, endpoints }: Snapshot, observer: Pick<Observer, 'endedOf'>): string[] {
  const [record, endpoint] = [records, endpoints].map((list) => list.find(({ metadata }) => metadata.name === name))
  if (record === undefined || endpoint === undefined) return []
  const recorded = (record['pods'] as { uid: string }[]).map((pod) => pod.uid)
  const missing = observer.endedOf(endpoint.metadata.uid ?? '').filter((pod) => !recorded.includes(pod.uid))
  return [
    ...(missing.length === 0 ? [] : [`TExitedRecord ${name} knows nothing of ${missing.map((pod) => pod.name).join(', ')}`]),
    ...(new Set(recorded).size === recorded.length ? [] : [`TExitedRecord ${name} has pods twice`]),
  ]
}

/** Its StatefulSet was not made anew without a reason. */
function setFaults({ metadata: { name, uid = '' } }: TServer, { known }: Space, observer: Pick<Observer, 'setsOf'>): string[] {
  const allowed = known.servers.get(name)?.sets ?? 0
  const made = observer.setsOf(uid)
  return made <= allowed ? [] : [`TServer ${name} has had ${made} StatefulSets, and reasons for ${allowed}`]
}

/** Of every file one version is in force, the one that was activated last; those before it are kept as far as the history goes. */
function configFaults({ known }: Space, { configs }: Snapshot): string[] {
  const all = configs as unknown as readonly TConfig[]
  const strangers = all.filter(({ configName }) => !known.files.has(configName)).map(({ metadata }) => `TConfig ${metadata.name} was not asked for`)
  return [...strangers, ...[...known.files].flatMap(([file, { versions, old }]: readonly [string, KnownFile]) => {
    const present = all.filter(({ configName }) => configName === file)
    const active = present.filter(({ activated }) => activated).map(({ metadata }) => metadata.name)
    const wanted = versions.at(-1)?.name
    const kept = new Set(present.map(({ metadata }) => metadata.name))
    const contents = new Map([...versions, ...old].map(({ name, content }) => [name, content]))
    return [
      ...(active.length === 1 && active[0] === wanted ? [] : [`of ${file} the versions ${active.join(', ') || 'none'} are in force instead of ${wanted ?? 'none'}`]),
      ...versions.filter(({ name }) => !kept.has(name)).map(({ name }) => `TConfig ${name} of ${file} is lost`),
      ...present.filter(({ metadata, configContent }) => contents.get(metadata.name) !== configContent).map(({ metadata }) => `TConfig ${metadata.name} of ${file} has another content`),
      ...(present.length <= versions.length ? [] : [`${file} has ${present.length} versions instead of ${versions.length}`]),
    ]
  })]
}

function otherFaults({ known }: Space, { templates, accounts, images, frameworks, trees, servers }: Snapshot): string[] {
  const tree = trees[0] as unknown as TTree | undefined
  const listed = tree?.apps.map(({ name }) => name) ?? []
  const missing = [...new Set((servers as unknown as TServer[]).map(({ spec }) => spec.app))].filter((app) => !listed.includes(app))
  return [
    ...compared('TTemplate', [...known.templates.keys()], templates.filter(({ metadata }) => metadata.name.startsWith('demo.')), (name, { spec }) => (spec.content === known.templates.get(name) ? [] : ['has another content'])),
    ...compared('TAccount', [...known.accounts].map(accountName), accounts, (_name, { spec }) => (/^.{60}$/.test(spec.authentication.bcryptPassword ?? '') && spec.authentication.password === undefined ? [] : ['has no hash instead of its password'])),
    ...compared('TImage', [...known.images.keys()], images, (name, { releases }) => (isDeepStrictEqual((releases as { id: string }[]).map(({ id }) => id), known.images.get(name)) ? [] : ['has other releases'])),
    ...(frameworks.length === 1 && frameworks[0]?.['nodeImage']?.image === known.nodeImage ? [] : [`the node image is ${String(frameworks[0]?.['nodeImage']?.image)} instead of ${String(known.nodeImage)}`]),
    ...missing.map((app) => `application ${app} is not in the tree`),
    ...(new Set(listed).size === listed.length ? [] : ['the tree lists an application twice']),
  ]
}

function eventFaults({ events }: Snapshot): string[] {
  return events.filter((event) => event['source']?.component === 'tarscontroller' && Number(event['count']) > MOST_TOLD)
    .map((event) => `${event['involvedObject'].name as string} was told ${String(event['count'])} times: ${String(event['message'])}`)
}

/** Those that are missing, that should not be there, that are on their way out, or that `judge` finds wrong. */
function compared(kind: string, wanted: readonly string[], present: readonly AnyObject[], judge: (name: string, object: AnyObject) => readonly string[]): string[] {
  const names = present.map(({ metadata }) => metadata.name)
  return [
    ...wanted.filter((name) => !names.includes(name)).map((name) => `${kind} ${name} is missing`),
    ...present.flatMap((object) => {
      const { name, deletionTimestamp } = object.metadata
      if (!wanted.includes(name)) return [`${kind} ${name} should not be there`]
      if (deletionTimestamp !== undefined) return [`${kind} ${name} is being deleted`]
      return judge(name, object).map((fault) => `${kind} ${name}: ${fault}`)
    }),
  ]
}

/** Where `actual` does not hold what is desired, by the same rule as the controller; the innermost fields. */
function differences(actual: unknown, desired: unknown, path: string): string[] {
  if (contains(actual, desired)) return []
  if (typeof desired === 'object' && desired !== null && typeof actual === 'object' && actual !== null && Array.isArray(actual) === Array.isArray(desired)) {
    const inner = Object.entries(desired).flatMap(([field, value]) => differences((actual as Record<string, unknown>)[field], value, path === '' ? field : `${path}.${field}`))
    if (inner.length > 0) return inner
  }
  return [`${path} is ${JSON.stringify(actual)?.slice(0, 200)} instead of ${JSON.stringify(desired)?.slice(0, 200)}`]
}

function bothWays(actual: unknown, desired: unknown): string {
  return [...differences(actual, desired, 'status'), ...differences(desired, actual, 'truth')].join('; ') || `${JSON.stringify(actual)} instead of ${JSON.stringify(desired)}`
}
