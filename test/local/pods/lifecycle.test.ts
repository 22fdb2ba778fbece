import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { events } from '#kube/resources.ts'
import { eventually } from '../../rig/eventually.ts'
import { podResource } from '../../../framework/local/pods/kinds.ts'
import type { Pod } from '../../../framework/local/pods/kinds.ts'
import { isReadyPod, logOf, namespace, podOf, podWhen, pushImage, busyboxLayer, says, startRig, statusOf } from './rig.ts'
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
const untilSignalled = 'trap "exit 0" TERM; sleep 1000 & wait'

test('a crash loop: restarts with growing delays, the exit code in lastState, the reason in waiting', async () => {
  await run(podOf('crash', rig.image, 'echo run; exit 7'))
  const pod = await podWhen(rig.client, 'crash', (seen) => (statusOf(seen)?.restartCount ?? 0) >= 2 && statusOf(seen)?.state.waiting?.reason === 'CrashLoopBackOff')
  const status = statusOf(pod)
  expect(status?.state.waiting?.message).toMatch(/^back-off 0\.\ds restarting failed container=main pod=crash_tars\(/)
  expect(status?.lastState.terminated).toMatchObject({ exitCode: 7, reason: 'Error', startedAt: expect.stringMatching(/Z$/), finishedAt: expect.stringMatching(/Z$/) })
  expect(pod?.status?.phase).toBe('Running')
  expect(pod?.status?.conditions?.find(({ type }) => type === 'ContainersReady')).toMatchObject({ status: 'False', reason: 'ContainersNotReady', message: 'containers with unready status: [main: CrashLoopBackOff]' })
  expect(await logOf(rig, 'crash', { previous: true })).toBe('run\n')
  await eventually(async () => (await rig.client.list(events, { namespace, fieldSelector: 'involvedObject.name=crash' })).items.some((event) => event['reason'] === 'BackOff'), 'the event')
  await gone('crash')
})

test('kill -9 of PID 1 from outside: 137 and the signal, nothing in the log that the program did not write', async () => {
  const pod = await run(podOf('killed', rig.image, 'echo up; sleep 1000 & wait', { spec: { restartPolicy: 'Never' } }))
  await podWhen(rig.client, 'killed', isReadyPod)
  await says(rig, 'killed', 'up')
  const file = join(rig.dir, 'pods/pods', pod.metadata.uid ?? '', 'containers/main/processes.json')
  const [, first] = JSON.parse(readFileSync(file, 'utf8')) as { pid: number }[]
  process.kill(first?.pid ?? 0, 'SIGKILL')
  const ended = await podWhen(rig.client, 'killed', (seen) => seen?.status?.phase === 'Failed')
  expect(statusOf(ended)?.state.terminated).toMatchObject({ exitCode: 137, signal: 9, reason: 'Error' })
  expect(await logOf(rig, 'killed')).toBe('up\n')
  await gone('killed')
})

test('what a container says of its end is in its status, for each run anew, whatever user it runs as', async () => {
  await run(podOf('words', rig.image, '[ -s /dev/termination-log ] || printf "no disk for %s" "$(id -u)" > /dev/termination-log; exit 7', { container: { securityContext: { runAsUser: 7 } } }))
  const pod = await podWhen(rig.client, 'words', (seen) => (statusOf(seen)?.restartCount ?? 0) >= 2 && statusOf(seen)?.lastState.terminated !== undefined)
  expect(statusOf(pod)?.lastState.terminated).toMatchObject({ exitCode: 7, reason: 'Error', message: 'no disk for 7' })
  await gone('words')
  await run(podOf('elsewhere', rig.image, 'printf bye > /tmp/why; exit 7', { container: { terminationMessagePath: '/tmp/why' }, spec: { restartPolicy: 'Never' } }))
  const ended = await podWhen(rig.client, 'elsewhere', (seen) => seen?.status?.phase === 'Failed')
  expect(statusOf(ended)?.state.terminated?.message).toBe('bye')
  await gone('elsewhere')
})

test('an exit code that looks like a signal is an exit code', async () => {
  await run(podOf('code', rig.image, 'exit 137', { spec: { restartPolicy: 'Never' } }))
  const ended = await podWhen(rig.client, 'code', (seen) => seen?.status?.phase === 'Failed')
  expect(statusOf(ended)?.state.terminated?.exitCode).toBe(137)
  expect(statusOf(ended)?.state.terminated?.signal).toBeUndefined()
  await gone('code')
})

test('a program that ends well: Succeeded, Completed, not started again', async () => {
  await run(podOf('done', rig.image, 'echo well', { spec: { restartPolicy: 'OnFailure' } }))
  const pod = await podWhen(rig.client, 'done', (seen) => seen?.status?.phase === 'Succeeded')
  expect(statusOf(pod)?.state.terminated).toMatchObject({ exitCode: 0, reason: 'Completed' })
  await gone('done')
})

test('a command that is not in the image: StartError with the path that was searched', async () => {
  await run(podOf('typo', rig.image, '', { container: { command: ['no-such-program'] }, spec: { restartPolicy: 'Never' } }))
  const pod = await podWhen(rig.client, 'typo', (seen) => seen?.status?.phase === 'Failed')
  expect(statusOf(pod)?.state.terminated).toMatchObject({ exitCode: 128, reason: 'StartError', message: expect.stringContaining('no executable "no-such-program" on PATH') })
  await gone('typo')
})

test('deletion: SIGTERM to PID 1, then the object and the files go', async () => {
  await run(podOf('polite', rig.image, `trap "echo bye; exit 3" TERM; echo up; sleep 1000 & wait`))
  await podWhen(rig.client, 'polite', isReadyPod)
  await says(rig, 'polite', 'up')
  const followed = logOf(rig, 'polite', { follow: true })
  await gone('polite', 20)
  expect(await followed).toBe('up\nbye\n')
})

test('deletion: SIGKILL when the grace period is over', async () => {
  await run(podOf('deaf', rig.image, '', { container: { command: ['sleep', '1000'] }, spec: { terminationGracePeriodSeconds: 1 } }))
  await podWhen(rig.client, 'deaf', isReadyPod)
  const began = Date.now()
  await gone('deaf', 1)
  expect(Date.now() - began).toBeGreaterThanOrEqual(900)
})

test('a container that was told to end while its image was pulled does not begin', async () => {
  const asked = Promise.withResolvers<void>()
  const answer = Promise.withResolvers<void>()
  const registry = createServer((incoming, response) => {
    asked.resolve()
    const { method, url, headers } = incoming
    void answer.promise.then(() => request({ host: '127.0.0.1', port: Number(rig.registry.address.split(':')[1]), method, path: url, headers }, (given) => given.pipe(response.writeHead(given.statusCode ?? 0, given.headers))).end())
  }).listen(0, '127.0.0.1')
  await once(registry, 'listening')
  onTestFinished(() => void registry.close())
  const image = rig.image.replace(rig.registry.address, `127.0.0.1:${(registry.address() as AddressInfo).port}`)
  await run(podOf('pulling', image, untilSignalled))
  await asked.promise
  await rig.client.delete(podResource, { namespace, name: 'pulling' }, { gracePeriodSeconds: 3 })
  // Pods are seen in order: when this one is ready, the other was told to end.
  await run(podOf('after', rig.image, untilSignalled))
  await podWhen(rig.client, 'after', isReadyPod)
  answer.resolve()
  await podWhen(rig.client, 'pulling', (pod) => pod === undefined)
  await gone('after')
})

test('an image that is not there: ErrImagePull, ImagePullBackOff, and running once it is pushed', async () => {
  const image = `${rig.registry.address}/test/late:v1`
  await run(podOf('late', image, untilSignalled))
  const waiting = await podWhen(rig.client, 'late', (seen) => statusOf(seen)?.state.waiting?.reason === 'ImagePullBackOff')
  expect(statusOf(waiting)?.state.waiting?.message).toContain('does not exist')
  expect(waiting?.status?.phase).toBe('Pending')
  await pushImage(rig.registry.address, 'late', { layers: [await busyboxLayer()] })
  await podWhen(rig.client, 'late', isReadyPod)
  await gone('late')
})

test('init containers run one after the other before the others; a failing one is tried again', async () => {
  const emptyDir = { volumes: [{ name: 'work', emptyDir: {} }] }
  const volumeMounts = [{ name: 'work', mountPath: '/w' }]
  const init = (name: string, script: string) => ({ name, image: rig.image, command: ['sh', '-c', script], volumeMounts })
  const initContainers = [init('one', 'if [ -e /w/tried ]; then echo 1 > /w/one; else touch /w/tried; exit 1; fi'), init('two', 'cat /w/one > /w/two')]
  await run(podOf('staged', rig.image, `cat /w/two; ${untilSignalled}`, { container: { volumeMounts }, spec: { ...emptyDir, initContainers } }))
  const pod = await podWhen(rig.client, 'staged', isReadyPod)
  expect(statusOf(pod, 'one')).toMatchObject({ restartCount: 1, ready: true, state: { terminated: { exitCode: 0 } } })
  expect(pod?.status?.conditions?.find(({ type }) => type === 'Initialized')?.status).toBe('True')
  expect(await says(rig, 'staged', '\n')).toBe('1\n')
  await gone('staged')
})

test('an init container that fails in a pod that is not to restart fails the pod, and nothing else runs', async () => {
  const initContainers = [{ name: 'broken', image: rig.image, command: ['sh', '-c', 'echo no; exit 255'] }]
  await run(podOf('barred', rig.image, 'echo never', { spec: { initContainers, restartPolicy: 'Never' } }))
  const pod = await podWhen(rig.client, 'barred', (seen) => seen?.status?.phase === 'Failed')
  expect(statusOf(pod, 'broken')).toMatchObject({ ready: false, restartCount: 0, state: { terminated: { exitCode: 255, reason: 'Error' } } })
  expect(statusOf(pod)?.state).toEqual({ waiting: { reason: 'PodInitializing' } })
  expect(pod?.status?.conditions?.find(({ type }) => type === 'Initialized')).toMatchObject({ status: 'False', message: 'containers with incomplete status: [broken]' })
  expect(await logOf(rig, 'barred', { container: 'broken' })).toBe('no\n')
  await gone('barred')
})

test('several containers: ready when all are; each has its own log', async () => {
  const second = { name: 'second', image: rig.image, command: ['sh', '-c', `echo two; ${untilSignalled}`] }
  const first = podOf('pair', rig.image, `echo one; ${untilSignalled}`)
  await run({ ...first, spec: { ...first.spec, containers: [...first.spec.containers, second] } })
  const pod = await podWhen(rig.client, 'pair', isReadyPod)
  expect(pod?.status?.containerStatuses).toHaveLength(2)
  await says(rig, 'pair', 'one', 'main')
  await says(rig, 'pair', 'two', 'second')
  const logs = ['main', 'second'].map((container) => logOf(rig, 'pair', { container, follow: true }))
  await gone('pair', 20)
  expect(await Promise.all(logs)).toEqual(['one\n', 'two\n'])
})

test('logs: tail, follow to the end', async () => {
  await run(podOf('talker', rig.image, 'for i in 1 2 3 4 5; do echo line $i; done; echo err >&2; trap "exit 0" TERM; sleep 1000 & wait'))
  await podWhen(rig.client, 'talker', isReadyPod)
  const followed = logOf(rig, 'talker', { follow: true })
  await says(rig, 'talker', 'err')
  expect(await logOf(rig, 'talker', { tailLines: 2 })).toMatch(/^(line 5\nerr|err\nline 5|line 4\nline 5)\n$/)
  await gone('talker')
  expect(await followed).toContain('line 1\nline 2\nline 3\nline 4\nline 5\n')
})

test('readiness gates: the pod is ready when the condition that somebody else writes is True', async () => {
  await run(podOf('gated', rig.image, `touch /tmp/x; ${untilSignalled}`, { spec: { readinessGates: [{ conditionType: 'tars.io/active' }] } }))
  const closed = await podWhen(rig.client, 'gated', (pod) => pod?.status?.conditions?.some(({ type, reason }) => type === 'Ready' && reason === 'ReadinessGatesNotReady') === true)
  expect(closed?.status?.conditions?.find(({ type }) => type === 'ContainersReady')?.status).toBe('True')
  const open = { status: { conditions: [{ type: 'tars.io/active', status: 'True', reason: 'Active/Active/7' }] } }
  await rig.client.patch(podResource, { namespace, name: 'gated' }, open, { type: 'strategic', subresource: 'status' })
  const pod = await podWhen(rig.client, 'gated', isReadyPod)
  expect(pod?.status?.conditions?.find(({ type }) => type === 'tars.io/active')?.reason).toBe('Active/Active/7')
  await gone('gated')
})

test('a container that starts again closes the gate that spoke of its last run', async () => {
  await run(podOf('regated', rig.image, 'if [ -e /w/once ]; then trap "exit 0" TERM; echo again; sleep 1000 & wait; fi; touch /w/once; while [ ! -e /w/go ]; do sleep 0.05; done; exit 1', {
    container: { volumeMounts: [{ name: 'w', mountPath: '/w' }] },
    spec: { readinessGates: [{ conditionType: 'tars.io/active' }], volumes: [{ name: 'w', hostPath: { path: `${rig.dir}/regated`, type: 'DirectoryOrCreate' } }] },
  }))
  await podWhen(rig.client, 'regated', (pod) => statusOf(pod)?.state.running !== undefined)
  await rig.client.patch(podResource, { namespace, name: 'regated' }, { status: { conditions: [{ type: 'tars.io/active', status: 'True', reason: 'Active/Active/7' }] } }, { type: 'strategic', subresource: 'status' })
  await podWhen(rig.client, 'regated', isReadyPod)
  writeFileSync(`${rig.dir}/regated/go`, '')
  const pod = await podWhen(rig.client, 'regated', (seen) => statusOf(seen)?.restartCount === 1 && seen?.status?.conditions?.find(({ type }) => type === 'tars.io/active')?.status === 'False')
  expect(pod?.status?.conditions?.find(({ type }) => type === 'tars.io/active')?.reason).toBe('Active/Inactive/0')
  await gone('regated')
})
