// Every role with what its ServiceAccount may do, and no more: it can do what it must, and not what it must not. On a real API
// server (TARSK8S_TEST_KUBECONFIG) by its tokens and its RBAC, on the embedded one by a guard that reads the same objects.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { nodeLabel } from '#api/names.ts'
import { resources } from '#api/resources.ts'
import type { Role, Running } from '#base/lifecycle.ts'
import { createLogger, silentLogger } from '#base/log.ts'
import { createKubeClient, type KubeClient, type KubeConfig } from '#kube/client.ts'
import type { KubeError } from '#kube/errors.ts'
import { customResourceDefinitions, events, nodes, persistentVolumeClaims, persistentVolumes, pods, serviceAccounts, statefulSets } from '#kube/resources.ts'
import type { AnyObject } from '#kube/types.ts'
import { Communicator } from '#tars/client.ts'
import { AdminReg, createAdapterConf, createPatchRequest, createPluginConf, createServerConf, type AdminRegProxy } from '#tars/protocol/AdminReg.ts'
import { start as adminRegistry } from '../../framework/admin/adminreg/role.ts'
import { start as agent } from '../../framework/agent/role.ts'
import { start as admin } from '../../framework/admin/role.ts'
import { start as config } from '../../framework/config/role.ts'
import { start as controller } from '../../framework/controller/role.ts'
import { start as kevent } from '../../framework/kevent/role.ts'
import { start as log } from '../../framework/log/role.ts'
import { start as notify } from '../../framework/notify/role.ts'
import { start as property } from '../../framework/property/role.ts'
import { start as queryproperty } from '../../framework/query/queryproperty.ts'
import { start as querystat } from '../../framework/query/querystat.ts'
import { start as registry } from '../../framework/registry/role.ts'
import { start as stat } from '../../framework/stat/role.ts'
import { seedFramework } from '../../framework/seed/seed.ts'
import { start as image } from '../../imagebuilder/role.ts'
import { layerFromFiles } from '../../imagebuilder/layer.ts'
import { elf, tgz } from '../imagebuilder/rig/archives.ts'
import { bind, createClaim, createNode, nodeName, release, volumeNamed } from '../agent/rig.ts'
import { behaviourCluster, embedded, eventually, type TestCluster } from '../rig/kube.ts'
import { ownAddress } from '../rig/own-address.ts'
import { startGuard, type Guard } from './guard.ts'
import { HELM_BUILD_MS, helmProgram, packCharts, rendered } from './rig.ts'

let folder: string
let cluster: TestCluster
let namespace: string
let objects: AnyObject[]
const guards: Guard[] = []
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tarsk8s-access-'))
  await helmProgram()
  const charts = await packCharts(folder, '1.0.0')
  cluster = await behaviourCluster()
  namespace = await cluster.namespace()
  const made = [
    ...(await rendered(folder, charts.tarscontroller, ['controller.registry=registry.test'], { namespace: 'default' })),
    ...(await rendered(folder, charts.tarsframework, ['framework.registry=registry.test', 'upload.registry=registry.test'], { namespace })),
  ]
  objects = made.filter(({ kind }) => !['TServer', 'Job', 'Deployment'].includes(kind))
  const file = join(folder, 'objects.yaml')
  await writeFile(file, objects.map((object) => stringify(object)).join('---\n'))
  expect(await cluster.kubectl(['apply', '--server-side', '--force-conflicts', '-f', file])).toMatchObject({ code: 0 })
  for (const resource of Object.values(resources)) await eventually(() => cluster.client.list(resource as never).then(() => true, () => false), `${resource.plural} are served`)
}, HELM_BUILD_MS)
afterAll(async () => {
  for (const guard of guards) await guard.stop()
  await cluster?.stop()
  await rm(folder, { recursive: true, force: true })
})

/** How the pods of a role reach the API server. */
async function configOf(account: string): Promise<KubeConfig & { readonly refused: readonly string[] }> {
  const home = ['tars-controller', 'tars-agent'].includes(account) ? 'tars-system' : namespace
  if (embedded) {
    const guard = await startGuard(cluster.config, objects, account, home)
    guards.push(guard)
    return { ...guard.config, refused: guard.refused }
  }
  await cluster.client.get(serviceAccounts, { namespace: home, name: account })
  const answer = (await cluster.client.raw('POST', `/api/v1/namespaces/${home}/serviceaccounts/${account}/token`, { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} })) as { status: { token: string } }
  const { server, ca } = cluster.config
  return { server, ca, token: answer.status.token, refused: [] }
}

