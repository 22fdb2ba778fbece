import { describe, expect, test } from 'vitest'
import type { Node, Pod } from '../../../framework/local/pods/kinds.ts'
import type { DaemonSet, StatefulSet, StatefulSetSpec } from '../../../framework/local/workloads/kinds.ts'
import { planDaemonSet } from '../../../framework/local/workloads/daemonset.ts'
import { obstacle } from '../../../framework/local/workloads/schedule.ts'
import { matches, selectorText } from '../../../framework/local/workloads/selector.ts'
import { planStatefulSet, statefulStatus } from '../../../framework/local/workloads/stateful-plan.ts'
import { statefulClaims, statefulPod } from '../../../framework/local/workloads/stateful-pod.ts'

const labels = { app: 'x' }
const template = { metadata: { labels }, spec: { containers: [{ name: 'c' }] } }

function set(spec: Partial<StatefulSetSpec> = {}): StatefulSet {
  return { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 's', namespace: 'n', uid: 'u', generation: 3 }, spec: { selector: { matchLabels: labels }, serviceName: 's', template, ...spec } }
}

type PodState = 'ready' | 'starting' | 'terminating' | 'failed'

function pod(ordinal: number, revision = 'new', state: PodState = 'ready'): Pod {
  const isReady = state === 'ready'
  return {
    apiVersion: 'v1', kind: 'Pod',
    metadata: { name: `s-${ordinal}`, namespace: 'n', labels: { ...labels, 'controller-revision-hash': revision }, ...(state === 'terminating' ? { deletionTimestamp: 'now' } : {}) },
    spec: template.spec,
    status: { phase: state === 'failed' ? 'Failed' : 'Running', conditions: [{ type: 'Ready', status: isReady ? 'True' : 'False' }] },
  }
}

/** `+o:revision` for pods to make, `-o` for pods to remove. */
function plan(target: StatefulSet, pods: readonly Pod[], revisions = { update: 'new', current: 'old' }): string[] {
  const { create, remove } = planStatefulSet(target, pods, revisions)
  return [...create.map(({ ordinal, revision }) => `+${ordinal}:${revision}`), ...remove.map(({ metadata }) => `-${metadata.name.slice(2)}`)]
}

describe('OrderedReady', () => {
  const ordered = (spec: Partial<StatefulSetSpec>) => set({ podManagementPolicy: 'OrderedReady', ...spec })
  test('makes one pod at a time, each when the one before is ready', () => {
    expect(plan(ordered({ replicas: 3 }), [])).toEqual(['+0:new'])
    expect(plan(ordered({ replicas: 3 }), [pod(0, 'new', 'starting')])).toEqual([])
    expect(plan(ordered({ replicas: 3 }), [pod(0)])).toEqual(['+1:new'])
    expect(plan(ordered({ replicas: 3 }), [pod(0), pod(1, 'new', 'terminating')])).toEqual([])
  })
  test('scales down from the highest ordinal, one at a time', () => {
    expect(plan(ordered({ replicas: 1 }), [pod(0), pod(1), pod(2)])).toEqual(['-2'])
    expect(plan(ordered({ replicas: 1 }), [pod(0), pod(1), pod(2, 'new', 'terminating')])).toEqual([])
    expect(plan(ordered({ replicas: 1 }), [pod(0), pod(1)])).toEqual(['-1'])
  })
  test('a broken pod of an old template does not block its replacement', () => {
    expect(plan(ordered({ replicas: 2 }), [pod(0, 'bad', 'starting')])).toEqual(['-0'])
  })
})

describe('Parallel', () => {
  const parallel = (spec: Partial<StatefulSetSpec>) => set({ podManagementPolicy: 'Parallel', ...spec })
  test('makes and removes at once', () => {
    expect(plan(parallel({ replicas: 3 }), [])).toEqual(['+0:new', '+1:new', '+2:new'])
    expect(plan(parallel({ replicas: 1 }), [pod(0), pod(1), pod(2)])).toEqual(['-2', '-1'])
    expect(plan(parallel({ replicas: 2, ordinals: { start: 5 } }), [pod(0)])).toEqual(['+5:new', '+6:new', '-0'])
  })
  test('a pod that is over is replaced', () => {
    expect(plan(parallel({ replicas: 1 }), [pod(0, 'new', 'failed')])).toEqual(['-0'])
  })
})

