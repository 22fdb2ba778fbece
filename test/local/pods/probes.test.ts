// Probes as the translator wires them: asked on the pod's own loopback address, all pods on one port.
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { podResource } from '../../../framework/local/pods/kinds.ts'
import type { Container, Pod, Probe } from '../../../framework/local/pods/kinds.ts'
import { Prober } from '../../../framework/local/pods/probes.ts'
import { events } from '#kube/resources.ts'
import { eventually } from '../../rig/eventually.ts'
import { isReadyPod, logOf, namespace, podOf, podWhen, startRig, statusOf } from './rig.ts'
import type { Rig } from './rig.ts'

let rig: Rig
beforeAll(async () => {
  rig = await startRig()
})
afterAll(() => rig?.stop())

const port = 7387
/** It is answered at once, one way or the other; on a busy machine that takes longer. */
const probe = (path: string, failureThreshold: number): Probe => ({ httpGet: { port, path }, periodSeconds: 1, timeoutSeconds: 60, failureThreshold })

/** A pod that serves the files of a folder of the host on its own address. PID 1 is the shell, which passes SIGTERM on. */
function serving(name: string, probes: Partial<Container>, before = ''): Pod {
  mkdirSync(join(rig.dir, name))
  const script = `${before}trap 'echo asked to stop; exit 3' TERM; busybox httpd -f -p $IP:${port} -h /answers & wait`
  return podOf(name, rig.image, script, {
    container: { env: [{ name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }], volumeMounts: [{ name: 'answers', mountPath: '/answers' }], ...probes },
    spec: { volumes: [{ name: 'answers', hostPath: { path: join(rig.dir, name) } }] },
  })
}

const say = (name: string, path: string): void => writeFileSync(join(rig.dir, name, path), 'ok')
const unsay = (name: string, path: string): void => rmSync(join(rig.dir, name, path))
const gone = async (name: string): Promise<void> => {
  await rig.client.delete(podResource, { namespace, name }, { gracePeriodSeconds: 0 })
  await podWhen(rig.client, name, (pod) => pod === undefined)
}

/** Events are written beside the work that they tell of. */
const told = (name: string, message: string): Promise<unknown> =>
  eventually(async () => (await rig.client.list(events, { namespace, fieldSelector: `involvedObject.name=${name}` })).items.some((event) => event['message'] === message), `the event: ${message}`)

test('each pod is asked on its own address: the one that does not answer is started again, after its SIGTERM', async () => {
  for (const name of ['well', 'ill']) {
    await rig.client.create(podResource, serving(name, { livenessProbe: probe('/healthz', 2), startupProbe: probe('/healthz', 30) }))
    say(name, 'healthz')
    await podWhen(rig.client, name, isReadyPod)
  }
  unsay('ill', 'healthz')
  const restarted = await podWhen(rig.client, 'ill', (pod) => (statusOf(pod)?.restartCount ?? 0) === 1)
  expect(statusOf(restarted)?.lastState.terminated).toMatchObject({ exitCode: 3 })
  expect(await logOf(rig, 'ill', { previous: true })).toBe('asked to stop\n')
  await told('ill', 'Liveness probe failed: HTTP answered 404')
  await told('ill', 'Container main failed its Liveness probe, will be restarted')
  say('ill', 'healthz')
  await podWhen(rig.client, 'ill', isReadyPod)
  const well = await podWhen(rig.client, 'well', isReadyPod)
  expect(statusOf(well)?.restartCount).toBe(0)
  await Promise.all(['well', 'ill'].map(gone))
})