/** Starts a role as its account, and stops it after what is to be seen. Nothing may have been refused. */
async function asRole(account: string, role: Role, env: Readonly<Record<string, string>>, see: (running: Running) => Promise<unknown>): Promise<void> {
  const { server, ca, token = '', impersonate, refused } = await configOf(account)
  const kubeconfig = join(folder, `${account}.json`)
  const authority = ca === undefined ? {} : { 'certificate-authority-data': Buffer.from(ca).toString('base64') }
  await writeFile(kubeconfig, JSON.stringify({
    'current-context': 'c', contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    clusters: [{ name: 'c', cluster: { server, ...authority } }], users: [{ name: 'u', user: { token, ...(impersonate === undefined ? {} : { as: impersonate }) } }],
  }))
  const said: string[] = []
  const logger = createLogger({ format: 'text', write: (line) => void said.push(line) })
  const running = await role({ env: { KUBECONFIG: kubeconfig, ...env }, log: logger, signal: new AbortController().signal })
  try {
    await see(running)
  } catch (error) {
    throw new Error(`${account}: ${String(error)}\n${said.join('')}`, { cause: error })
  } finally {
    await running.stop()
  }
  expect([...refused, ...said.filter((line) => /forbidden|cannot (?:get|list|watch|create|patch|update|delete) /i.test(line))]).toEqual([])
}

const podEnv = (name: string): Record<string, string> => ({ Namespace: namespace, PodName: name, PodIP: ownAddress() })
const apiVersion = 'k8s.tars.io/v1beta3'

/** A pod with the gate that tarsregistry opens. */
const gatedPod = (name: string): AnyObject => ({
  apiVersion: 'v1', kind: 'Pod', metadata: { namespace, name, labels: { 'tars.io/ServerApp': 'tars', 'tars.io/ServerName': 'tarsregistry' } },
  spec: { serviceAccountName: 'tars-tarsregistry', readinessGates: [{ conditionType: 'tars.io/active' }], containers: [{ name: 'c', image: 'x' }] },
})