describe('updates', () => {
  const olds = [0, 1, 2].map((ordinal) => pod(ordinal, 'old'))
  test('RollingUpdate goes down from the highest ordinal, waiting for each to be ready', () => {
    const target = set({ replicas: 3, podManagementPolicy: 'Parallel' })
    expect(plan(target, olds)).toEqual(['-2'])
    expect(plan(target, [...olds.slice(0, 2), pod(2, 'new', 'starting')])).toEqual([])
    expect(plan(target, [...olds.slice(0, 2), pod(2)])).toEqual(['-1'])
  })
  test('a partition keeps the lower ordinals, also when they are made again', () => {
    const target = set({ replicas: 3, podManagementPolicy: 'Parallel', updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 2 } } })
    expect(plan(target, olds)).toEqual(['-2'])
    expect(plan(target, [olds[0] as Pod, olds[1] as Pod, pod(2)])).toEqual([])
    expect(plan(target, [olds[1] as Pod, pod(2)])).toEqual(['+0:old'])
  })
  test('pods without the volumes of new claims stay until somebody deletes them', () => {
    const target = set({ replicas: 2, podManagementPolicy: 'Parallel', volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: {} }] })
    const claiming = (one: Pod): Pod => ({ ...one, spec: { ...one.spec, volumes: [{ name: 'data' }] } })
    expect(plan(target, olds.slice(0, 2))).toEqual([])
    expect(plan(target, [olds[1] as Pod])).toEqual(['+0:new'])
    expect(plan(target, [claiming(pod(0)), claiming(olds[1] as Pod)])).toEqual(['-1'])
  })
  test('OnDelete touches nothing, and makes what was deleted from the new template', () => {
    const target = set({ replicas: 3, podManagementPolicy: 'Parallel', updateStrategy: { type: 'OnDelete' } })
    expect(plan(target, olds)).toEqual([])
    expect(plan(target, olds.slice(1))).toEqual(['+0:new'])
  })
  test('status counts by revision; the update is current when all are there and ready', () => {
    const target = set({ replicas: 2 })
    const half = statefulStatus(target, [pod(0, 'old'), pod(1, 'new', 'starting')], { update: 'new', current: 'old' }, 0)
    expect(half).toEqual({ observedGeneration: 3, replicas: 2, readyReplicas: 1, availableReplicas: 1, currentReplicas: 1, updatedReplicas: 1, currentRevision: 'old', updateRevision: 'new', collisionCount: 0 })
    expect(statefulStatus(target, [pod(0), pod(1)], { update: 'new', current: 'old' }, 0)).toMatchObject({ currentRevision: 'new', currentReplicas: 2, updatedReplicas: 2 })
  })
})

test('a pod has its identity, and volumes for the claims of its ordinal', () => {
  const target = set({ volumeClaimTemplates: [{ metadata: { name: 'data', labels: { k: 'v' } }, spec: { accessModes: ['ReadWriteOnce'] } }] })
  const made = statefulPod(target, 1, { ...template, spec: { ...template.spec, volumes: [{ name: 'data', emptyDir: {} }, { name: 'x', emptyDir: {} }] } }, 's-abc')
  expect(made.metadata).toMatchObject({ name: 's-1', labels: { app: 'x', 'controller-revision-hash': 's-abc', 'statefulset.kubernetes.io/pod-name': 's-1', 'apps.kubernetes.io/pod-index': '1' } })
  expect(made.spec).toMatchObject({ hostname: 's-1', subdomain: 's', volumes: [{ name: 'x' }, { name: 'data', persistentVolumeClaim: { claimName: 'data-s-1' } }] })
  expect(statefulClaims(target, 1)).toMatchObject([{ metadata: { name: 'data-s-1', namespace: 'n', labels: { k: 'v', app: 'x' } } }])
})

