// From nothing to a service that answers, and back, on a real Kubernetes, by what an operator types: images, charts, release, deploy.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { helloIdl, packSamples } from '../../framework/local/samples/pack.ts'
import { run as images } from '../../framework/images/images-command.ts'
import { startOciRegistry, type OciRegistry } from '../../framework/local/oci/server.ts'
import { helm, packCharts } from '../charts/rig.ts'
import { ControlPlane, nodeName } from '../rig/kubernetes/control-plane.ts'
import { startNode, type WorkerNode } from '../rig/kubernetes/node.ts'
import { run, type Output } from '../rig/local-cluster.ts'
import { cacheDir, which } from '../rig/tools.ts'

const main = join(import.meta.dirname, '../../framework/main.ts')
const namespace = 'prod'
const version = '1.0.0'

let dir: string
let plane: ControlPlane
let node: WorkerNode
let registry: OciRegistry
let kubeconfig: string
let charts: Awaited<ReturnType<typeof packCharts>>

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tarsk8s-install-'))
  plane = await ControlPlane.start({ controllers: 'all', scheduler: true })
  registry = await startOciRegistry({ dir: join(dir, 'registry'), host: plane.machine.hostAddress })
  node = await startNode(plane, registry.address)
  kubeconfig = join(dir, 'kubeconfig')
  await writeFile(kubeconfig, plane.kubeconfig())
  const io = { out: new PassThrough().resume(), err: new PassThrough().resume(), env: {}, signal: new AbortController().signal, cwd: dir }
  const code = await images(['push', `${registry.address}/tars`, '--version', version, '--only', 'framework,node,nodejs', '--insecure', registry.address, '--cache', join(cacheDir, 'local')], io)
  expect(code).toBe(0)
  charts = await packCharts(dir, version, '--registry', `${registry.address}/tars`)
})
afterAll(async () => {
  await plane?.stop()
  await node?.clean()
  await registry?.stop()
  await rm(dir, { recursive: true, force: true })
})

async function kubectl(...args: readonly string[]): Promise<string> {
  const { code, out, err } = await run(which('kubectl') ?? 'kubectl', ['--kubeconfig', kubeconfig, ...args])
  expect(code, `kubectl ${args.join(' ')}: ${err}`).toBe(0)
  return out.trim()
}

async function ok(outcome: Promise<Output>): Promise<string> {
  const { code, out, err } = await outcome
  expect(code, `${out}\n${err}`).toBe(0)
  return out
}

const addressOf = (pod: string): Promise<string> => kubectl('-n', namespace, 'get', 'pod', pod, '-o', 'jsonpath={.status.podIP}')

/** What the operator types, with the cluster's addresses. */
async function tarsk8s(...args: readonly string[]): Promise<string> {
  const env = { ...process.env, KUBECONFIG: kubeconfig, TARSK8S_NAMESPACE: namespace, TARSK8S_HOSTS_FILE: join(dir, 'hosts'), TARSK8S_IMAGE_URL: `http://${await addressOf('tars-tarsimage-0')}`, TARSK8S_ADMIN_URL: `http://${await addressOf('tars-tarsadmin-0')}:8080`, TARSK8S_LOCATOR: `tars.tarsregistry.QueryObj@tcp -h ${await addressOf('tars-tarsregistry-0')} -p 17890` }
  return ok(run(process.execPath, ['--disable-warning=ExperimentalWarning', main, ...args], { env, cwd: dir }))
}

test('both charts are installed, a package is released and deployed, answers a call, and all is uninstalled', { timeout: 600_000 }, async () => {
  await ok(helm(dir, 'install', 'tarscontroller', charts.tarscontroller, '--kubeconfig', kubeconfig))
  await kubectl('-n', 'tars-system', 'rollout', 'status', 'deployment/tars-controller-manger', '--timeout=120s')
  await kubectl('label', 'node', nodeName, `tars.io/node.${namespace}=`)
  await kubectl('-n', 'tars-system', 'rollout', 'status', 'daemonset/tars-agent', '--timeout=120s')

  const values = [`upload.registry=${registry.address}/services`, 'servers.registry.replicas=1', 'servers.image.env[0].name=TARSIMAGE_INSECURE_REGISTRIES', `servers.image.env[0].value=${registry.address}`, 'bases={nodejsbase}']
  await ok(helm(dir, 'install', 'tars', charts.tarsframework, '-n', namespace, '--create-namespace', '--set', values.join(','), '--kubeconfig', kubeconfig, '--timeout', '180s'))
  for (const role of ['registry', 'config', 'notify', 'image', 'admin', 'adminregistry']) {
    for (const state of ['create', 'condition=Ready']) await kubectl('-n', namespace, 'wait', `--for=${state}`, `pod/tars-tars${role}-0`, '--timeout=120s')
  }
  expect(await kubectl('get', 'mutatingwebhookconfiguration', 'tars-mutating-webhook', '-o', 'jsonpath={.webhooks[*].name}')).toContain('tars.io')

  const [hello] = await packSamples({ cacheDir: join(cacheDir, 'local') })
  await tarsk8s('release', hello?.file ?? '', '--app', 'Demo', '--server', 'HelloServer', '--type', 'nodejs')
  await tarsk8s('deploy', '--app', 'Demo', '--server', 'HelloServer', '--servant', 'HelloObj:10001', '--release', 'latest')
  expect(await tarsk8s('status')).toMatch(/Demo\.HelloServer .* 1\/1 .* Active/)
  expect(await kubectl('-n', namespace, 'get', 'pod', 'demo-helloserver-0', '-o', 'jsonpath={.spec.containers[0].image}')).toContain(`${registry.address}/services/demo.helloserver:`)
  // Names of pods are known within the cluster only.
  const hosts = await Promise.all(['demo-helloserver', 'tars-tarsadminregistry'].map(async (server) => `${await addressOf(`${server}-0`)} ${server}-0.${server}\n`))
  await writeFile(join(dir, 'hosts'), hosts.join(''))
  expect(await tarsk8s('call', 'Demo.HelloServer.HelloObj', 'greet', '"world"', '--tars', helloIdl)).toContain('world')

  const state = await tarsk8s('call', 'tars.tarsAdminRegistry.AdminRegObj', 'getServerState', '"Demo"', '"HelloServer"', '"demo-helloserver-0"', '--tars', join(import.meta.dirname, '../../framework/lib/tars/protocol/AdminReg.tars'))
  expect(JSON.parse(state)).toMatchObject({ return: 0, state: { presentStateInReg: 'active', presentStateInNode: 'Active' } })

  const left = await ok(helm(dir, 'uninstall', 'tars', '-n', namespace, '--kubeconfig', kubeconfig))
  expect(left).toMatch(/uninstalled/)
  await kubectl('-n', namespace, 'wait', '--for=delete', 'pod/tars-tarsregistry-0', '--timeout=120s')
  expect(await kubectl('-n', namespace, 'get', 'timages', '-o', 'name')).toContain('demo-helloserver')
})
