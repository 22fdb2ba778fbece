import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync, chmodSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { silentLogger } from '#base/log.ts'
import { createKubeClient } from '#kube/client.ts'
import type { KubeClient } from '#kube/client.ts'
import { startApiServer } from '../../../framework/local/apiserver/server.ts'
import type { ApiServer } from '../../../framework/local/apiserver/server.ts'
import { startOciRegistry } from '../../../framework/local/oci/server.ts'
import type { OciRegistry } from '../../../framework/local/oci/server.ts'
import { eventually } from '../../rig/eventually.ts'
import { podResource } from '../../../framework/local/pods/kinds.ts'
import { mountsBelow } from '../../../framework/local/pods/recover.ts'
import { startTime } from '../../../framework/local/pods/namespace/process.ts'
import { startWorkloads } from '../../../framework/local/workloads/workloads.ts'
import type { Running } from '#base/lifecycle.ts'
import { busyboxLayer, isReadyPod, namespace, nodeName, ownSubnet, podOf, podWhen, pushImage, statusOf } from './rig.ts'

interface World { dir: string; client: KubeClient; api: ApiServer; registry: OciRegistry; workloads: Running; image: string; subnet: string; data: string; runners: ChildProcess[] }
let world: World

beforeEach(async () => {
  const dir = mkdtempSync(join(tmpdir(), 'tarsk8s-recover-'))
  chmodSync(dir, 0o755)
  const log = silentLogger
  const api = await startApiServer({ dataFile: ':memory:', host: '127.0.0.1', port: 0, token: 'test', namespaces: [namespace], log })
  const client = createKubeClient(api.config)
  const registry = await startOciRegistry({ dir: join(dir, 'registry'), log })
  const subnet = await ownSubnet()
  const workloads = await startWorkloads({ client, nodeName, address: `${subnet}.1`, namespaces: [namespace], log })
  writeFileSync(join(dir, 'kubeconfig'), api.kubeconfig(namespace))
  const image = await pushImage(registry.address, 'busybox', { layers: [await busyboxLayer()] })
  world = { dir, client, api, registry, workloads, image, subnet, data: join(dir, 'pods'), runners: [] }
  mkdirSync(world.data)
})
afterEach(async () => {
  for (const runner of world.runners) {
    runner.kill('SIGKILL')
    await exited(runner)
  }
  // What it ran ends with it, and may still write.
  await eventually(() => processesOf(world.dir).length === 0)
  await world.workloads.stop()
  world.client.close()
  await world.registry.stop()
  await world.api.stop()
  rmSync(world.dir, { recursive: true, force: true })
})

async function startRunner(identity: { uid?: number; gid?: number } = {}): Promise<{ process: ChildProcess; platform: { userNamespace: boolean; rootFileSystem: string } }> {
  const argv = ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'runner-process.ts'), join(world.dir, 'kubeconfig'), world.data, world.subnet]
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'], ...identity })
  world.runners.push(child)
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()))
  const ready = new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => line.startsWith('ready ') && resolve(line.slice(6)))
    child.once('exit', (code) => reject(new Error(`runner ended with ${code}: ${errors}`)))
  })
  return { process: child, platform: JSON.parse(await ready) as { userNamespace: boolean; rootFileSystem: string } }
}

const exited = (child: ChildProcess): Promise<unknown> => (child.exitCode === null && child.signalCode === null ? once(child, 'exit') : Promise.resolve())

/** Processes whose root is below the data folder, or that carry this world's mark. */
function processesOf(mark: string): string[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`MARK=${mark}`)
    } catch {
      return false
    }
  })
}

function marked(name: string) {
  return podOf(name, world.image, '(sleep 1000 &); trap "echo ended; exit 0" TERM; touch /host/$POD.up; while true; do sleep 1000 & wait; done', { container: { env: [{ name: 'MARK', value: world.dir }, { name: 'POD', value: name }], volumeMounts: [{ name: 'h', mountPath: '/host' }] }, spec: { volumes: [{ name: 'h', hostPath: { path: world.data } }] } })
}

