// From nothing to a service that answers, and back, on a real Kubernetes, by what an operator types: images, charts, release, deploy.
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { helloIdl, packSamples } from '../../framework/local/samples/pack.ts'
import { packCharts } from '../charts/rig.ts'
import { nodeName } from '../rig/kubernetes/control-plane.ts'
import { eventually } from '../rig/kube.ts'
import { run } from '../rig/local-cluster.ts'
import { cacheDir, which } from '../rig/tools.ts'
import { agentFolders, Installation, volumesFolder } from './installation.ts'

const protocol = (name: string): string => join(import.meta.dirname, '../../framework/lib/tars/protocol', name)
const pod = 'demo-helloserver-0'

let cluster: Installation
let charts: Awaited<ReturnType<typeof packCharts>>
beforeAll(async () => {
  cluster = await Installation.start()
  await cluster.push('1.0.0')
  charts = await packCharts(cluster.dir, '1.0.0', '--registry', `${cluster.registry.address}/tars`)
})
afterAll(() => cluster?.stop())

const inNamespace = (...args: readonly string[]): Promise<string> => cluster.kubectl('-n', cluster.namespace, ...args)
/** Runs a command of the shell in the service's container, as an operator looks into a pod. */
const inPod = (script: string): Promise<string> => inNamespace('exec', pod, '--', '/tarsnode/bin/tarsk8s', 'node', 'exec', '/bin/sh', '-c', script)
const patchHello = (spec: object): Promise<string> => inNamespace('patch', 'tserver', 'demo-helloserver', '--type', 'merge', '-p', JSON.stringify({ spec }))
const uidOf = (name: string): Promise<string> => inNamespace('get', 'pod', name, '--ignore-not-found', '-o', 'jsonpath={.metadata.uid}')

/** Waits until the service's pod is another one than `before`, and ready. */
async function anotherPod(before: string): Promise<void> {
  await cluster.plane.machine.until('the service has another pod', async () => ![before, ''].includes(await uidOf(pod)))
  await inNamespace('wait', '--for=condition=Ready', `pod/${pod}`, '--timeout=300s')
}

/** Names of pods are known within the cluster only. */
async function knowPods(...servers: readonly string[]): Promise<void> {
  const lines = await Promise.all(servers.map(async (server) => `${await cluster.addressOf(`${server}-0`)} ${server}-0.${server}\n`))
  await writeFile(join(cluster.dir, 'hosts'), lines.join(''))
}

async function greets(): Promise<void> {
  await knowPods('demo-helloserver')
  expect(await cluster.tarsk8s('call', 'Demo.HelloServer.HelloObj', 'greet', '"world"', '--tars', helloIdl)).toContain('world')
}

