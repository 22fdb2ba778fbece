// From nothing to a service that answers, and back, on a real Kubernetes, by what an operator types: images, charts, release, deploy.
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
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

/** Where the agent makes volumes and looks for logs: in memory that the machine has to itself. */
const [volumesFolder, logsFolder] = ['/run/tars-volumes', '/run/tars-logs']
const pod = 'demo-helloserver-0'

/** Runs a command of the shell in the service's container, as an operator looks into a pod. */
const inPod = (script: string): Promise<string> => kubectl('-n', namespace, 'exec', pod, '--', '/tarsnode/bin/tarsk8s', 'node', 'exec', '/bin/sh', '-c', script)
const patchHello = (spec: object): Promise<string> => kubectl('-n', namespace, 'patch', 'tserver', 'demo-helloserver', '--type', 'merge', '-p', JSON.stringify({ spec }))
const uidOf = (kind: string, name: string): Promise<string> => kubectl('-n', namespace, 'get', kind, name, '--ignore-not-found', '-o', 'jsonpath={.metadata.uid}')

/** Waits until the service's pod is another one than `before`, and ready. */
async function anotherPod(before: string): Promise<void> {
  await plane.machine.until('the service has another pod', async () => ![before, ''].includes(await uidOf('pod', pod)), 120_000)
  await kubectl('-n', namespace, 'wait', '--for=condition=Ready', `pod/${pod}`, '--timeout=120s')
}

async function greets(): Promise<void> {
  // Names of pods are known within the cluster only.
  await writeFile(join(dir, 'hosts'), `${await addressOf(pod)} ${pod}.demo-helloserver\n`)
  expect(await tarsk8s('call', 'Demo.HelloServer.HelloObj', 'greet', '"world"', '--tars', helloIdl)).toContain('world')
}

test('both charts are installed, a package is released and deployed, and answers a call', { timeout: 600_000 }, async () => {
  await ok(helm(dir, 'install', 'tarscontroller', charts.tarscontroller, '--kubeconfig', kubeconfig, '--set', `agent.tlv_in_host=${volumesFolder},agent.app_log_in_host=${logsFolder}`))
  await kubectl('-n', 'tars-system', 'rollout', 'status', 'deployment/tars-controller-manger', '--timeout=120s')
  await kubectl('label', 'node', nodeName, `tars.io/node.${namespace}=`)
  await kubectl('-n', 'tars-system', 'wait', '--for=jsonpath={.status.desiredNumberScheduled}=1', 'daemonset/tars-agent', '--timeout=120s')
  await kubectl('-n', 'tars-system', 'rollout', 'status', 'daemonset/tars-agent', '--timeout=120s')

  const values = [`upload.registry=${registry.address}/services`, 'servers.registry.replicas=1', 'servers.image.env[0].name=TARSIMAGE_INSECURE_REGISTRIES', `servers.image.env[0].value=${registry.address}`, 'bases={nodejsbase}']
  await ok(helm(dir, 'install', 'tars', charts.tarsframework, '-n', namespace, '--create-namespace', '--set', values.join(','), '--kubeconfig', kubeconfig, '--timeout', '180s'))
  for (const role of ['registry', 'config', 'notify', 'image', 'admin']) {
    for (const state of ['create', 'condition=Ready']) await kubectl('-n', namespace, 'wait', `--for=${state}`, `pod/tars-tars${role}-0`, '--timeout=120s')
  }
  expect(await kubectl('get', 'mutatingwebhookconfiguration', 'tars-mutating-webhook', '-o', 'jsonpath={.webhooks[*].name}')).toContain('tars.io')

  // With the framework gone nobody says that there is no other pod for callers to go to.
  const profile = join(dir, 'profile.conf')
  await writeFile(profile, '<tars>\n<application>\n<server>\ndrain-delay=500\n</server>\n</application>\n</tars>\n')
  const [hello] = await packSamples({ cacheDir: join(cacheDir, 'local') })
  await tarsk8s('release', hello?.file ?? '', '--app', 'Demo', '--server', 'HelloServer', '--type', 'nodejs')
  await tarsk8s('deploy', '--app', 'Demo', '--server', 'HelloServer', '--servant', 'HelloObj:10001', '--release', 'latest', '--profile', profile)
  expect(await tarsk8s('status')).toMatch(/Demo\.HelloServer .* 1\/1 .* Active/)
  expect(await kubectl('-n', namespace, 'get', 'pod', pod, '-o', 'jsonpath={.spec.containers[0].image}')).toContain(`${registry.address}/services/demo.helloserver:`)
  await greets()
})

