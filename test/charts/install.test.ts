// Both charts through their life: installed from their archives, upgraded, uninstalled by real Helm, on the embedded API server or
// on a real one that is named by TARSK8S_TEST_KUBECONFIG and has no controllers of its own for Jobs.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { resources } from '#api/resources.ts'
import { frameworkRoles } from '#api/seed/servers.ts'
import type { TFrameworkConfig, TImage, TServer, TTemplate } from '#api/types.ts'
import { createKubeClient } from '#kube/client.ts'
import { configMaps, customResourceDefinitions, namespaces, serviceAccounts, statefulSets, storageClasses } from '#kube/resources.ts'
import type { Resource } from '#kube/types.ts'
import type { ChartName } from '../../framework/charts/charts.ts'
import { startController } from '../../framework/controller/controller.ts'
import { convertObjects } from '../../framework/controller/webhook/convert.ts'
import { liveReaders } from '../../framework/controller/webhook/readers.ts'
import { registrations } from '../../framework/controller/webhook/registrations.ts'
import { silentLogger } from '#base/log.ts'
import type { Running } from '#base/lifecycle.ts'
import { behaviourCluster, embedded, eventually, startTestCluster, type TestCluster } from '../rig/kube.ts'
import type { Output } from '../rig/local-cluster.ts'
import { helm, HELM_BUILD_MS, helmProgram, packCharts, rendered, runJobs } from './rig.ts'

const registry = 'registry.test:5000/tars'
/** What an operator writes into a template. */
const mine = '<tars>\n  mine=1\n</tars>\n'
const frameworkValues = ['--set', `framework.registry=${registry},upload.registry=registry.test/services`]

let folder: string
let cluster: TestCluster
let controller: Running | undefined
let kubelet: { stop(): Promise<void> }
let first: Readonly<Record<ChartName, string>>
let second: Readonly<Record<ChartName, string>>
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tarsk8s-install-'))
  await helmProgram()
  first = await packCharts(folder, '1.0.0')
  second = await packCharts(folder, '1.1.0')
  const late: { readers?: ReturnType<typeof liveReaders> } = {}
  const readers = { get: (...args: never[]) => late.readers?.get(...(args as unknown as [never, never, never])), list: (...args: never[]) => late.readers?.list(...(args as unknown as [never, never])) }
  cluster = embedded ? await startTestCluster({ admission: registrations(readers as never), convert: async (objects, version) => convertObjects(objects, version) }) : await behaviourCluster()
  late.readers = liveReaders(cluster.client)
  kubelet = runJobs(cluster)
}, HELM_BUILD_MS)
afterAll(async () => {
  await controller?.stop()
  await kubelet?.stop()
  if (!embedded) for (const name of ['red', 'blue']) await cluster.client.delete(namespaces, { name })
  await cluster?.stop()
  await rm(folder, { recursive: true, force: true })
})

/** Helm on this cluster. @throws what it says when it fails */
async function helmOn(...args: readonly string[]): Promise<Output> {
  const output = await helm(folder, ...args, '--kubeconfig', cluster.kubeconfigPath)
  if (output.code !== 0) throw new Error(output.err)
  return output
}

const get = async <T>(resource: Resource<never>, namespace: string, name: string): Promise<T> => (await cluster.client.get(resource as unknown as Resource, { namespace, name })) as unknown as T
const server = (namespace: string, name: string): Promise<TServer> => get(resources.tservers as never, namespace, name)
const template = (namespace: string, name: string): Promise<TTemplate> => get(resources.ttemplates as never, namespace, name)
const settings = (namespace: string): Promise<TFrameworkConfig> => get(resources.tframeworkconfigs as never, namespace, 'tars-framework')