describe('what it must', () => {
  it('the seed makes and upgrades the settings of a framework', async () => {
    const { refused, ...access } = await configOf('tars-seed')
    const client = createKubeClient(access)
    const settings = { namespace, images: 'registry.test', tag: '1.0.0', secret: '', upload: 'registry.test', uploadSecret: '', elkNodes: [], bases: ['cppbase'] }
    await seedFramework(settings, { client, log: silentLogger })
    await seedFramework({ ...settings, tag: '1.0.1' }, { client, log: silentLogger })
    client.close()
    expect(refused).toEqual([])
  })

  it('tarsregistry opens the gate of its pod', async () => {
    const name = 'tars-tarsregistry-0'
    await cluster.client.create(pods, gatedPod(name))
    await asRole('tars-tarsregistry', registry, podEnv(name), () => eventually(async () => {
      const { status } = await cluster.client.get(pods, { namespace, name })
      return (status?.conditions as { type: string; status: string }[] | undefined)?.some((condition) => condition.type === 'tars.io/active' && condition.status === 'True')
    }, 'the gate is open'))
  })

  it.each([
    ['tars-tarsconfig', config, { TARSCONFIG_PORT: '0' }],
    ['tars-tarsnotify', notify, { TARSNOTIFY_PORT: '0' }],
    ['tars-tarslog', log, {}],
    ['tars-tarsstat', stat, {}],
    ['tars-tarsproperty', property, {}],
    ['tars-tarsquerystat', querystat, {}],
    ['tars-tarsqueryproperty', queryproperty, {}],
  ] as const)('%s serves', async (account, role, env) => {
    await asRole(account, role, { ...podEnv(`${account}-0`), TARSSTORE_DATA: join(folder, account), TARSLOG_PATH: join(folder, account), ...env }, async () => {})
  })

  it('tarskevent follows the events of its namespace and of the cluster, by its Lease', async () => {
    const involvedObject = { kind: 'Node', name: 'n', apiVersion: 'v1' }
    await cluster.client.create(events, { metadata: { namespace: 'default', name: `n.${namespace}` }, involvedObject, reason: 'Rebooted', type: 'Warning', message: 'm', lastTimestamp: new Date().toISOString() } as never)
    const env = podEnv('tars-tarskevent-0')
    await asRole('tars-tarskevent', kevent, { ...env, TARSSTORE_DATA: join(folder, 'kevent') }, async () => {
      const day = new Date().toISOString().slice(0, 10).replaceAll('-', '')
      const ask = async (): Promise<string> => (await fetch(`http://${env['PodIP']}:17101/store/find`, { method: 'POST', body: JSON.stringify({ from: day, to: day, where: [{ field: 'kind', op: 'eq', value: 'Node' }] }) })).text()
      await eventually(async () => (await ask()).includes('Rebooted'), 'the event is kept')
    })
  })

  it('tarsadmin passes logs on', async () => {
    await asRole('tars-tarsadmin', admin, { ...podEnv('tars-tarsadmin-0'), TARSADMIN_PORT: '0' }, async (running) => {
      const { url } = running as Running & { readonly url: string }
      expect((await fetch(`${url}/api/v1/servers`)).status).toBe(200)
      expect((await fetch(`${url}/api/v1/pods/nothing/logs`)).status).toBe(404)
    })
    const { refused: _, ...access } = await configOf('tars-tarsadmin')
    expect(await refusal(access, 'GET', `/api/v1/namespaces/${namespace}/pods/nothing/log`)).not.toBe(403)
  })

  it('tarsAdminRegistry makes a server, releases it and takes it away', async () => {
    const account = 'tars-tarsadminregistry'
    const pod = `demo-admin-0`
    await cluster.client.create(resources.timages as never, { apiVersion, kind: 'TImage', metadata: { namespace, name: 'demo-admin', labels: { 'tars.io/ServerApp': 'Demo', 'tars.io/ServerName': 'Admin' } }, imageType: 'server', releases: [{ id: 'v1', image: 'x' }, { id: 'v0', image: 'x' }] } as never)
    await cluster.client.create(pods, { metadata: { namespace, name: pod, labels: { 'tars.io/ServerApp': 'Demo', 'tars.io/ServerName': 'Admin' } }, spec: { containers: [{ name: 'c', image: 'x' }] } } as never)
    const endpoint = { apiVersion, kind: 'TEndpoint', metadata: { namespace, name: 'demo-admin' }, spec: { app: 'Demo', server: 'Admin', subType: 'tars' } }
    await cluster.client.create(resources.tendpoints as never, endpoint as never)
    await cluster.client.patch(resources.tendpoints as never, { namespace, name: 'demo-admin' }, { status: { pods: [{ uid: 'u', name: pod, settingState: 'Active', presentState: 'Active' }] } }, { subresource: 'status' })
    const communicator = new Communicator({ timeoutMs: 60_000 })
    const conf = createServerConf({ application: 'Demo', serverName: 'Admin', nodeName: 'n1', profile: 'tars.default' })
    const adapter = createAdapterConf({ servant: 'Demo.Admin.Obj', endpoint: 'tcp -h 10.0.0.1 -p 8000 -t 3000', protocol: 'tars' })
    await asRole(account, adminRegistry, { ...podEnv(`${account}-0`), PodIP: '127.0.0.1', TARSADMINREGISTRY_PORT: '0' }, async (running) => {
      const proxy = communicator.proxy<AdminRegProxy>(AdminReg, `tars.tarsAdminRegistry.AdminRegObj@tcp -h 127.0.0.1 -p ${(running as Running & { readonly port: number }).port}`)
      expect(await proxy.insertServerConf(conf, false)).toBe(0)
      expect(await proxy.insertAdapterConf('Demo', 'Admin', 'n1', adapter, false)).toBe(0)
      await eventually(async () => (await proxy.insertConfigFile('Demo.Admin', 'a.conf', 'x', '', 2, false)) === 0, 'a file')
      expect(await proxy.batchPatch(createPatchRequest({ appname: 'Demo', servername: 'Admin', version: 'v1' }))).toMatchObject({ return: 0 })
      await eventually(async () => (await proxy.deletePatchFile('Demo', 'Admin', 'v0')) === 0, 'a release goes')
      await eventually(async () => (await proxy.updateServerFlowState('Demo', 'Admin', [pod], false)) === 0, 'callers are sent elsewhere')
      expect(await proxy.hasAdminAuth('nobody')).toEqual({ return: 0, has: false })
      expect(await proxy.checkTicket('none')).toEqual({ return: 0, uid: '' })
      expect(await proxy.registerPlugin(createPluginConf({ name: 'p', name_en: 'plug', obj: 'A.B.C' }))).toBe(0)
      expect(await proxy.shutdownNode(pod)).toMatchObject({ return: 0 })
      expect(await proxy.undeploy('Demo', 'Admin', 'n1', 'me')).toMatchObject({ return: 0 })
    })
    await communicator.close()
    await cluster.client.deleteCollection(resources.tconfigs as never, { namespace })
  })

  it('tarsimage keeps a build in its TImage, and reads what it needs', async () => {
    await cluster.client.create(resources.timages as never, { apiVersion, kind: 'TImage', metadata: { namespace, name: 'demo-hello' }, imageType: 'server', releases: [] } as never)
    const layer = await layerFromFiles([{ path: '/tarsnode/x', content: 'x' }], join(folder, 'supervisor.tar.gz'))
    await writeFile(join(folder, 'supervisor.json'), JSON.stringify({ ...layer, entrypoint: ['/x'] }))
    const env = { ...podEnv('tars-tarsimage-0'), TARSIMAGE_PORT: '0', TARSIMAGE_WORKSPACE: join(folder, 'work'), TARSIMAGE_SUPERVISOR: join(folder, 'supervisor.json') }
    await asRole('tars-tarsimage', image, env, async (running) => {
      const form = new FormData()
      for (const [field, value] of Object.entries({ ServerApp: 'Demo', ServerName: 'Hello', ServerType: 'cpp', ServerTag: 'v1', BaseImage: 'cppbase', Secret: 'none' })) form.set(field, value)
      form.set('ServerFile', new Blob([Uint8Array.from(tgz([{ name: 'Hello/Hello', mode: 0o755, content: elf(process.arch === 'arm64' ? 183 : 62) }]))]), 'Hello.tgz')
      const { url } = running as Running & { readonly url: string }
      const answer = await fetch(`${url}/api/v1beta3/timage/demo-hello/building?wait=1`, { method: 'POST', body: form })
      expect(await answer.text()).toContain('there is no Secret none')
      const kept = (await cluster.client.get(resources.timages as never, { namespace, name: 'demo-hello' })) as unknown as { build?: { last?: { phase?: string } } }
      expect(kept.build?.last?.phase).toBe('Failed')
    })
  })

  it('tars-agent makes and removes volumes, and says what it cannot make', async () => {
    const base = join(folder, 'volumes')
    const env = { NodeName: nodeName, TLVInHost: base, TARSAGENT_LOGS: join(folder, 'logs'), TARSAGENT_RULES: join(folder, 'rules'), TARSAGENT_LISTEN: '127.0.0.1', TAF_AGENT_PORT: '0' }
    const { client } = cluster
    // The chart has the kubelet make them.
    for (const made of [env.TLVInHost, env.TARSAGENT_LOGS]) await mkdir(made)
    await createNode(client, namespace)
    await asRole('tars-agent', agent, env, async () => {
      const claim = await createClaim(client, { namespace })
      const made = await eventually(async () => (await client.list(persistentVolumes)).items.find(({ metadata }) => metadata.name.startsWith(`${namespace}-data-demo-hello-`)), 'there is a volume')
      const raw = await createClaim(client, { namespace, volume: 'raw', volumeMode: 'Block' })
      await eventually(async () => (await client.list(events, { namespace })).items.some(({ reason }) => reason === 'LocalVolumeInvalid'), 'the other claim is told of')
      await client.delete(persistentVolumeClaims, { namespace, name: raw.metadata.name })
      await bind(client, claim, made.metadata.name)
      await release(client, claim, made.metadata.name)
      await eventually(async () => (await volumeNamed(client, made.metadata.name)) === undefined, 'the volume is gone')
    })
  })

  it('tarscontroller makes and removes all that belongs to a server', async () => {
    const demo = (name: string, k8s: object): AnyObject => ({
      apiVersion, kind: 'TServer', metadata: { namespace, name: `demo-${name.toLowerCase()}` },
      spec: { app: 'Demo', server: name, subType: 'normal', normal: { ports: [{ name: 'http', port: 80 }] }, k8s: { replicas: 1, ...k8s }, release: { id: 'v1', image: 'x' } },
    })
    const volume = [{ name: 'data', mountPath: '/data', source: { tLocalVolume: {} } }]
    const file = { apiVersion, kind: 'TConfig', metadata: { namespace, name: 'a' }, app: 'Demo', server: 'Kept', configName: 'a.conf', configContent: '', podSeq: 'm', version: '1', activated: true }
    const foreign = { apiVersion: 'v1', kind: 'Service', metadata: { namespace, name: 'demo-foreign' }, spec: { clusterIP: 'None', ports: [{ port: 80 }] } }
    const { client } = cluster
    const gone = (resource: typeof statefulSets, name: string): Promise<unknown> => eventually(() => client.get(resource, { namespace, name }).then(() => false, () => true), `${resource.kind} ${name} is gone`)
    const there = (resource: typeof statefulSets, name: string): Promise<unknown> => eventually(() => client.get(resource, { namespace, name }).then(() => true, () => false), `${resource.kind} ${name} is there`)
    await client.create({ ...statefulSets, group: '', plural: 'services', kind: 'Service' }, { ...foreign, metadata: { ...foreign.metadata, labels: { 'tars.io/ServerApp': 'Demo', 'tars.io/ServerName': 'Foreign' } } } as never)
    await asRole('tars-controller', controller, { TARSCONTROLLER_RUN: 'reconcilers', TARSCONTROLLER_NAMESPACE: 'tars-system', TARSCONTROLLER_ELECT: 'false' }, async () => {
      await createNode(client, namespace, { 'tars.io/node': 'stale' }, 'node-of-ours')
      await eventually(async () => (await client.get(nodes, { name: 'node-of-ours' })).metadata.labels?.['tars.io/node'] === '', 'tarsagent may come to the node')
      for (const server of [demo('Kept', {}), demo('Moved', { mounts: volume }), demo('Foreign', {})]) await client.create(resources.tservers as never, server as never)
      for (const name of ['demo-kept', 'demo-moved']) for (const resource of [statefulSets, resources.tendpoints, resources.texitedrecords]) await there(resource as never, name)
      await eventually(async () => (await client.list(events, { namespace })).items.some(({ reason }) => reason === 'OutControl'), 'the foreign Service is told of')
      await eventually(async () => JSON.stringify((await client.list(resources.ttrees as never, { namespace })).items).includes('"Demo"'), 'the application is in the tree')
      await client.patch(resources.tservers as never, { namespace, name: 'demo-moved' }, { spec: { k8s: { mounts: [] } } })
      // The set is made anew, and there is none for a moment.
      await eventually(() => client.get(statefulSets, { namespace, name: 'demo-moved' }).then((set) => set['spec'].volumeClaimTemplates === undefined, () => false), 'the set without the volume')
      await client.patch(resources.tservers as never, { namespace, name: 'demo-moved' }, { spec: { k8s: { daemonSet: true } } })
      await there({ ...statefulSets, plural: 'daemonsets', kind: 'DaemonSet' }, 'demo-moved')
      await gone(statefulSets, 'demo-moved')
      for (const name of ['a', 'b']) await client.create(resources.tconfigs as never, { ...file, metadata: { namespace, name, labels: labelsOf(file) } } as never)
      await eventually(async () => ((await client.list(resources.tconfigs as never, { namespace })).items as unknown as { activated: boolean }[]).filter(({ activated }) => activated).length === 1, 'one version is in force')
      for (const name of ['demo-kept', 'demo-moved']) await client.delete(resources.tservers as never, { namespace, name })
      await gone(statefulSets, 'demo-kept')
      await gone({ ...statefulSets, plural: 'daemonsets', kind: 'DaemonSet' }, 'demo-moved')
    })
    expect((await client.list(persistentVolumeClaims, { namespace })).items).toEqual([])
  })

  it('tarscontroller does what concerns the whole cluster', async () => {
    const { client } = cluster
    await client.create(nodes, { metadata: { name: 'used', labels: { [nodeLabel(namespace)]: '' } } } as never)
    // Nobody converts here.
    const older = objects.filter(({ kind, spec }) => kind === 'CustomResourceDefinition' && spec.conversion.strategy === 'None').map(({ metadata, spec }) => ({ name: metadata.name, versions: (spec.versions as { name: string }[]).map((version) => ({ ...version, storage: version.name === 'v1beta2' })) }))
    for (const { name, versions } of older) await client.patch(customResourceDefinitions, { name }, { spec: { versions } })
    const stored = async (): Promise<unknown[]> => (await client.list(customResourceDefinitions)).items.filter(({ metadata }) => older.some(({ name }) => name === metadata.name)).map(({ status }) => status.storedVersions as unknown)
    await asRole('tars-controller', controller, { TARSCONTROLLER_RUN: 'reconcilers', TARSCONTROLLER_NAMESPACE: 'tars-system', TARSCONTROLLER_ELECT: 'false', TARSCONTROLLER_STORAGE_REST: '0' }, async () => {
      await eventually(async () => (await client.get(nodes, { name: 'used' })).metadata.labels?.['tars.io/node'] === '', 'the node is marked')
      await eventually(async () => (await stored()).every((versions) => JSON.stringify(versions) === '["v1beta2"]'), 'all is stored in one version')
    })
    await client.delete(nodes, { name: 'used' })
  })
})

