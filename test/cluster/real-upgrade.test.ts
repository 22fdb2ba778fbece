// helm upgrade from one version to the next, and helm rollback, on a real Kubernetes under calls: of what runs, what must not stop
// does not, and what people changed stays.
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { inVersion, resources } from '#api/resources.ts'
import type { TFrameworkConfig, TImage, TServer, TTemplate } from '#api/types.ts'
import { customResourceDefinitions, leases, pods } from '#kube/resources.ts'
import type { AnyObject, Resource } from '#kube/types.ts'
import { chartFiles } from '../../framework/charts/charts.ts'
import { run as call } from '../../framework/cli/call.ts'
import { helloIdl, packSamples } from '../../framework/local/samples/pack.ts'
import { packCharts } from '../charts/rig.ts'
import { tarsServer } from '../controller/fixtures.ts'
import { cacheDir } from '../rig/tools.ts'
import { agentFolders, Installation } from './installation.ts'

const [older, newer] = ['1.0.0', '1.1.0'] as const
/** Somebody's own settings, which also have callers wait as long as a busy machine may take. */
const mine = '<tars>\n  <application>\n    <client>\n      asyncthread=7\n      async-invoke-timeout=30000\n    </client>\n  </application>\n</tars>\n'

let cluster: Installation
/** Charts by version. */
let charts: Record<string, Awaited<ReturnType<typeof packCharts>>>
beforeAll(async () => {
  cluster = await Installation.start()
  charts = {}
  for (const version of [older, newer]) {
    await cluster.push(version)
    charts[version] = await packCharts(cluster.dir, version, '--registry', `${cluster.registry.address}/tars`)
  }
  charts[older] = { ...(charts[older] as typeof charts[string]), tarscontroller: await olderController() }
})
afterAll(() => cluster?.stop())

/** The chart as an older version had it, whose CRDs know less. */
async function olderController(): Promise<string> {
  const folder = join(cluster.dir, 'older/tarscontroller')
  const files = await chartFiles('tarscontroller', { version: older, registry: `${cluster.registry.address}/tars`, time: '2024-01-01T00:00:00Z' })
  for (const [path, content] of files) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), path === 'files/crds.json' ? JSON.stringify((JSON.parse(content) as AnyObject[]).map(withLess)) : content)
  }
  return folder
}

interface CrdVersion { name: string; storage: boolean; additionalPrinterColumns?: { name: string }[]; schema: { openAPIV3Schema: { properties: { spec?: { properties: Record<string, unknown> } } } } }

function withLess(crd: AnyObject): AnyObject {
  for (const version of crd['spec'].versions as CrdVersion[]) {
    version.additionalPrinterColumns = (version.additionalPrinterColumns ?? []).filter(({ name }) => name !== 'Template')
    if (crd['spec'].names.kind === 'TPlugin') delete version.schema.openAPIV3Schema.properties.spec?.properties['extern']
  }
  return crd
}

const values = (): string => [`upload.registry=${cluster.registry.address}/services`, 'servers.registry.replicas=2', 'servers.image.env[0].name=TARSIMAGE_INSECURE_REGISTRIES', `servers.image.env[0].value=${cluster.registry.address}`, 'bases={nodejsbase}'].join(',')
const controllerOf = (version: string): string => charts[version]?.tarscontroller ?? ''
const frameworkOf = (version: string): string => charts[version]?.tarsframework ?? ''
const get = async <T>(resource: object, name: string): Promise<T> => (await cluster.plane.client.get(resource as Resource, { namespace: cluster.namespace, name })) as unknown as T
const tservers = resources.tservers as unknown as Resource

/** What tells that a pod is the same and was not restarted. */
async function identity(name: string): Promise<unknown> {
  const { metadata, status } = await get<AnyObject>(pods, name)
  return { name, uid: metadata.uid, containers: (status.containerStatuses as { containerID: string; restartCount: number }[]).map(({ containerID, restartCount }) => ({ containerID, restartCount })) }
}
const business = ['demo-helloserver-0', 'demo-caller-0'] as const
const identities = (): Promise<unknown> => Promise.all(business.map(identity))
const imageOf = async (pod: string): Promise<string> => (await get<AnyObject>(pods, pod))['spec'].containers[0].image as string