describe('in order', () => {
  it('tarscontroller brings CRDs, its account and its pods, in tars-system', async () => {
    const { out } = await helmOn('install', 'tarscontroller', first.tarscontroller, '--take-ownership', '--set', `controller.registry=${registry}`)
    expect(out).toMatch(/rollout status deployment\/tars-controller-manger[^]*kubectl label node <node> tars\.io\/node\./)
    const { stdout } = await cluster.kubectl(['-n', 'tars-system', 'get', 'deployment,service,serviceaccount', '-o', 'name'])
    expect(stdout.trim().split('\n')).toEqual(expect.arrayContaining(['deployment.apps/tars-controller-manger', 'service/tars-webhook-service', 'serviceaccount/tars-controller']))
    expect((await cluster.client.list(customResourceDefinitions)).items.length).toBeGreaterThan(7)
    await cluster.client.get(storageClasses, { name: 'tars-storage-class' })
    await eventually(() => cluster.client.list(resources.tservers as never).then(() => true, () => undefined), 'TServers are served')
    const client = createKubeClient({ ...cluster.config, impersonate: 'system:serviceaccount:tars-system:tars-controller' })
    controller = await startController({ client, log: silentLogger })
    void controller.done.finally(() => client.close())
  })

  it.each(['red', 'blue'])('a framework in namespace %s', async (namespace) => {
    const { out } = await helmOn('install', 'tars', first.tarsframework, '-n', namespace, '--create-namespace', ...frameworkValues)
    expect(out).toContain(`kubectl label node <node> tars.io/node.${namespace}=`)
    expect(out).toContain('No document store is set')
    for (const role of frameworkRoles) {
      const name = `tars-tars${role}`
      await cluster.client.get(serviceAccounts, { namespace, name })
      const set = await eventually(() => cluster.client.get(statefulSets, { namespace, name }).catch(() => undefined), `${name} has pods`)
      expect(set['spec'].template.spec).toMatchObject({ serviceAccountName: name, containers: [{ image: `${registry}/tars.framework:1.0.0`, command: ['tarsk8s', role] }] })
    }
    expect((await server(namespace, 'tars-tarsregistry')).spec.k8s.replicas).toBe(2)
    expect(await settings(namespace)).toMatchObject({ imageUpload: { registry: 'registry.test/services' }, nodeImage: { image: `${registry}/tars.tarsnode:1.0.0` } })
    expect((await get<TImage>(resources.timages as never, namespace, 'nodejsbase')).releases).toMatchObject([{ id: 'builtin-nodejsbase-1.0.0', image: `${registry}/tars.nodejsbase:1.0.0` }])
    const { stdout } = await cluster.kubectl(['-n', namespace, 'get', 'ttemplates,ttrees', '-o', 'name'])
    expect(stdout.trim().split('\n').toSorted()).toEqual([...['cpp', 'default', 'es', 'java', 'nodejs', 'php'].map((name) => `ttemplate.k8s.tars.io/tars.${name}`), 'ttree.k8s.tars.io/tars-tree'])
  })

  it('an upgrade keeps what operators changed, and brings the rest to the new version', async () => {
    const edit = async (...args: readonly string[]): Promise<void> => {
      const { code, stderr } = await cluster.kubectl(['-n', 'red', 'patch', ...args])
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    }
    await edit('ttemplate', 'tars.cpp', '--type', 'merge', '-p', JSON.stringify({ spec: { content: mine } }))
    await edit('tframeworkconfig', 'tars-framework', '--type', 'merge', '-p', '{"imageBuild":{"maxBuildTime":700},"upChain":{"other":[{"host":"10.0.0.1","port":1,"isTcp":false}]}}')
    await edit('tserver', 'tars-tarsconfig', '--type', 'merge', '-p', '{"spec":{"k8s":{"replicas":3}}}')
    await edit('ttree', 'tars-tree', '--type', 'json', '-p', '[{"op":"add","path":"/apps/-","value":{"name":"Demo","businessRef":""}}]')
    const before = await cluster.client.get(statefulSets, { namespace: 'blue', name: 'tars-tarsconfig' })
    await helmOn('upgrade', 'tars', second.tarsframework, '-n', 'red', ...frameworkValues)
    expect((await template('red', 'tars.cpp')).spec.content).toBe(mine)
    expect(await settings('red')).toMatchObject({ imageBuild: { maxBuildTime: 700 }, upChain: { other: [{ host: '10.0.0.1', port: 1, isTcp: false }] }, nodeImage: { image: `${registry}/tars.tarsnode:1.1.0` } })
    expect((await server('red', 'tars-tarsconfig')).spec).toMatchObject({ k8s: { replicas: 3 }, release: { id: '1.1.0', image: `${registry}/tars.framework:1.1.0` } })
    expect(JSON.stringify(await get(resources.ttrees as never, 'red', 'tars-tree'))).toContain('"Demo"')
    expect((await get<TImage>(resources.timages as never, 'red', 'cppbase')).releases?.map(({ id }) => id)).toEqual(['builtin-cppbase-1.1.0', 'builtin-cppbase-1.0.0'])
    // The other framework is none of its business.
    expect(await cluster.client.get(statefulSets, { namespace: 'blue', name: 'tars-tarsconfig' })).toEqual(before)
    expect((await settings('blue')).nodeImage?.image).toBe(`${registry}/tars.tarsnode:1.0.0`)
  })

  it('settings that are given anew arrive', async () => {
    const { out } = await helmOn('upgrade', 'tars', second.tarsframework, '-n', 'red', '--set', `framework.registry=${registry},upload.registry=other.test/services,elk.nodes={es:9200},web=tars.test`)
    expect(out).toContain('There is no web interface in this version: nothing was made for the host tars.test.')
    expect(out).not.toContain('No document store')
    expect((await settings('red')).imageUpload.registry).toBe('other.test/services')
    expect((await template('red', 'tars.es')).spec.content).toContain('es:9200')
  })

  it('the same version again writes nothing to the framework', async () => {
    const versions = async (): Promise<unknown> => Promise.all([resources.tservers, resources.ttemplates, resources.tframeworkconfigs, resources.timages].map(async (resource) => (await cluster.client.list(resource as never, { namespace: 'blue' })).items.map(({ metadata }) => [metadata.name, metadata.resourceVersion])))
    await eventually(() => (controller as unknown as { idle: boolean }).idle, 'the controller is idle')
    const before = await versions()
    await helmOn('upgrade', 'tars', first.tarsframework, '-n', 'blue', ...frameworkValues)
    expect(await versions()).toEqual(before)
  })

  it('what no schema can say is refused by its field, with the rule and what to do', async () => {
    const mounts = [0, 1].map((index) => `servers.notify.mounts[${index}].name=data,servers.notify.mounts[${index}].mountPath=/data${index},servers.notify.mounts[${index}].source.emptyDir.medium=Memory`).join(',')
    await expect(helmOn('upgrade', 'tars', first.tarsframework, '-n', 'blue', ...frameworkValues, '--set', mounts)).rejects.toThrow('duplicate .mounts.name value data; field spec.k8s.mounts[1].name: a volume has one entry; spec.k8s.mounts[0].name has it already; remedy: rename one of them')
    await helmOn('rollback', 'tars', '-n', 'blue')
  })

  it('an upgrade of tarscontroller upgrades CRDs', async () => {
    await helmOn('upgrade', 'tarscontroller', second.tarscontroller, '--set', `controller.registry=${registry},crds.servers={v1beta1,v1beta2}`)
    const definition = await cluster.client.get(customResourceDefinitions, { name: 'tservers.k8s.tars.io' })
    expect((definition['spec'].versions as { name: string; served: boolean }[]).map(({ name, served }) => [name, served])).toEqual([['v1beta1', true], ['v1beta2', true], ['v1beta3', true]])
  })

  it('uninstall ends the servers, leaves data, and says what', async () => {
    const { out } = await helmOn('uninstall', 'tars', '-n', 'red')
    expect(out).toMatch(/kept due to the resource policy:\s+\[ConfigMap\] tars-left-behind/)
    expect((await cluster.client.get(configMaps, { namespace: 'red', name: 'tars-left-behind' }))['data'].README).toContain('kubectl -n red delete tservers,tconfigs')
    await eventually(async () => (await cluster.client.list(statefulSets, { namespace: 'red' })).items.length === 0, 'its pods are gone')
    expect((await template('red', 'tars.cpp')).spec.content).toBe(mine)
    expect((await server('blue', 'tars-tarsregistry')).spec.app).toBe('tars')
  })

  it('installed again it finds what was left', async () => {
    await helmOn('install', 'tars', second.tarsframework, '-n', 'red', ...frameworkValues)
    expect((await template('red', 'tars.cpp')).spec.content).toBe(mine)
    await server('red', 'tars-tarsadmin')
  })

  it('without tarscontroller everything stays', async () => {
    const { out } = await helmOn('uninstall', 'tarscontroller')
    expect(out).toMatch(/\[CustomResourceDefinition\] tservers\.k8s\.tars\.io/)
    expect((await server('blue', 'tars-tarsregistry')).spec.app).toBe('tars')
  })
})

it.each(['tarscontroller', 'tarsframework'] as const)('%s can be applied without Helm in the cluster', async (name) => {
  const namespace = await cluster.namespace()
  const values = name === 'tarscontroller' ? [`controller.registry=${registry}`] : [`framework.registry=${registry}`, 'upload.registry=registry.test/services']
  const objects = (await rendered(folder, first[name], values, { namespace })).filter(({ kind, metadata }) => kind !== 'TServer' && metadata.annotations?.['helm.sh/hook'] === undefined)
  const file = join(folder, `${name}.yaml`)
  await writeFile(file, objects.map((object) => stringify(object)).join('---\n'))
  expect(await cluster.kubectl(['apply', '--server-side', '--force-conflicts', '-f', file])).toMatchObject({ code: 0, stderr: '' })
})
