import { describe, expect, test } from 'vitest'
import { endpointPods, podState } from '../../framework/controller/desired/pod-state.ts'
import { serverStatus as statusIn } from '../../framework/controller/desired/server-status.ts'
import type { Surroundings } from '../../framework/controller/desired/trouble.ts'
import { tarsServer, unreleased } from './fixtures.ts'

const surroundings: Surroundings = { nodes: [{ metadata: { labels: { 'tars.io/node.ns': '', 'tars.io/ability.ns.Demo': '' } } }], storageClasses: new Set(['fast', 'tars-storage-class']), set: undefined }
const serverStatus = (server: Parameters<typeof statusIn>[0], pods: Parameters<typeof statusIn>[1], now: string, changes: Partial<Surroundings> = {}) => statusIn(server, pods, { ...surroundings, ...changes }, now)
const condition = (type: string, status = 'True', reason?: string, message?: string) => ({ type, status, ...(reason === undefined ? {} : { reason }), ...(message === undefined ? {} : { message }) })
const started = [condition('PodScheduled'), condition('Initialized'), condition('ContainersReady')]
const pod = (conditions: object[], more: object = {}) => ({ metadata: { uid: 'u', name: 'demo-hello-0', ...more }, status: { conditions: conditions as never } })

describe('state of a pod (control-plane spec C.5)', () => {
  test.each([
    ['is going', pod(started, { deletionTimestamp: '2024-01-01T00:00:00Z' }), { settingState: 'Active', presentState: 'Terminating' }],
    ['is ready without report', pod([...started, condition('Ready')]), { settingState: 'Active', presentState: 'Active' }],
    ['is ready and reported', pod([...started, condition('Ready'), condition('tars.io/active', 'True', 'Active/Active/42')]), { settingState: 'Active', presentState: 'Active', pid: '42' }],
    ['has no node', pod([condition('PodScheduled', 'False', 'Unschedulable', '0/3 nodes')]), { settingState: 'Active', presentState: 'Unschedulable', presentMessage: '0/3 nodes' }],
    ['starts', pod([condition('PodScheduled'), condition('Initialized'), condition('ContainersReady', 'False', 'ContainersNotReady', 'unready')]), { settingState: 'Active', presentState: 'ContainersNotReady', presentMessage: 'unready' }],
    ['was stopped by hand', pod([...started, condition('Ready', 'False', 'ReadinessGatesNotReady'), condition('tars.io/active', 'False', 'Inactive/Inactive/0', 'stopped')]), { settingState: 'Inactive', presentState: 'Inactive', pid: '0', presentMessage: 'stopped' }],
    ['crashes', pod([...started, condition('tars.io/active', 'False', 'Active/Activating/7', 'exited with 1, 5th time')]), { settingState: 'Active', presentState: 'Activating', pid: '7', presentMessage: 'exited with 1, 5th time' }],
    ['is Active while Kubernetes has not caught up', pod([...started, condition('Ready', 'False', 'ReadinessGatesNotReady'), condition('tars.io/active', 'True', 'Active/Active/42')]), { settingState: 'Active', presentState: 'Active', pid: '42' }],
    ['was Active in a container that died', pod([condition('PodScheduled'), condition('Initialized'), condition('ContainersReady', 'False', 'ContainersNotReady'), condition('tars.io/active', 'True', 'Active/Active/42')]), { settingState: 'Active', presentState: 'ContainersNotReady' }],
    ['was Active on a machine that died', pod([...started, condition('Ready', 'False'), condition('tars.io/active', 'True', 'Active/Active/42')]), { settingState: 'Active', presentState: 'NodeLost', presentMessage: 'Kubernetes hears nothing of its node' }],
    ['reports nonsense', pod([...started, condition('tars.io/active', 'False', 'a/b/c/d')]), { settingState: 'Unknown', presentState: 'Unknown' }],
    ['has only begun', pod([]), { settingState: 'Active', presentState: 'Pending' }],
  ])('a pod that %s', (_what, given, expected) => {
    expect(podState(given)).toEqual(expected)
  })

  test('says why a container waits', () => {
    const given = { ...pod([condition('ContainersReady', 'False', 'ContainersNotReady', 'unready')]) }
    const containerStatuses = [{ name: 'demo-hello', image: 'i', imageID: '', ready: false, restartCount: 3, state: { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 40s' } } }]
    expect(podState({ ...given, status: { ...given.status, containerStatuses } }).presentMessage).toBe('unready; demo-hello: CrashLoopBackOff: back-off 40s')
  })

  test('pods are listed by number', () => {
    const pods = ['x-10', 'x-2', 'x-1'].map((name) => ({ metadata: { name, uid: name } }))
    expect(endpointPods(pods).map(({ name }) => name)).toEqual(['x-1', 'x-2', 'x-10'])
  })

  test('what is written is what the CRD keeps: a container that its node lost has times that are null', () => {
    const lost = { exitCode: 137, reason: 'ContainerStatusUnknown', startedAt: null, finishedAt: null } as never
    const containerStatuses = [{ name: 'demo-hello', image: 'i', imageID: '', ready: false, restartCount: 0, state: { terminated: lost }, lastState: {} }]
    const [shown] = endpointPods([{ metadata: { uid: 'u', name: 'demo-hello-0' }, status: { containerStatuses } }])
    expect(shown?.containerStatuses).toEqual([{ ...containerStatuses[0], state: { terminated: { exitCode: 137, reason: 'ContainerStatusUnknown' } } }])
  })
})

describe('status of a server (control-plane spec C.6)', () => {
  const ready = { metadata: { name: 'a', labels: { 'tars.io/ServerID': 'v1' } }, status: { conditions: [condition('Ready')] as never } }
  const facts = (status: ReturnType<typeof serverStatus>) => Object.fromEntries((status.conditions ?? []).map(({ type, status: holds, reason }) => [type, `${holds} ${reason}`]))

  test('all pods ready', () => {
    const status = serverStatus(tarsServer({}, { generation: 3 }), [ready], 'now')
    expect(status).toMatchObject({ replicas: 1, readyReplicas: 1, currentReplicas: 1, observedGeneration: 3, selector: 'tars.io/ServerApp=Demo,tars.io/ServerName=Hello,!tars.io/ServerVariant' })
    expect(facts(status)).toEqual({ Released: 'True Released', Available: 'True PodsReady', Progressing: 'False Settled', Degraded: 'False AsExpected' })
  })

  test('nothing released', () => {
    expect(facts(serverStatus(unreleased(tarsServer()), [], 'now'))).toEqual({ Released: 'False NoRelease', Available: 'False NoPodsWanted', Progressing: 'False Settled', Degraded: 'False AsExpected' })
  })

  test('a crash loop is named', () => {
    const crashing = { metadata: { name: 'a-0', labels: { 'tars.io/ServerID': 'v1' } }, status: { conditions: [condition('ContainersReady', 'False', 'ContainersNotReady')] as never, containerStatuses: [{ name: 'c', image: '', imageID: '', ready: false, restartCount: 2, state: { waiting: { reason: 'CrashLoopBackOff' } } }] } }
    const degraded = serverStatus(tarsServer(), [crashing], 'now').conditions?.find(({ type }) => type === 'Degraded')
    expect(degraded).toMatchObject({ status: 'True', reason: 'PodsInTrouble', message: '1 of 1 pods are in trouble; a-0: ContainersNotReady: c: CrashLoopBackOff' })
  })

  describe('a cause that only the cluster shows is named, with what to do', () => {
    const homeless = pod([condition('PodScheduled', 'False', 'Unschedulable', '0/1 nodes are available')])
    const mount = (source: object): never => ({ k8s: { mounts: [{ name: 'data', mountPath: '/data', source }] } }) as never
    const claim = (storageClassName: string): never => mount({ persistentVolumeClaimTemplate: { spec: { accessModes: ['ReadWriteOnce'], storageClassName, resources: {} } } })
    const nodes = (...labels: string[]): Partial<Surroundings> => ({ nodes: [{ metadata: { labels: Object.fromEntries(labels.map((label) => [label, ''])) } }] })
    test.each([
      ['no node has the label', tarsServer(), nodes(), 'NodeLabelMissing', 'no node has the label tars.io/node.ns: kubectl label node <node> tars.io/node.ns='],
      ['no node is able', tarsServer({ k8s: { abilityAffinity: 'ServerRequired' } }), {}, 'NodeLabelMissing', 'no node with tars.io/node.ns has the label tars.io/ability.ns.Demo-Hello: kubectl label node <node> tars.io/ability.ns.Demo-Hello='],
      ['an ability of the application is enough, but volumes are not', tarsServer({ k8s: { abilityAffinity: 'AppRequired', ...(mount({ tLocalVolume: {} }) as { k8s: object }).k8s } }), {}, 'NodeLabelMissing', 'no node with tars.io/node.ns and tars.io/ability.ns.Demo has the label tars.io/SupportLocalVolume: kubectl'],
      ['there is no storage class', tarsServer(claim('slow')), {}, 'StorageClassMissing', 'there is no StorageClass slow, which volume data asks for: create it, or name another one in spec.k8s.mounts'],
      ['there is no storage class of ours', tarsServer(mount({ tLocalVolume: {} })), { storageClasses: new Set<string>() }, 'StorageClassMissing', 'there is no StorageClass tars-storage-class, which volume data asks for: the chart tarscontroller has it'],
      ['nodes and classes are not for us to see', tarsServer(claim('slow')), { nodes: undefined, storageClasses: undefined }, 'PodsInTrouble', 'demo-hello-0: Unschedulable: 0/1 nodes are available'],
      ['the scheduler knows better', tarsServer(claim('fast')), {}, 'PodsInTrouble', 'demo-hello-0: Unschedulable: 0/1 nodes are available'],
    ] as const)('%s', (_what, server, changes, reason, text) => {
      const degraded = serverStatus(server, [homeless], 'now', changes).conditions?.find(({ type }) => type === 'Degraded')
      expect(degraded).toMatchObject({ status: 'True', reason, message: expect.stringContaining(text) as string })
      expect(degraded?.message).toContain('0/1 nodes are available')
    })

    const waiting = (name: string, reason: string) => ({ ...pod([condition('PodScheduled')]), status: { conditions: [condition('PodScheduled')] as never, containerStatuses: [{ name, image: 'r.test/a:1', imageID: '', ready: false, restartCount: 0, state: { waiting: { reason, message: '401 Unauthorized' } } }] } })
    test.each([
      ['by no secret', tarsServer(), 'demo-hello', 'ErrImagePull', 'image r.test/a:1: it was pulled with no Secret of the server: name one in spec.release.secret'],
      ['by a secret', tarsServer({ release: { id: 'v1', image: 'r.test/a:1', secret: 'push' } }), 'demo-hello', 'ImagePullBackOff', 'it was pulled with Secret push (spec.release.secret): see that it exists, is of type kubernetes.io/dockerconfigjson and is good for this registry: kubectl -n ns get secret push'],
      ['of the node image', tarsServer({ release: { id: 'v1', image: 'r.test/a:1', secret: 'push', nodeImage: 'n', nodeSecret: 'node-pull' } }), 'tarsnode', 'ErrImagePull', 'Secret node-pull (spec.release.nodeSecret)'],
    ] as const)('an image that cannot be pulled %s', (_what, server, container, reason, text) => {
      expect(serverStatus(server, [waiting(container, reason)], 'now').conditions?.find(({ type }) => type === 'Degraded')).toMatchObject({ status: 'True', reason: 'ImagePullFailed', message: expect.stringContaining(text) as string })
    })
  })

  test('a condition keeps its time while its answer stays', () => {
    const first = serverStatus(tarsServer(), [ready], 'then')
    const second = serverStatus({ ...tarsServer(), status: first }, [ready], 'now')
    expect(second).toEqual(first)
  })
})
