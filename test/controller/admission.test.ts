// Bad and old objects through kubectl and the HTTP API, as an operator meets them.
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { inVersion, resources } from '#api/resources.ts'
import type { AnyObject, Resource } from '#kube/types.ts'
import { debianTool } from '../rig/tools.ts'
import { startCluster, type TestCluster } from './cluster.ts'

let cluster: TestCluster
let folder: string
let program: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tarsk8s-admission-'))
  cluster = await startCluster()
  program = await debianTool('kubectl', 'kubernetes-client')
})
afterAll(async () => {
  await cluster?.stop()
  await rm(folder, { recursive: true, force: true })
})

async function kubectl(input: object | undefined, ...args: string[]): Promise<{ out: string; err: string }> {
  const running = promisify(execFile)(program, ['--kubeconfig', cluster.kubeconfigPath, '-n', cluster.namespace, ...args, ...(input === undefined ? [] : ['-f', '-'])], { env: { ...process.env, HOME: folder } })
  if (input !== undefined) running.child.stdin?.end([input].flat().map((object) => `---\n${JSON.stringify(object)}\n`).join(''))
  return running.then(({ stdout, stderr }) => ({ out: stdout, err: stderr }), (error: { stdout: string; stderr: string }) => ({ out: error.stdout, err: error.stderr }))
}

const server = (spec: object = {}, name = 'demo-hello') => ({
  apiVersion: 'k8s.tars.io/v1beta3', kind: 'TServer', metadata: { name },
  spec: { app: 'Demo', server: 'Hello', subType: 'tars', tars: { template: 'tars.default', servants: [{ name: 'HelloObj', port: 8000 }] }, k8s: {}, ...spec },
})
const tars = (servants: object[], template = 'tars.default') => ({ tars: { template, servants } })

describe('kubectl apply of a bad TServer', () => {
  test.each([
    ['another name', server({}, 'hello'), 'unexpected resource name; field metadata.name: must be lower(spec.app)-lower(spec.server), which is "demo-hello", not "hello"; remedy: set metadata.name to "demo-hello"'],
    ['port 19385', server(tars([{ name: 'A', port: 19385 }])), 'servants port value should not equal 19385; field spec.tars.servants[0].port: ports 1000, 19385, 19386, 19387 are used by tarsnode in every pod; remedy: choose another port'],
    ['duplicate servants', server(tars([{ name: 'A', port: 1 }, { name: 'a', port: 2 }])), 'duplicate servant name value a; field spec.tars.servants[1].name'],
    ['a profile that is no configuration text', server({ tars: { template: 'tars.default', servants: [], profile: '<tars><unclosed>\n<x>' } }), 'value is not configuration text; field spec.tars.profile: line 2: the domain is never closed: <x>; remedy: add a line </x>'],
    ['an unknown template', server(tars([], 'none')), 'ttemplate ns/none not exists; field spec.tars.template: must name an existing ttemplate of the namespace; remedy: create TTemplate none first'],
  ])('%s is refused with field, rule and remedy', async (_what, object, text) => {
    const { out, err } = await kubectl(object, 'apply')
    expect(err).toMatch(/admission webhook "(mutating\.crd\.tars\.io|validating\.crd\.tars\.io-0)" denied the request: /)
    expect(err).toContain(text)
    expect(out).toBe('')
  })

  test.each([
    ['an application with a hyphen', server({ app: 'De-mo' }), 'spec.app'],
    ['a port out of range', server(tars([{ name: 'A', port: 70000 }])), 'spec.tars.servants[0].port'],
    ['fewer replicas than none, and no release', server({ k8s: { replicas: -1 } }), 'spec.k8s.replicas'],
    ['too many replicas, and no release', server({ k8s: { replicas: 100000 } }), 'spec.k8s.replicas'],
    ['too many replicas of a release', server({ k8s: { replicas: 100 }, release: { id: 'v1', image: 'i' } }), 'spec.k8s.replicas'],
    ['no kind', server({ tars: undefined }), 'spec'],
    ['servants that are no list', server({ tars: { template: 'tars.default', servants: 'none' } }), 'spec.tars.servants'],
  ])('%s is refused by the schema', async (_what, object, field) => {
    const { err } = await kubectl(object, 'apply', '--validate=false')
    expect(err).toContain('is invalid')
    expect(err).toContain(field)
  })
})