test('a local volume is made on the node, and its data outlives the pod', { timeout: 300_000 }, async () => {
  await kubectl('label', 'node', nodeName, 'tars.io/SupportLocalVolume=')
  const before = await uidOf('pod', pod)
  await patchHello({ k8s: { mounts: [{ name: 'data', mountPath: '/data', source: { tLocalVolume: {} } }] } })
  await anotherPod(before)
  const claim = `data-${pod}`
  expect(await kubectl('-n', namespace, 'get', 'pvc', claim, '-o', 'jsonpath={.status.phase}')).toBe('Bound')
  const volume = JSON.parse(await kubectl('get', 'pv', await kubectl('-n', namespace, 'get', 'pvc', claim, '-o', 'jsonpath={.spec.volumeName}'), '-o', 'json')) as { spec: object }
  expect(volume.spec).toMatchObject({
    local: { path: `${volumesFolder}/${namespace}/Demo.HelloServer/data` },
    nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [nodeName] }] }] } },
  })
  await inPod('echo kept > /data/file')
  expect(await readFile(plane.machine.outside(`${volumesFolder}/${namespace}/Demo.HelloServer/data/file`), 'utf8')).toBe('kept\n')
  const first = await uidOf('pod', pod)
  await kubectl('-n', namespace, 'delete', 'pod', pod, '--wait=false')
  await anotherPod(first)
  expect(await inPod('cat /data/file')).toBe('kept')
  await greets()
})

test('uninstall leaves services and data and says so, and what was left can be removed as it says', { timeout: 300_000 }, async () => {
  const [running, folder] = [await uidOf('pod', pod), plane.machine.outside(`${volumesFolder}/${namespace}/Demo.HelloServer/data`)]
  const left = await ok(helm(dir, 'uninstall', 'tars', '-n', namespace, '--kubeconfig', kubeconfig))
  expect(left).toMatch(/kept due to the resource policy:\s+\[ConfigMap\] tars-left-behind/)
  const told = await kubectl('-n', namespace, 'get', 'configmap', 'tars-left-behind', '-o', 'jsonpath={.data.README}')
  expect(told).toContain(`leaves in namespace ${namespace}: your services`)
  await kubectl('-n', namespace, 'wait', '--for=delete', 'pod/tars-tarsregistry-0', '--timeout=180s')
  // What it names is there, and the service runs on with its data.
  for (const [word, kind] of [['TServers', 'tservers'], ['TImages', 'timages'], ['templates', 'ttemplates'], ['tree of applications', 'ttrees'], ['settings', 'tframeworkconfigs'], ['claims of volumes', 'pvc']] as const) {
    expect(told).toContain(word)
    expect(await kubectl('-n', namespace, 'get', kind, '-o', 'name'), kind).not.toBe('')
  }
  expect(await kubectl('-n', namespace, 'get', 'tservers,timages', '-o', 'name')).toMatch(/tserver\.k8s\.tars\.io\/demo-helloserver[^]*timage\.k8s\.tars\.io\/demo-helloserver/)
  expect(await uidOf('pod', pod)).toBe(running)
  expect(await inPod('cat /data/file')).toBe('kept')

  // And goes as it says.
  const commands = told.split('\n').flatMap((line) => /^ +kubectl (.+)$/.exec(line)?.[1]?.split(' ') ?? [])
  expect(commands.join(' ')).toMatch(/^-n prod delete tservers,\S+ --all delete namespace prod$/)
  await kubectl(...commands.slice(0, 5))
  await kubectl('-n', namespace, 'wait', '--for=delete', `pod/${pod}`, '--timeout=180s')
  await plane.machine.until('the volume and its folder are gone', async () => !existsSync(folder) && (await kubectl('get', 'pv', '-o', 'name')) === '', 120_000)
  await kubectl(...commands.slice(5), '--timeout=120s')
})
