import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createLogger } from '#base/log.ts'
import { podResource } from '../../../framework/local/pods/kinds.ts'
import { startPodRunner } from '../../../framework/local/pods/runner.ts'
import type { Container, Pod } from '../../../framework/local/pods/kinds.ts'
import { backoff, busyboxLayer, isReadyPod, logOf, namespace, nodeName, podOf, podWhen, pushImage, says, startRig, statusOf } from './rig.ts'
import type { Rig, TarEntry } from './rig.ts'

let rig: Rig
/** An image in which there is nothing to run. */
let bare: string
/** Tools below /tools, as the node image has tarsnode below /tarsnode. */
let tools: string

beforeAll(async () => {
  rig = await startRig()
  const busybox = (await busyboxLayer()).find(({ name }) => name === 'bin/busybox') ?? expect.fail('no busybox')
  const program = (path: string): TarEntry => ({ ...busybox, name: path })
  const folder = (name: string): TarEntry => ({ name, type: 'directory', mode: 0o755 })
  tools = await pushImage(rig.registry.address, 'tools', { layers: [[folder('tools/'), folder('tools/bin/'), program('tools/bin/busybox'), { name: 'tools/version', content: 'new\n' }]] })
  bare = await pushImage(rig.registry.address, 'bare', { layers: [[folder('tools/'), { name: 'tools/version', content: 'baked\n' }, { name: 'tools/old', content: '' }]] })
})
afterAll(() => rig?.stop())

/** A pod of the bare image with `image` mounted at /tools, whose busybox runs the script. */
function mounted(name: string, image: object, script: string, mount: object = { subPath: 'tools' }, container: Partial<Container> = {}): Pod {
  const volumeMounts = [{ name: 'tools', mountPath: '/tools', ...mount }]
  return podOf(name, bare, '', { container: { command: ['/tools/bin/busybox', 'sh', '-c', script], volumeMounts, ...container }, spec: { volumes: [{ name: 'tools', image }], restartPolicy: 'Never' } })
}

async function output(pod: Pod): Promise<string> {
  await rig.client.create(podResource, pod)
  const ended = await podWhen(rig.client, pod.metadata.name, (seen) => seen?.status?.phase === 'Succeeded' || seen?.status?.phase === 'Failed')
  expect(statusOf(ended)?.state.terminated).toMatchObject({ exitCode: 0 })
  const text = await logOf(rig, pod.metadata.name)
  await gone(pod.metadata.name)
  return text
}

async function gone(name: string): Promise<void> {
  await rig.client.delete(podResource, { namespace, name }, { gracePeriodSeconds: 0 })
  await podWhen(rig.client, name, (pod) => pod === undefined)
}

test('a sub-path of an image covers what the container has there, and its programs run', async () => {
  const box = '/tools/bin/busybox'
  expect(await output(mounted('covers', { reference: tools }, `${box} cat /tools/version; ${box} ls /tools`))).toBe('new\nbin\nversion\n')
})

test('it cannot be written to, also where the mount does not say so', async () => {
  const script = 'echo x > /tools/version || echo refused; /tools/bin/busybox rm -f /tools/bin/busybox || echo kept; true'
  const text = await output(mounted('writes', { reference: tools }, script, { subPath: 'tools', readOnly: false }))
  expect(text).toContain('refused\n')
  expect(text).toContain('kept\n')
  expect(await output(mounted('reads', { reference: tools }, '/tools/bin/busybox cat /tools/version'))).toBe('new\n')
})

test('pods share one unpacked layer: no pod has a copy of its own', async () => {
  const pods = await Promise.all(['first', 'second'].map((name) => rig.client.create(podResource, mounted(name, { reference: tools }, 'trap "exit 0" TERM; while :; do /tools/bin/busybox sleep 1; done'))))
  await Promise.all(pods.map(({ metadata }) => podWhen(rig.client, metadata.name, isReadyPod)))
  for (const { metadata } of pods) {
    const folder = join(rig.dir, 'pods/pods', metadata.uid ?? '')
    expect(readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('busybox'))).toEqual([])
  }
  await Promise.all(pods.map(({ metadata }) => gone(metadata.name)))
})