test('a good one is accepted, completed, shown and explained', async () => {
  expect((await kubectl(server(), 'apply')).out).toBe('tserver.k8s.tars.io/demo-hello created\n')
  const version = async () => (await kubectl(undefined, 'get', 'ts', 'demo-hello', '-o', 'jsonpath={.metadata.resourceVersion}')).out
  const before = await version()
  expect((await kubectl(server(), 'apply')).err).toBe('')
  expect(await version()).toBe(before)
  const { out } = await kubectl(undefined, 'get', 'ts')
  expect(out.split('\n')[0]?.split(/\s+/)).toEqual(['NAME', 'APP', 'SERVER', 'SUBTYPE', 'RELEASEIMAGE', 'NODEIMAGE', 'TEMPLATE', 'REPLICAS', 'READY'])
  expect((await kubectl(undefined, 'explain', 'tservers.spec.tars.servants')).out).toContain('An interface that the server offers.')
})

test('the CRDs are accepted by a strict kubectl, twice', async () => {
  const list = cluster.definitions
  expect((await kubectl(list, 'create', '--dry-run=client', '--validate=strict', '-o', 'name')).err).toBe('')
  const { out, err } = await kubectl(list, 'apply', '--server-side', '--force-conflicts')
  expect(err).toBe('')
  expect(out.trim().split('\n')).toHaveLength(11)
})

describe('older versions over HTTP', () => {
  const inOld = (version: 'v1beta1' | 'v1beta2') => inVersion(resources.tservers, version) as unknown as Resource

  test('an object written as v1beta2 reads back in all versions', async () => {
    const { client } = cluster
    const spec = { app: 'Old', server: 'Hello', subType: 'tars', tars: { template: 'tars.default', servants: [] }, k8s: { readinessGate: 'mine' }, release: { id: 'v1', image: 'i' } }
    const created = await client.create(inOld('v1beta2'), { metadata: { name: 'old-hello', namespace: 'ns' }, spec } as never)
    expect(created['spec'].k8s).toMatchObject({ readinessGate: 'tars.io/active', replicas: 1 })
    const hub: AnyObject = await client.get(resources.tservers as unknown as Resource, { namespace: 'ns', name: 'old-hello' })
    expect(hub['spec'].k8s).toMatchObject({ readinessGates: ['tars.io/active', 'mine'], imagePullPolicy: 'Always' })
    expect(hub.metadata.labels).toMatchObject({ 'tars.io/ServerID': 'v1', 'tars.io/Template': 'tars.default' })
    const oldest = await client.get(inOld('v1beta1'), { namespace: 'ns', name: 'old-hello' })
    expect(oldest['spec'].k8s).not.toHaveProperty('imagePullPolicy')
  })

  test('what v1beta1 cannot hold survives an update through it', async () => {
    const { client } = cluster
    const hub = resources.tservers as unknown as Resource
    await client.create(hub, { ...server({ server: 'Deep', k8s: { command: ['run', 'it'], imagePullPolicy: 'Never' } }, 'demo-deep'), metadata: { name: 'demo-deep', namespace: 'ns' } })
    const old = await client.get(inOld('v1beta1'), { namespace: 'ns', name: 'demo-deep' })
    await client.update(inOld('v1beta1'), { ...old, spec: { ...old['spec'], important: 9 } } as never)
    expect((await client.get(hub, { namespace: 'ns', name: 'demo-deep' }))['spec']).toMatchObject({ important: 9, k8s: { command: ['run', 'it'], imagePullPolicy: 'Never' } })
  })
})