/** Work that goes on while something else is done, and that must never fail. */
async function under(work: () => Promise<void>, ...chores: readonly (() => Promise<void>)[]): Promise<readonly number[]> {
  let working = true
  const failures: string[] = []
  const counts = await Promise.all([
    ...chores.map(async (chore) => {
      let count = 0
      while (working) {
        await chore().then(() => count++, (error: unknown) => failures.push(`${new Date().toISOString()} ${String(error)}`))
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      return count
    }),
    work().then(() => 0).finally(() => { working = false }),
  ])
  expect(failures).toEqual([])
  return counts.slice(0, -1)
}

let address: string
/** One pod calls the other: the caller finds it by the registry. */
async function relay(): Promise<void> {
  const [out, err] = [new PassThrough(), new PassThrough()]
  const said = Promise.all([text(out), text(err)])
  const code = await call([`Demo.Caller.HelloObj@tcp -h ${address} -p 10001`, 'relay', 'Demo.HelloServer.HelloObj', '"you"', '--tars', helloIdl, '--timeout', '60000'], { out, err, env: {}, signal: new AbortController().signal, cwd: cluster.dir })
  out.end()
  err.end()
  const [answer, trouble] = await said
  if (code !== 0) throw new Error(trouble)
  const { return: ret, greeting } = JSON.parse(answer) as { return: number; greeting: { text: string; server: string } }
  if (ret !== 0 || greeting.server !== 'Demo.HelloServer') throw new Error(greeting.text)
}

let drafts = 0
/** Somebody writes: the webhooks are called, for admission and for conversion. */
async function write(): Promise<void> {
  const name = `W${++drafts}`
  const { metadata: { uid: _, ...metadata }, ...server } = tarsServer({ server: name }, { name: `demo-${name.toLowerCase()}`, namespace: cluster.namespace })
  const made = await cluster.plane.client.create(tservers, { ...server, metadata } as never, { dryRun: true })
  expect(made.metadata.labels).toMatchObject({ 'tars.io/ServerName': name })
  const old = await cluster.plane.client.get(inVersion(resources.tservers, 'v1beta2') as Resource, { namespace: cluster.namespace, name: 'demo-caller' })
  expect(old['spec'].k8s).toHaveProperty('readinessGate')
}

const storedVersions = async (): Promise<string[]> => (await cluster.plane.client.get(customResourceDefinitions, { name: 'tservers.k8s.tars.io' }))['status'].storedVersions as string[]

describe('in order', { timeout: 600_000 }, () => {
  test('the older version runs two services, and people have made it theirs', async () => {
    await cluster.helm('install', 'tarscontroller', controllerOf(older), '--set', `crds.storage=v1beta2,controller.replicas=1,${agentFolders}`)
    await cluster.controllerReady()
    await cluster.labelNode()
    await cluster.helm('install', 'tars', frameworkOf(older), '-n', cluster.namespace, '--create-namespace', '--set', values(), '--timeout', '300s')
    await cluster.frameworkReady()
    await cluster.kubectl('-n', cluster.namespace, 'patch', 'ttemplate', 'tars.nodejs', '--type', 'merge', '-p', JSON.stringify({ spec: { content: mine } }))
    const [hello] = await packSamples({ cacheDir: join(cacheDir, 'local') })
    for (const server of ['HelloServer', 'Caller']) {
      await cluster.tarsk8s('release', hello.file, '--app', 'Demo', '--server', server, '--type', 'nodejs')
      await cluster.tarsk8s('deploy', '--app', 'Demo', '--server', server, '--servant', 'HelloObj:10001', '--release', 'latest')
    }
    address = await cluster.addressOf('demo-caller-0')
    await cluster.kubectl('-n', cluster.namespace, 'patch', 'tframeworkconfig', 'tars-framework', '--type', 'merge', '-p', JSON.stringify({ recordLimit: { texitedPod: 77 } }))
    await cluster.plane.client.create(resources.tconfigs as Resource, { metadata: { name: 'hello-conf', namespace: cluster.namespace }, app: 'Demo', server: 'HelloServer', configName: 'hello.conf', configContent: 'a=1', activated: true } as never)
    expect(await storedVersions()).toEqual(['v1beta2'])
    await relay()
  })

  test('tarscontroller is upgraded: CRDs follow, webhooks answer all the time, and no server is touched', async () => {
    const before = await identities()
    const framework = await identity('tars-tarsconfig-0')
    const counts = await under(async () => {
      await cluster.helm('upgrade', 'tarscontroller', controllerOf(newer), '--set', `crds.storage=v1beta3,${agentFolders}`)
      await cluster.controllerReady()
      // Half a minute later, by the new leader.
      await cluster.plane.machine.until('all is stored in the new version', async () => (await storedVersions()).join() === 'v1beta3')
    }, relay, write)
    expect(Math.min(...counts)).toBeGreaterThan(10)
    expect(await identities()).toEqual(before)
    expect(await identity('tars-tarsconfig-0')).toEqual(framework)
    expect(await cluster.kubectl('explain', 'tplugins.spec.extern')).toContain('served elsewhere')
    expect(await cluster.kubectl('-n', cluster.namespace, 'get', 'tservers')).toContain('TEMPLATE')
    // Two by default; one of them leads.
    expect(await cluster.kubectl('-n', 'tars-system', 'get', 'deployment', 'tars-controller-manger', '-o', 'jsonpath={.status.readyReplicas} {.spec.template.spec.containers[0].image}')).toBe(`2 ${cluster.registry.address}/tars/tars.framework:${newer}`)
    const { spec } = await cluster.plane.client.get(leases, { namespace: 'tars-system', name: 'tars-controller-manger' })
    expect(await cluster.kubectl('-n', 'tars-system', 'get', 'pods', '-l', 'tars.io/Controller=true', '-o', 'name')).toContain(String(spec.holderIdentity).split('_')[0])
  })

  test('the framework is upgraded: its servers are of the new version, calls go on, and what people changed stays', async () => {
    const before = await identities()
    const counts = await under(async () => {
      await cluster.helm('upgrade', 'tars', frameworkOf(newer), '-n', cluster.namespace, '--set', values(), '--timeout', '300s')
      await framework(newer)
    }, relay, write)
    expect(Math.min(...counts)).toBeGreaterThan(10)
    expect(await identities()).toEqual(before)
    await kept()
    expect((await get<TFrameworkConfig>(resources.tframeworkconfigs, 'tars-framework')).nodeImage?.image).toContain(`:${newer}`)
    expect((await get<TImage>(resources.timages, 'nodejsbase')).releases?.map(({ id }) => id)).toEqual([`builtin-nodejsbase-${newer}`, `builtin-nodejsbase-${older}`])
    expect(await cluster.tarsk8s('status')).toMatch(/Demo\.HelloServer .* 1\/1 .* Active/)
  })

  test('and rolled back, in the same way', async () => {
    const before = await identities()
    const counts = await under(async () => {
      await cluster.helm('rollback', 'tars', '1', '-n', cluster.namespace, '--timeout', '300s')
      await framework(older)
      await cluster.helm('rollback', 'tarscontroller', '1')
      await cluster.controllerReady()
      await cluster.plane.machine.until('all is stored in the old version', async () => (await storedVersions()).join() === 'v1beta2')
    }, relay, write)
    expect(Math.min(...counts)).toBeGreaterThan(10)
    expect(await identities()).toEqual(before)
    await kept()
    expect((await get<TFrameworkConfig>(resources.tframeworkconfigs, 'tars-framework')).nodeImage?.image).toContain(`:${older}`)
    expect((await get<TImage>(resources.timages, 'nodejsbase')).releases?.[0]?.id).toBe(`builtin-nodejsbase-${older}`)
    expect(await cluster.kubectl('-n', cluster.namespace, 'get', 'tservers')).not.toContain('TEMPLATE')
    expect(await cluster.kubectl('-n', 'tars-system', 'get', 'deployment', 'tars-controller-manger', '-o', 'jsonpath={.spec.replicas} {.spec.template.spec.containers[0].image}')).toBe(`1 ${cluster.registry.address}/tars/tars.framework:${older}`)
  })
})

/** All servers of the framework run this version, and are ready. */
async function framework(version: string): Promise<void> {
  for (const name of ['registry-0', 'registry-1', 'config-0', 'notify-0', 'image-0', 'admin-0'].map((role) => `tars-tars${role}`)) {
    await cluster.plane.machine.until(`${name} is of ${version}`, async () => (await imageOf(name).catch(() => '')).endsWith(`:${version}`))
    await cluster.podReady(name)
  }
}

async function kept(): Promise<void> {
  expect((await get<TTemplate>(resources.ttemplates, 'tars.nodejs')).spec.content).toBe(mine)
  expect((await get<TFrameworkConfig>(resources.tframeworkconfigs, 'tars-framework')).recordLimit.texitedPod).toBe(77)
  expect(await get(resources.tconfigs, 'hello-conf')).toMatchObject({ configContent: 'a=1', activated: true })
  const server = await get<TServer>(resources.tservers, 'demo-helloserver')
  expect(server.spec.k8s.replicas).toBe(1)
}