test('an image of several layers is what they make together', async () => {
  const first = await busyboxLayer()
  const image = await pushImage(rig.registry.address, 'layered', { layers: [[...first, { name: 'data/', type: 'directory' }, { name: 'data/gone', content: '' }, { name: 'data/kept', content: 'k' }], [{ name: 'data/.wh.gone' }, { name: 'data/new', content: 'n' }]] })
  const pod = mounted('layers', { reference: image }, '/tools/bin/busybox ls /tools/data', {})
  expect(await output(pod)).toBe('kept\nnew\n')
})

test('the whole image without a sub-path', async () => {
  expect(await output(mounted('whole', { reference: tools }, '', {}, { command: ['/tools/tools/bin/busybox', 'ls', '/tools'] }))).toBe('tools\n')
})

test('a sub-path that the image does not have is refused, and not made', async () => {
  await rig.client.create(podResource, mounted('lacks', { reference: tools }, '', { subPath: 'tarsnode' }))
  const pod = await podWhen(rig.client, 'lacks', (seen) => statusOf(seen)?.state.waiting?.reason === 'CreateContainerConfigError')
  expect(statusOf(pod)?.state.waiting?.message).toContain('subPath tarsnode is not in the image of volume tools')
  await gone('lacks')
})

test('the API server wants a reference, and fills in when it is pulled', async () => {
  await expect(rig.client.create(podResource, mounted('nameless', {}, ''))).rejects.toThrow(/spec\.volumes\[0\]\.image\.reference: Required value/)
  for (const [name, reference, pullPolicy] of [['tagged', 'r.test/a:v1', 'IfNotPresent'], ['untagged', 'r.test/a', 'Always'], ['newest', 'r.test/a:latest', 'Always']] as const) {
    const made = await rig.client.create(podResource, mounted(name, { reference }, ''))
    expect(made.spec.volumes).toEqual([{ name: 'tools', image: { reference, pullPolicy } }])
    await gone(name)
  }
})

test('an image that is not there: the volume and its image are named, and the pod runs once it is pushed', async () => {
  const reference = `${rig.registry.address}/test/later:v1`
  await rig.client.create(podResource, mounted('waits', { reference }, 'trap "exit 0" TERM; while :; do /tools/bin/busybox sleep 1; done', {}, {}))
  const waiting = await podWhen(rig.client, 'waits', (seen) => statusOf(seen)?.state.waiting?.reason === 'ImagePullBackOff')
  expect(statusOf(waiting)?.state.waiting?.message).toContain(`Back-off pulling image "${reference}": volume tools needs image ${reference}: `)
  await pushImage(rig.registry.address, 'later', { layers: [await busyboxLayer()] })
  await podWhen(rig.client, 'waits', isReadyPod)
  await gone('waits')
})

test('with the registry away a new runner starts the pod from what is here', async () => {
  const forever = mounted('keeps', { reference: tools }, 'trap "exit 0" TERM; echo up; while :; do /tools/bin/busybox sleep 1; done')
  await rig.client.create(podResource, { ...forever, spec: { ...forever.spec, restartPolicy: 'Always' } })
  await podWhen(rig.client, 'keeps', isReadyPod)
  // Until its handler is there, the kernel keeps SIGTERM from PID 1.
  await says(rig, 'keeps', 'up')
  await rig.runner.stop()
  await rig.registry.stop()
  const runner = await startPodRunner({ client: rig.client, dataDir: join(rig.dir, 'pods'), subnet: rig.subnet, nodeName, backoff, log: createLogger({ write: () => {} }) })
  try {
    const pod = await podWhen(rig.client, 'keeps', (seen) => isReadyPod(seen) && statusOf(seen)?.lastState.terminated !== undefined)
    expect(statusOf(pod)?.state.running).toBeDefined()
    await gone('keeps')
  } finally {
    await runner.stop()
  }
})