describe('one node', () => {
  const node: Node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'local', labels: { 'kubernetes.io/hostname': 'local', 'tars.io/node.tars': '', size: '5' } } }
  const wants = (spec: Partial<Pod['spec']>): Pod => ({ ...pod(0), spec: { ...template.spec, ...spec } })
  const required = (...terms: { key: string; operator: string; values?: string[] }[][]) => wants({ affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms.map((matchExpressions) => ({ matchExpressions })) } } } })

  test.for([
    [required([{ key: 'tars.io/node.tars', operator: 'Exists' }]), true],
    [required([{ key: 'tars.io/node.other', operator: 'Exists' }]), false],
    [required([{ key: 'tars.io/node.other', operator: 'Exists' }], [{ key: 'size', operator: 'Gt', values: ['4'] }]), true],
    [required([{ key: 'size', operator: 'Lt', values: ['4'] }]), false],
    [required([{ key: 'size', operator: 'In', values: ['5'] }, { key: 'gpu', operator: 'DoesNotExist' }]), true],
    [required([{ key: 'size', operator: 'NotIn', values: ['5'] }]), false],
    [required([]), false],
    [wants({ nodeSelector: { size: '5' } }), true],
    [wants({ nodeSelector: { size: '6' } }), false],
  ] as const)('node affinity %#', ([candidate, fits]) => {
    expect(obstacle(candidate, node, []) === undefined).toBe(fits)
  })

  test('anti-affinity and host ports keep pods apart; a cordoned node takes none', () => {
    const apart = wants({ affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ labelSelector: { matchLabels: labels }, topologyKey: 'kubernetes.io/hostname', namespaces: ['n'] }] } } })
    expect(obstacle(apart, node, [])).toBeUndefined()
    expect(obstacle(apart, node, [pod(1)])).toMatch(/anti-affinity/)
    const port = wants({ containers: [{ name: 'c', ports: [{ containerPort: 1, hostPort: 8080 }] }] })
    expect(obstacle(port, node, [port])).toMatch(/ports/)
    expect(obstacle(pod(0), { ...node, spec: { unschedulable: true } }, [])).toMatch(/unschedulable/)
  })

  test('a DaemonSet has one pod where the node fits, none where it does not', () => {
    const daemon = { ...set(), kind: 'DaemonSet' } as unknown as DaemonSet
    expect(planDaemonSet(daemon, [], 'new', true)).toEqual({ create: true, remove: [] })
    expect(planDaemonSet(daemon, [pod(0)], 'new', true)).toEqual({ create: false, remove: [] })
    expect(planDaemonSet(daemon, [pod(0, 'old')], 'new', true).remove).toHaveLength(1)
    expect(planDaemonSet(daemon, [pod(0, 'old', 'terminating')], 'new', true)).toEqual({ create: false, remove: [] })
    expect(planDaemonSet(daemon, [pod(0), pod(1, 'old')], 'new', true).remove.map(({ metadata }) => metadata.name)).toEqual(['s-1'])
    expect(planDaemonSet(daemon, [pod(0)], 'new', false).remove).toHaveLength(1)
    expect(planDaemonSet({ ...daemon, spec: { ...daemon.spec, updateStrategy: { type: 'OnDelete' } } }, [pod(0, 'old')], 'new', true).remove).toEqual([])
  })
})

test('selectors: objects and their text', () => {
  const selector = { matchLabels: { a: '1' }, matchExpressions: [{ key: 'b', operator: 'In', values: ['x', 'y'] }, { key: 'c', operator: 'DoesNotExist' }] }
  expect(selectorText(selector)).toBe('a=1,b in (x,y),!c')
  expect(matches(selector, { a: '1', b: 'y' })).toBe(true)
  expect(matches(selector, { a: '1', b: 'y', c: '' })).toBe(false)
})
