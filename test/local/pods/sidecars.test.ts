// Init containers that go on (Kubernetes, "Sidecar Containers").
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import type { AnyObject } from '#kube/types.ts'
import { podReady, podRestarts, podStatus } from '../../../framework/local/apiserver/table/pod-columns.ts'
import { podResource } from '../../../framework/local/pods/kinds.ts'
import type { Container, Pod } from '../../../framework/local/pods/kinds.ts'
import { isReadyPod, namespace, podOf, podWhen, says, startRig, statusOf } from './rig.ts'
import type { Rig } from './rig.ts'

let rig: Rig
beforeAll(async () => {
  rig = await startRig()
})
afterAll(() => rig?.stop())

const run = (pod: Pod) => rig.client.create(podResource, pod)
const gone = async (name: string, gracePeriodSeconds = 0) => {
  await rig.client.delete(podResource, { namespace, name }, { gracePeriodSeconds })
  await podWhen(rig.client, name, (pod) => pod === undefined)
}
const volumeMounts = [{ name: 'w', mountPath: '/w' }]
const shared = (name: string) => {
  mkdirSync(join(rig.dir, name))
  return [{ name: 'w', hostPath: { path: join(rig.dir, name) } }]
}
const init = (name: string, script: string, more: Partial<Container> = {}): Container => ({ name, image: rig.image, command: ['sh', '-c', script], volumeMounts, ...more })
const sidecar = (name: string, script: string, more: Partial<Container> = {}): Container => init(name, script, { restartPolicy: 'Always', ...more })
/** Runs until it is told to end, and then tells who it was. */
const lasting = (name: string, before = '') => `trap '${before}echo ${name} >> /w/ends; exit 0' TERM; echo ${name} up; sleep 1000 & wait`
const conditionOf = (pod: Pod | undefined, type: string) => pod?.status?.conditions?.find((condition) => condition.type === type)
const row = (pod: Pod | undefined) => [podReady, podStatus, podRestarts].map((column) => column(pod as unknown as AnyObject).replace(/ \(.*/, '')).join(' ')

test('what comes after one waits for its startup probe, and not for its end; they end after all others, the last first', async () => {
  let answer = 503
  const service = createServer((_, response) => response.writeHead(answer).end()).listen(0, '127.0.0.1')
  await once(service, 'listening')
  onTestFinished(() => void service.close())
  const startupProbe = { httpGet: { host: '127.0.0.1', port: (service.address() as AddressInfo).port }, periodSeconds: 1, failureThreshold: 100 }
  const initContainers = [sidecar('first', lasting('first'), { startupProbe }), init('setup', 'echo set up'), sidecar('second', lasting('second'))]
  await run(podOf('staged', rig.image, lasting('main', 'sleep 0.3; '), { container: { volumeMounts }, spec: { initContainers, volumes: shared('staged') } }))
  const starting = await podWhen(rig.client, 'staged', (pod) => statusOf(pod, 'first')?.state.running !== undefined)
  expect(statusOf(starting, 'first')).toMatchObject({ started: false, ready: false })
  expect(statusOf(starting, 'setup')?.state).toEqual({ waiting: { reason: 'PodInitializing' } })
  expect(starting?.status?.phase).toBe('Pending')
  expect(conditionOf(starting, 'Initialized')).toMatchObject({ status: 'False', message: 'containers with incomplete status: [first setup second]' })
  expect(row(starting)).toBe('0/3 Init:0/3 0')

  answer = 200
  const ready = await podWhen(rig.client, 'staged', isReadyPod)
  expect(['first', 'second'].map((name) => statusOf(ready, name))).toMatchObject([{ started: true, ready: true }, { started: true, ready: true }])
  expect(statusOf(ready, 'setup')).toMatchObject({ ready: true, state: { terminated: { exitCode: 0 } } })
  expect(conditionOf(ready, 'Initialized')?.status).toBe('True')
  expect(row(ready)).toBe('3/3 Running 0')
  for (const [container, text] of [['first', 'first up'], ['second', 'second up'], ['main', 'main up']] as const) await says(rig, 'staged', text, container)
  await gone('staged', 20)
  expect(readFileSync(join(rig.dir, 'staged/ends'), 'utf8')).toBe('main\nsecond\nfirst\n')
})

test('one that ends starts again, and the pod is unready meanwhile; what was said of the service stays', async () => {
  const volumes = shared('again')
  const dying = 'if [ -e /w/once ]; then sleep 1000; fi; touch /w/once; while [ ! -e /w/die ]; do sleep 0.05; done; exit 3'
  await run(podOf('again', rig.image, lasting('main'), { container: { volumeMounts }, spec: { initContainers: [sidecar('proxy', dying)], volumes, readinessGates: [{ conditionType: 'tars.io/active' }] } }))
  await podWhen(rig.client, 'again', (pod) => statusOf(pod)?.state.running !== undefined)
  await rig.client.patch(podResource, { namespace, name: 'again' }, { status: { conditions: [{ type: 'tars.io/active', status: 'True', reason: 'Active/Active/7' }] } }, { type: 'strategic', subresource: 'status' })
  await podWhen(rig.client, 'again', isReadyPod)
  writeFileSync(join(rig.dir, 'again/die'), '')
  const down = await podWhen(rig.client, 'again', (pod) => statusOf(pod, 'proxy')?.state.waiting?.reason === 'CrashLoopBackOff' || statusOf(pod, 'proxy')?.restartCount === 1)
  expect(statusOf(down, 'proxy')?.lastState.terminated).toMatchObject({ exitCode: 3 })
  const up = await podWhen(rig.client, 'again', (pod) => statusOf(pod, 'proxy')?.restartCount === 1 && isReadyPod(pod))
  expect(conditionOf(up, 'tars.io/active')?.reason).toBe('Active/Active/7')
  expect(statusOf(up)?.restartCount).toBe(0)
  expect(row(up)).toBe('2/2 Running 1')
  await gone('again')
})

test('the pod is over when the others are, however its sidecars end', async () => {
  const initContainers = [sidecar('proxy', 'if [ -e /w/once ]; then trap "exit 7" TERM; touch /w/twice; sleep 1000 & wait; fi; touch /w/once; exit 5')]
  await run(podOf('job', rig.image, 'while [ ! -e /w/twice ]; do sleep 0.05; done; echo done', { container: { volumeMounts }, spec: { initContainers, volumes: shared('job'), restartPolicy: 'Never' } }))
  const pod = await podWhen(rig.client, 'job', (seen) => seen?.status?.phase === 'Succeeded' || seen?.status?.phase === 'Failed')
  expect(pod?.status?.phase).toBe('Succeeded')
  expect(statusOf(pod, 'proxy')).toMatchObject({ restartCount: 1, state: { terminated: { exitCode: 7 } } })
  expect(row(pod)).toBe('0/2 Completed 1')
  await gone('job')
})

test('one goes with an init container that fails for good', async () => {
  const initContainers = [sidecar('proxy', lasting('proxy')), init('broken', 'exit 255')]
  await run(podOf('barred', rig.image, 'echo never', { spec: { initContainers, volumes: shared('barred'), restartPolicy: 'Never' } }))
  const pod = await podWhen(rig.client, 'barred', (seen) => seen?.status?.phase === 'Failed')
  expect(statusOf(pod, 'proxy')?.state.terminated).toMatchObject({ exitCode: 0 })
  expect(statusOf(pod)?.state).toEqual({ waiting: { reason: 'PodInitializing' } })
  await gone('barred')
})