const labelsOf = ({ app, server, configName, podSeq, version }: { readonly app: string; readonly server: string; readonly configName: string; readonly podSeq: string; readonly version: string }): Record<string, string> =>
  ({ 'tars.io/ServerApp': app, 'tars.io/ServerName': server, 'tars.io/ConfigName': configName, 'tars.io/PodSeq': podSeq, 'tars.io/Version': version, 'tars.io/Activated': 'true' })

/** The status of a refusal; undefined when it was done. */
async function refusal(access: KubeConfig, method: string, path: string): Promise<number | undefined> {
  const client: KubeClient = createKubeClient(access)
  try {
    await client.raw(method, path, method === 'GET' || method === 'DELETE' ? undefined : {}, method === 'PATCH' ? { contentType: 'application/merge-patch+json' } : {})
    return undefined
  } catch (error) {
    return (error as KubeError).status
  } finally {
    client.close()
  }
}

describe('what it must not', () => {
  const tars = '/apis/k8s.tars.io/v1beta3/namespaces/NS'
  const everyone: readonly (readonly [string, string])[] = [
    ['GET', '/api/v1/secrets'], ['GET', '/api/v1/namespaces/NS/secrets'], ['POST', '/api/v1/namespaces/NS/secrets'], ['DELETE', '/api/v1/namespaces/NS/pods/x'], ['POST', '/api/v1/namespaces/NS/pods'],
    ['POST', '/api/v1/namespaces/NS/pods/x/exec'], ['PATCH', '/api/v1/nodes/x'], ['GET', '/apis/k8s.tars.io/v1beta3/namespaces/kube-system/tconfigs/x'],
    ['POST', '/apis/rbac.authorization.k8s.io/v1/namespaces/NS/rolebindings'], ['POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings'], ['PATCH', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/tservers.k8s.tars.io'],
    ['PATCH', `${tars}/tservers/x`], ['DELETE', `${tars}/tservers/x`], ['DELETE', `${tars}/tservers`], ['DELETE', `${tars}/ttemplates/x`], ['PATCH', `${tars}/tendpoints/x`],
  ]
  const only: Readonly<Record<string, readonly string[]>> = {
    // What operators do through it.
    'tars-tarsadminregistry': ['DELETE /api/v1/namespaces/NS/pods/x', `PATCH ${tars}/tservers/x`, `DELETE ${tars}/tservers/x`],
    // What the controller is for.
    'tars-controller': ['DELETE /api/v1/namespaces/NS/pods/x', 'GET /apis/k8s.tars.io/v1beta3/namespaces/kube-system/tconfigs/x', `PATCH ${tars}/tendpoints/x`, `PATCH ${tars}/tservers/x`, 'PATCH /api/v1/nodes/x', 'PATCH /apis/apiextensions.k8s.io/v1/customresourcedefinitions/tservers.k8s.tars.io'],
  }
  const more: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
    'tars-controller': [['PATCH', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/tconfigs.k8s.tars.io'], ['PATCH', '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/other'], ['GET', '/api/v1/namespaces/tars-system/secrets/other'], ['DELETE', `${tars}/timages/x`], ['PATCH', '/api/v1/namespaces/NS/configmaps/x'], ['GET', '/api/v1/namespaces/NS/secrets/x'], ['GET', '/apis/coordination.k8s.io/v1/namespaces/NS/leases/x'], ['DELETE', '/api/v1/nodes/x'], ['PATCH', '/api/v1/nodes/x/status']],
    'tars-agent': [['PATCH', '/api/v1/namespaces/NS/persistentvolumeclaims/x'], ['GET', '/apis/k8s.tars.io/v1beta3/namespaces/NS/tservers'], ['GET', '/api/v1/namespaces/NS/configmaps']],
    'tars-tarsregistry': [['PATCH', '/api/v1/namespaces/NS/pods/x'], ['GET', '/api/v1/namespaces/NS/secrets/x'], ['PATCH', '/api/v1/namespaces/kube-system/pods/x/status']],
    'tars-tarsconfig': [['PATCH', `${tars}/tconfigs/x`], ['GET', `${tars}/tservers/x`], ['PATCH', '/api/v1/namespaces/NS/pods/x/status']],
    'tars-tarsnotify': [['GET', `${tars}/tconfigs`], ['PATCH', '/api/v1/namespaces/NS/pods/x/status']],
    'tars-tarsstat': [['GET', `${tars}/tservers`], ['PATCH', '/api/v1/namespaces/NS/pods/x/status'], ['GET', '/api/v1/namespaces/kube-system/pods']],
    'tars-tarsproperty': [['GET', `${tars}/tservers`], ['GET', '/api/v1/namespaces/kube-system/pods']],
    'tars-tarsquerystat': [['GET', `${tars}/tservers`], ['GET', '/api/v1/namespaces/kube-system/pods']],
    'tars-tarsqueryproperty': [['GET', `${tars}/tservers`], ['GET', '/api/v1/namespaces/kube-system/pods']],
    'tars-tarskevent': [['POST', '/api/v1/namespaces/NS/events'], ['DELETE', '/api/v1/namespaces/NS/events/x'], ['GET', '/api/v1/namespaces/NS/pods'], ['DELETE', '/apis/coordination.k8s.io/v1/namespaces/NS/leases/x']],
    'tars-tarslog': [['GET', `${tars}/tconfigs`], ['GET', '/api/v1/namespaces/kube-system/pods'], ['PATCH', '/api/v1/namespaces/NS/pods/x/status'], ['GET', '/apis/coordination.k8s.io/v1/namespaces/NS/leases']],
    'tars-tarsimage': [['GET', '/api/v1/namespaces/kube-system/secrets/x'], ['DELETE', `${tars}/timages/x`], ['GET', `${tars}/tframeworkconfigs/other`], ['PATCH', `${tars}/tframeworkconfigs/tars-framework`]],
    'tars-tarsadmin': [['GET', '/api/v1/namespaces/NS/secrets/x'], ['GET', '/api/v1/namespaces/kube-system/pods/x/log'], ['GET', `${tars}/tconfigs`]],
    'tars-tarsadminregistry': [['GET', '/api/v1/namespaces/NS/secrets/x'], ['PATCH', `${tars}/tconfigs/x`], ['PATCH', `${tars}/taccounts/x`], ['PATCH', `${tars}/tframeworkconfigs/tars-framework`], ['DELETE', `${tars}/timages/x`], ['DELETE', '/api/v1/namespaces/kube-system/pods/x']],
    'tars-seed': [['DELETE', `${tars}/tframeworkconfigs/tars-framework`], ['GET', `${tars}/ttemplates`], ['GET', '/api/v1/namespaces/NS/secrets/x']],
  }
  it('is tried by each that the charts bring', () => {
    const accounts = objects.filter(({ kind }) => kind === 'ServiceAccount').map(({ metadata }) => metadata.name)
    expect(Object.keys(more).toSorted()).toEqual(accounts.toSorted())
  })

  it.each(Object.keys(more))('%s', async (account) => {
    const { refused: _, ...access } = await configOf(account)
    const tried = [...everyone, ...(more[account] ?? [])].filter(([method, path]) => only[account]?.includes(`${method} ${path}`) !== true)
    const done = await Promise.all(tried.map(async ([method, path]) => [method, path, await refusal(access, method, path.replace('NS', namespace))] as const))
    expect(done.filter(([, , status]) => status !== 403)).toEqual([])
  })
})