test('both charts are installed, a package is released and deployed, and answers a call', { timeout: 600_000 }, async () => {
  const { namespace, registry } = cluster
  await cluster.helm('install', 'tarscontroller', charts.tarscontroller, '--set', agentFolders)
  await cluster.controllerReady()
  await cluster.labelNode()
  await cluster.kubectl('-n', 'tars-system', 'wait', '--for=jsonpath={.status.numberReady}=1', 'daemonset/tars-agent', '--timeout=300s')

  // Nothing of the host gets into pods here.
  await cluster.kubectl('create', 'namespace', namespace)
  await cluster.kubectl('label', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=baseline')
  const values = [`upload.registry=${registry.address}/services`, 'servers.registry.replicas=1', 'servers.image.env[0].name=TARSIMAGE_INSECURE_REGISTRIES', `servers.image.env[0].value=${registry.address}`, 'bases={nodejsbase}']
  await cluster.helm('install', 'tars', charts.tarsframework, '-n', namespace, '--set', values.join(','), '--timeout', '300s')
  await cluster.frameworkReady()
  expect(await cluster.kubectl('get', 'mutatingwebhookconfiguration', 'tars-mutating-webhook', '-o', 'jsonpath={.webhooks[*].name}')).toContain('tars.io')

  // The framework's own pods would do with less; kubectl warns of those that would not.
  const { code, err } = await run(which('kubectl') ?? 'kubectl', ['--kubeconfig', cluster.kubeconfig, 'label', '--dry-run=server', '--overwrite', 'namespace', namespace, 'pod-security.kubernetes.io/enforce=restricted'])
  expect({ code, err }).toEqual({ code: 0, err: '' })
  await inNamespace('patch', 'tframeworkconfig', 'tars-framework', '--type', 'merge', '-p', '{"hostTimezone": false}')

  // Its services report soon. With the framework gone nobody says that there is no other pod for callers to go to.
  const content = '<tars>\n<application>\n<client>\nasyncthread=2\nreport-interval=10000\n</client>\n</application>\n</tars>\n'
  await inNamespace('patch', 'ttemplate', 'tars.nodejs', '--type', 'merge', '-p', JSON.stringify({ spec: { content } }))
  const profile = join(cluster.dir, 'profile.conf')
  await writeFile(profile, '<tars>\n<application>\n<server>\ndrain-delay=500\n</server>\n</application>\n</tars>\n')
  const [hello] = await packSamples({ cacheDir: join(cacheDir, 'local') })
  await cluster.tarsk8s('release', hello.file, '--app', 'Demo', '--server', 'HelloServer', '--type', 'nodejs')
  await cluster.tarsk8s('deploy', '--app', 'Demo', '--server', 'HelloServer', '--servant', 'HelloObj:10001', '--template', 'tars.nodejs', '--profile', profile, '--release', 'latest')
  expect(await cluster.tarsk8s('status')).toMatch(/Demo\.HelloServer .* 1\/1 .* Active/)
  expect(await inNamespace('get', 'pod', pod, '-o', 'jsonpath={.spec.containers[0].image}')).toContain(`${registry.address}/services/demo.helloserver:`)
  await greets()
})

test('AdminRegObj, tarskevent and tarsstat know of it', async () => {
  await knowPods('tars-tarsadminregistry', 'tars-tarsquerystat')
  const state = await cluster.tarsk8s('call', 'tars.tarsAdminRegistry.AdminRegObj', 'getServerState', '"Demo"', '"HelloServer"', `"${pod}"`, '--tars', protocol('AdminReg.tars'))
  expect(JSON.parse(state)).toMatchObject({ return: 0, state: { presentStateInReg: 'active', presentStateInNode: 'Active' } })

  // tarskevent keeps what Kubernetes says of the pod; tarsstat knows the pod that reports by its address.
  const day = (offset: number): string => new Date(Date.now() + offset).toISOString().slice(0, 10).replaceAll('-', '')
  const where = [{ field: 'name', op: 'eq', value: pod }]
  const kept = `http://${await cluster.addressOf('tars-tarskevent-0')}:17101/store/find`
  await eventually(async () => (await (await fetch(kept, { method: 'POST', body: JSON.stringify({ from: day(-86_400_000), to: day(0), where }) })).text()).includes('"reason":"Started"'), 'the start of the pod is kept')
  const calls = await eventually(async () => {
    const question = { uid: '', method: 'query', dataid: 'tars_stat', date: '', tflag1: '0000', tflag2: '2360', conditions: [{ field: 'f_date', op: 2, val: day(-86_400_000) }, { field: 'f_date', op: 4, val: day(0) }], indexs: ['succ_count'], groupby: ['master_name', 'master_ip', 'slave_name'] }
    const { rsp } = JSON.parse(await cluster.tarsk8s('call', 'tars.tarsquerystat.QueryObj', 'query', JSON.stringify(question), '--tars', protocol('MonitorQuery.tars'))) as { rsp: { ret: number; msg: string; result: Readonly<Record<string, readonly number[]>> } }
    expect([rsp.ret, rsp.msg]).toEqual([0, ''])
    return Object.keys(rsp.result).length > 0 ? rsp.result : undefined
  }, 'calls are reported')
  expect(Object.keys(calls).every((key) => key.startsWith(`Demo.HelloServer,${pod},`))).toBe(true)
})

test('a local volume is made on the node, and its data outlives the pod', async () => {
  const before = await uidOf(pod)
  await patchHello({ k8s: { mounts: [{ name: 'data', mountPath: '/data', source: { tLocalVolume: {} } }] } })
  await anotherPod(before)
  const claim = `data-${pod}`
  expect(await inNamespace('get', 'pvc', claim, '-o', 'jsonpath={.status.phase}')).toBe('Bound')
  const volume = JSON.parse(await cluster.kubectl('get', 'pv', await inNamespace('get', 'pvc', claim, '-o', 'jsonpath={.spec.volumeName}'), '-o', 'json')) as { spec: object }
  const path = `${volumesFolder}/${cluster.namespace}/Demo.HelloServer/data`
  expect(volume.spec).toMatchObject({
    local: { path },
    nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [nodeName] }] }] } },
  })
  await inPod('echo kept > /data/file')
  expect(await readFile(cluster.plane.machine.outside(`${path}/file`), 'utf8')).toBe('kept\n')
  const first = await uidOf(pod)
  await inNamespace('delete', 'pod', pod, '--wait=false')
  await anotherPod(first)
  expect(await inPod('cat /data/file')).toBe('kept')
  await greets()
})

test('uninstall leaves services and data and says so, and what was left can be removed as it says', async () => {
  const { namespace, plane } = cluster
  const [running, folder] = [await uidOf(pod), plane.machine.outside(`${volumesFolder}/${namespace}/Demo.HelloServer/data`)]
  expect(await cluster.helm('uninstall', 'tars', '-n', namespace)).toMatch(/kept due to the resource policy:\s+\[ConfigMap\] tars-left-behind/)
  const told = await inNamespace('get', 'configmap', 'tars-left-behind', '-o', 'jsonpath={.data.README}')
  expect(told).toContain(`leaves in namespace ${namespace}: your services`)
  await inNamespace('wait', '--for=delete', 'pod/tars-tarsregistry-0', '--timeout=300s')
  // What it names is there, and the service runs on with its data.
  for (const [word, kind] of [['TServers', 'tservers'], ['TImages', 'timages'], ['templates', 'ttemplates'], ['tree of applications', 'ttrees'], ['settings', 'tframeworkconfigs'], ['claims of volumes', 'pvc']] as const) {
    expect(told).toContain(word)
    expect(await inNamespace('get', kind, '-o', 'name'), kind).not.toBe('')
  }
  expect(await inNamespace('get', 'tservers,timages', '-o', 'name')).toMatch(/tserver\.k8s\.tars\.io\/demo-helloserver[^]*timage\.k8s\.tars\.io\/demo-helloserver/)
  expect(await uidOf(pod)).toBe(running)
  expect(await inPod('cat /data/file')).toBe('kept')

  // And goes as it says.
  const commands = told.split('\n').flatMap((line) => /^ +kubectl (.+)$/.exec(line)?.[1]?.split(' ') ?? [])
  expect(commands.join(' ')).toMatch(/^-n prod delete tservers,\S+ --all delete namespace prod$/)
  await cluster.kubectl(...commands.slice(0, 5))
  await inNamespace('wait', '--for=delete', `pod/${pod}`, '--timeout=300s')
  await plane.machine.until('the volume and its folder are gone', async () => !existsSync(folder) && (await cluster.kubectl('get', 'pv', '-o', 'name')) === '')
  await cluster.kubectl(...commands.slice(5), '--timeout=300s')
})