test('kill -9 of the runner: no process and no mount is left; the next runner starts the pods again', async () => {
  const first = await startRunner()
  await world.client.create(podResource, marked('survivor'))
  const before = await podWhen(world.client, 'survivor', isReadyPod)
  await eventually(() => existsSync(join(world.data, 'survivor.up')))
  expect(processesOf(world.dir).length).toBeGreaterThanOrEqual(2)
  first.process.kill('SIGKILL')
  await exited(first.process)
  await eventually(() => processesOf(world.dir).length === 0)
  expect(mountsBelow(world.dir)).toEqual([])
  rmSync(join(world.data, 'survivor.up'))

  const second = await startRunner()
  expect(statusOf(await world.client.get(podResource, { namespace, name: 'survivor' }))?.containerID).not.toBe(statusOf(before)?.containerID)
  const after = await podWhen(world.client, 'survivor', (pod) => isReadyPod(pod) && statusOf(pod)?.lastState.terminated !== undefined)
  expect(after?.metadata.uid).toBe(before?.metadata.uid)
  expect(after?.status?.podIP).toBe(before?.status?.podIP)
  expect(statusOf(after)?.lastState.terminated).toMatchObject({ exitCode: 137, reason: 'ContainerStatusUnknown' })
  await eventually(() => existsSync(join(world.data, 'survivor.up')))
  second.process.kill('SIGTERM')
  await exited(second.process)
  expect(second.process.exitCode).toBe(0)
  expect(processesOf(world.dir)).toEqual([])
})

test('an orderly stop ends the pods, keeps the objects, and leaves no lock', async () => {
  const runner = await startRunner()
  await world.client.create(podResource, marked('resumed'))
  await podWhen(world.client, 'resumed', isReadyPod)
  // until its handler is there, the kernel keeps SIGTERM from PID 1
  await eventually(() => existsSync(join(world.data, 'resumed.up')))
  runner.process.kill('SIGTERM')
  await exited(runner.process)
  const pod = await world.client.get(podResource, { namespace, name: 'resumed' })
  expect(isReadyPod(pod)).toBe(false)
  expect(statusOf(pod)?.state.terminated).toMatchObject({ exitCode: 0, reason: 'Completed' })
  expect(existsSync(join(world.data, 'runner.json'))).toBe(false)
  await startRunner()
  await podWhen(world.client, 'resumed', isReadyPod)
})

test('what a killed runner recorded is ended by its start time, and only that', async () => {
  const own = spawn('sleep', ['1000'])
  const other = spawn('sleep', ['1000'])
  const folder = join(world.data, 'pods/left/containers/main')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'processes.json'), JSON.stringify([{ pid: own.pid, startTime: startTime(own.pid ?? 0) }, { pid: other.pid, startTime: '1' }]))
  await startRunner()
  await exited(own)
  expect(own.signalCode).toBe('SIGKILL')
  expect(other.exitCode ?? other.signalCode).toBeNull()
  expect(existsSync(join(world.data, 'pods/left'))).toBe(false)
  other.kill('SIGKILL')
})

test('a second runner on the same data is refused', async () => {
  await startRunner()
  await expect(startRunner()).rejects.toThrow(/another pod runner/)
})

test('without root: in a user namespace, from start to orderly stop', async () => {
  const nobody = { uid: 65534, gid: 65534 }
  chownSync(world.data, nobody.uid, nobody.gid)
  chmodSync(join(world.dir, 'kubeconfig'), 0o644)
  const runner = await startRunner(nobody)
  expect(runner.platform.userNamespace).toBe(true)
  await world.client.create(podResource, marked('rootless'))
  await podWhen(world.client, 'rootless', isReadyPod)
  await world.client.delete(podResource, { namespace, name: 'rootless' })
  await podWhen(world.client, 'rootless', (pod) => pod === undefined)
  expect(readdirSync(join(world.data, 'pods'))).toEqual([])
  runner.process.kill('SIGTERM')
  await exited(runner.process)
  expect(runner.process.exitCode).toBe(0)
})