test('the preStop hook is heard before SIGTERM, and one that cannot be had is an event', async () => {
  const heard: string[] = []
  const server = createServer((request, response) => {
    heard.push(request.url ?? '')
    if (request.url === '/leave') setImmediate(() => response.end('gone'))
    else response.writeHead(503).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const hook = (path: string): Partial<Container> => ({ lifecycle: { preStop: { httpGet: { host: '127.0.0.1', port: (server.address() as AddressInfo).port, path } } } })
  for (const [name, path] of [['polite', '/leave'], ['hasty', '/refuse']] as const) {
    await rig.client.create(podResource, serving(name, { ...hook(path), livenessProbe: probe('/healthz', 1), startupProbe: probe('/healthz', 30) }))
    say(name, 'healthz')
    await podWhen(rig.client, name, isReadyPod)
    expect(heard).not.toContain(path)
    unsay(name, 'healthz')
    await podWhen(rig.client, name, (pod) => (statusOf(pod)?.restartCount ?? 0) === 1)
    expect(heard.filter((one) => one === path)).toHaveLength(1)
    expect(await logOf(rig, name, { previous: true })).toBe('asked to stop\n')
    await gone(name)
  }
  await told('hasty', 'PreStopHook failed: HTTP answered 503')
  const { items } = await rig.client.list(events, { namespace })
  const hooks = items.filter(({ reason }) => reason === 'FailedPreStopHook').map((event) => String(event['message']))
  expect(hooks).toEqual(['PreStopHook failed: HTTP answered 503'])
})

test('a PID 1 that is wedged is killed when its grace period is over, and its pod lives on', async () => {
  const pod = serving('wedged', { livenessProbe: probe('/healthz', 1), startupProbe: probe('/healthz', 30) }, "trap '' TERM; if [ -e /answers/once ]; then :; else busybox touch /answers/once; busybox httpd -f -p $IP:7387 -h /answers & busybox sleep 1000; fi; ")
  await rig.client.create(podResource, { ...pod, spec: { ...pod.spec, terminationGracePeriodSeconds: 2 } })
  say('wedged', 'healthz')
  await podWhen(rig.client, 'wedged', isReadyPod)
  unsay('wedged', 'healthz')
  const killed = await podWhen(rig.client, 'wedged', (pod) => (statusOf(pod)?.restartCount ?? 0) === 1)
  expect(statusOf(killed)?.lastState.terminated).toMatchObject({ exitCode: 137, signal: 9 })
  await gone('wedged')
})

test('readiness comes and goes with the answers, and nothing is started again for it', async () => {
  await rig.client.create(podResource, serving('moody', { readinessProbe: probe('/readyz', 1), livenessProbe: probe('/healthz', 1), startupProbe: probe('/healthz', 30) }))
  say('moody', 'healthz')
  const unready = await podWhen(rig.client, 'moody', (pod) => statusOf(pod)?.started === true)
  expect(isReadyPod(unready)).toBe(false)
  say('moody', 'readyz')
  await podWhen(rig.client, 'moody', isReadyPod)
  unsay('moody', 'readyz')
  const again = await podWhen(rig.client, 'moody', (pod) => !isReadyPod(pod))
  expect(again?.status?.conditions?.find(({ type }) => type === 'ContainersReady')?.status).toBe('False')
  expect(statusOf(again)).toMatchObject({ restartCount: 0, started: true })
  await gone('moody')
})

test('liveness waits for the startup probe, however long that takes', async () => {
  await rig.client.create(podResource, serving('slow', { startupProbe: probe('/started', 60), livenessProbe: probe('/started', 1) }))
  await podWhen(rig.client, 'slow', (pod) => statusOf(pod)?.state.running !== undefined)
  const failures = async (): Promise<number> => {
    const { items } = await rig.client.list(events, { namespace, fieldSelector: 'involvedObject.name=slow' })
    return items.filter((event) => String(event['message']).startsWith('Startup probe failed')).reduce((sum, event) => sum + Number(event['count'] ?? 1), 0)
  }
  while ((await failures()) < 2) await new Promise((resolve) => setTimeout(resolve, 50))
  say('slow', 'started')
  const pod = await podWhen(rig.client, 'slow', isReadyPod)
  expect(statusOf(pod)?.restartCount).toBe(0)
  await gone('slow')
})

test('a pod that is deleted is asked no more while it ends', async () => {
  // The probes would find nobody from SIGTERM on, and have SIGTERM sent once more.
  const pod = serving('leaving', { livenessProbe: probe('/healthz', 1), startupProbe: probe('/healthz', 30) }, "busybox httpd -f -p $IP:7387 -h /answers & trap 'echo asked to stop; kill $!; busybox sleep 2; echo done; exit 0' TERM; wait; exit 1; ")
  await rig.client.create(podResource, pod)
  say('leaving', 'healthz')
  await podWhen(rig.client, 'leaving', isReadyPod)
  const followed = logOf(rig, 'leaving', { follow: true })
  await rig.client.delete(podResource, { namespace, name: 'leaving' })
  await podWhen(rig.client, 'leaving', (seen) => seen === undefined)
  expect(await followed).toBe('asked to stop\ndone\n')
  const { items } = await rig.client.list(events, { namespace, fieldSelector: 'involvedObject.name=leaving' })
  expect(items.map((event) => String(event['message'])).filter((message) => message.includes('Liveness'))).toEqual([])
})

test('an answer that is waited for takes no time from the period', async () => {
  // Both are asked each second; one is refused at once, and the other is given up after its second.
  const asked: Record<string, number> = { '/refused': 0, '/silent': 0 }
  const server = createServer(({ url = '' }, response) => {
    asked[url] = (asked[url] ?? 0) + 1
    if (url === '/refused') response.writeHead(503).end()
  }).listen(0, '127.0.0.1')
  onTestFinished(() => (server.closeAllConnections(), void server.close()))
  await once(server, 'listening')
  const ask = (path: string): Probe => ({ httpGet: { port: (server.address() as AddressInfo).port, path }, periodSeconds: 1, timeoutSeconds: 1, failureThreshold: 5 })
  const gaveUp = Promise.withResolvers<void>()
  const prober = new Prober({ name: 'main', readinessProbe: ask('/refused'), livenessProbe: ask('/silent') }, () => '127.0.0.1', { changed: () => {}, failed: () => {}, restart: () => gaveUp.resolve() })
  prober.start()
  await gaveUp.promise
  prober.stop()
  expect(asked['/silent']).toBe(5)
  expect(asked['/refused']).toBeLessThan(8)
})
