// Versions of configuration files, image builds and the whole way through the API server's admission.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { newestFirst } from '#api/config-group.ts'
import { resources } from '#api/resources.ts'
import type { TConfig, TImage } from '#api/types.ts'
import { systemClock } from '#base/clock.ts'
import { silentLogger } from '#base/log.ts'
import type { KubeClient } from '#kube/client.ts'
import { isConflict, KubeError } from '#kube/errors.ts'
import { events } from '#kube/resources.ts'
import type { Resource } from '#kube/types.ts'
import type { Controller } from '../../framework/controller/controller.ts'
import { reconcileConfig } from '../../framework/controller/reconcile/config.ts'
import { configGroup, createStores, informersOf } from '../../framework/controller/reconcile/context.ts'
import { clientAs, controllerOf, eventually, startCluster, type TestCluster } from './cluster.ts'

let cluster: TestCluster
let controller: Controller
let kubernetes: KubeClient
beforeAll(async () => {
  cluster = await startCluster({ roles: [] })
  kubernetes = clientAs(cluster, 'system:serviceaccount:kube-system:somebody')
  controller = await controllerOf(cluster)
})
afterAll(async () => {
  kubernetes?.close()
  await controller?.stop()
  await cluster?.stop()
})

const namespace = 'ns'
const tconfigs = resources.tconfigs as Resource<TConfig>
const config = (name: string, file: string, fields: Partial<TConfig> = {}) => ({ metadata: { name, namespace }, app: 'Demo', server: 'Hello', configName: file, configContent: name, ...fields }) as never
const create = (name: string, file: string, fields: Partial<TConfig> = {}) => cluster.client.create(tconfigs, config(name, file, fields))
const versionsOf = async (file: string): Promise<string[]> =>
  (await cluster.client.list(tconfigs, { namespace })).items.filter(({ configName }) => configName === file).map(({ metadata, activated }) => `${metadata.name}${activated ? ' active' : ''}`).toSorted()
const become = (file: string, expected: readonly string[]) => eventually(async () => (JSON.stringify(await versionsOf(file)) === JSON.stringify(expected) ? true : undefined))
const activate = (name: string) => cluster.client.patch(tconfigs, { namespace, name }, { activated: true })
const refusal = (attempt: Promise<unknown>): Promise<string> => attempt.then(() => expect.fail('it was accepted'), (error: unknown) => (error instanceof KubeError ? error.message : Promise.reject(error)))

describe('a configuration file', () => {
  test('has one version in force: the newest, or the one brought back', async () => {
    await create('one', 'a.conf')
    const second = await create('two', 'a.conf')
    expect(second).toMatchObject({ podSeq: 'm', activated: true, metadata: { labels: { 'tars.io/Activated': 'true', 'tars.io/ConfigName': 'a.conf' } } })
    await become('a.conf', ['one', 'two active'])
    await activate('one')
    await become('a.conf', ['one active', 'two'])
    const { items } = await cluster.client.list(tconfigs, { namespace, labelSelector: 'tars.io/Activated=false' })
    expect(items.map(({ metadata }) => metadata.name)).toEqual(['two'])
  })

  test('each version says whether it is in force', async () => {
    const reason = async (name: string): Promise<string | undefined> => {
      const { metadata: { generation }, status } = await cluster.client.get(tconfigs, { namespace, name })
      const [fact] = status?.conditions ?? []
      // Of what the version is now.
      return status?.observedGeneration === generation && fact?.observedGeneration === generation ? `${fact?.type} ${fact?.status} ${fact?.reason}` : undefined
    }
    const says = (name: string, wanted: string) => eventually(async () => ((await reason(name)) === wanted ? true : undefined))
    await create('first', 'told.conf')
    await says('first', 'Active True InForce')
    await create('draft', 'told.conf', { activated: false })
    await says('draft', 'Active False NotActivated')
    await create('second', 'told.conf')
    await says('second', 'Active True InForce')
    await says('first', 'Active False Replaced')
    await activate('first')
    await says('first', 'Active True InForce')
    await says('second', 'Active False Replaced')
  })

  test('has the version in force that was brought back before any controller saw that it was replaced', async () => {
    await controller.stop()
    for (const name of ['early', 'late']) await create(name, 'race.conf')
    await activate('early')
    // A change of something else asks for nothing.
    await cluster.client.patch(tconfigs, { namespace, name: 'late' }, { metadata: { annotations: { note: 'x' } } })
    controller = await controllerOf(cluster)
    await become('race.conf', ['early active', 'late'])
  })

  test('keeps its content, and its version in force', async () => {
    await create('keep', 'b.conf')
    expect(await refusal(cluster.client.patch(tconfigs, { namespace, name: 'keep' }, { configContent: 'other' }))).toContain('tconfig resource filed ".configContent" is immutable')
    expect(await refusal(cluster.client.patch(tconfigs, { namespace, name: 'keep' }, { activated: false }))).toContain('".activated" is immutable')
    expect(await refusal(cluster.client.delete(tconfigs, { namespace, name: 'keep' }))).toContain('guard time(48s)')
  })

  test('keeps ten older versions when nothing else is said', async () => {
    expect(await refusal(cluster.client.delete(resources.tframeworkconfigs as Resource, { namespace, name: 'tars-framework' }))).toContain('tars-framework says where images go and how much history is kept, and must stay; remedy: change it')
    await kubernetes.delete(resources.tframeworkconfigs as Resource, { namespace, name: 'tars-framework' })
    for (let number = 10; number < 24; number++) await create(`v${number}`, 'c.conf')
    await become('c.conf', [...Array.from({ length: 10 }, (_, index) => `v${index + 13}`), 'v23 active'])
  })

  test('a version that is brought back stays, though the controller was about to remove it', async () => {
    await controller.stop()
    for (let number = 10; number < 22; number++) await create(`w${number}`, 'back.conf', { activated: number === 21 })
    const { client } = cluster
    const stores = createStores(client, namespace, silentLogger)
    for (const informer of informersOf(stores)) informer.start()
    await Promise.all(informersOf(stores).map((informer) => informer.synced()))
    // What is known from here on is what was known before somebody went back to the oldest.
    for (const informer of informersOf(stores)) await informer.stop()
    const known = stores.configs.list().filter(({ configName, activated }) => configName === 'back.conf' && !activated).toSorted(newestFirst)
    const [oldest] = known.slice(-1) as [TConfig]
    await activate(oldest.metadata.name)
    const answer = await reconcileConfig({ client, stores, log: silentLogger, clock: systemClock })(configGroup(oldest), new AbortController().signal).catch((error: unknown) => error)
    controller = await controllerOf(cluster)
    expect(answer).toSatisfy(isConflict)
    await eventually(async () => {
      const versions = await versionsOf('back.conf')
      return (versions.length === 11 && versions.filter((version) => version.endsWith('active')).join() === `${oldest.metadata.name} active`) || undefined
    })
  })

  test('goes with its version in force', async () => {
    await create('old', 'd.conf')
    await create('new', 'd.conf')
    await become('d.conf', ['new active', 'old'])
    // The guard time is for people; Kubernetes' own controllers stand for the time that has passed.
    await kubernetes.delete(tconfigs, { namespace, name: 'new' })
    await become('d.conf', [])
  })

  test('and so do older versions of K8SFramework, which does not write down that they were replaced', async () => {
    await controller.stop()
    const { metadata: { creationTimestamp } } = await create('before', 'k.conf', { activated: false })
    // Times of creation have whole seconds.
    await eventually(async () => (await cluster.client.create(tconfigs, config('probe', 'probe.conf'), { dryRun: true })).metadata.creationTimestamp !== creationTimestamp || undefined)
    await create('after', 'k.conf')
    await create('planned', 'k.conf', { activated: false })
    controller = await controllerOf(cluster)
    await eventually(async () => (await cluster.client.get(tconfigs, { namespace, name: 'before' })).status?.conditions?.[0]?.reason === 'Replaced' || undefined)
    await kubernetes.delete(tconfigs, { namespace, name: 'after' })
    await become('k.conf', ['planned'])
  })

  test('an inactive version that was only prepared stays', async () => {
    await create('active', 'e.conf')
    await create('prepared', 'e.conf', { activated: false })
    await become('e.conf', ['active active', 'prepared'])
    await kubernetes.delete(tconfigs, { namespace, name: 'active' })
    await become('e.conf', ['prepared'])
    expect((await activate('prepared')).metadata.annotations).toHaveProperty(['tars.io/ActivatedAt'])
  })

  test('a file for one pod needs one for all', async () => {
    expect(await refusal(create('slave', 'f.conf', { podSeq: '1' }))).toContain('no activated master tconfig found')
    await create('master', 'f.conf')
    await create('slave', 'f.conf', { podSeq: '1' })
    await become('f.conf', ['master active', 'slave active'])
  })
})

test('a build that takes too long has failed (control-plane spec C.11)', async () => {
  const timages = resources.timages as Resource<TImage>
  const running = { id: 'b1', baseImage: 'base', image: 'i', phase: 'Building', handler: 'somebody', createTime: '2024-01-01T00:00:00Z' }
  await cluster.client.create(timages, { metadata: { name: 'demo-hello', namespace }, imageType: 'server', build: { running } } as never)
  const image = await eventually(async () => { const found = await cluster.client.get(timages, { namespace, name: 'demo-hello' }); return found.build?.last === undefined ? undefined : found })
  expect(image.build).toEqual({ last: { ...running, phase: 'Failed', message: 'task overtime' } })
  // And says so, of the TImage as it is now.
  const said = (of: TImage): unknown => of.status?.observedGeneration === of.metadata.generation && of.status?.conditions?.map(({ type, status, reason, message }) => [type, status, reason, message])
  const says = (wanted: unknown) => eventually(async () => (JSON.stringify(said(await cluster.client.get(timages, { namespace, name: 'demo-hello' }))) === JSON.stringify(wanted) ? true : undefined))
  await says([['Released', 'False', 'NoRelease', 'there is no release yet'], ['Degraded', 'True', 'BuildFailed', 'the last build, b1, failed: task overtime']])
  await eventually(async () => (await cluster.client.list(events, { namespace })).items.some((event) => event['reason'] === 'BuildFailed' && event['involvedObject'].name === 'demo-hello') || undefined)
  await cluster.client.patch(timages, { namespace, name: 'demo-hello' }, { releases: [{ id: 'b2', image: 'i:b2' }], build: { last: { ...running, id: 'b2', phase: 'Done' } } })
  await says([['Released', 'True', 'Released', 'the newest of 1 releases is b2'], ['Degraded', 'False', 'AsExpected', 'the last build, b2, succeeded']])
})

test('a template in use stays (control-plane spec B.4)', async () => {
  expect(await refusal(cluster.client.delete(resources.ttemplates as Resource, { namespace, name: 'tars.default' }))).toContain('cannot delete ttemplate ns/tars.default, because it is reference by some ttemplate')
})

test('a dry run is judged, and leaves nothing', async () => {
  const created = await cluster.client.create(tconfigs, config('dry', 'dry.conf'), { dryRun: true })
  expect(created.version).toMatch(/^\d{14}-[0-9a-f]+$/)
  expect(await versionsOf('dry.conf')).toEqual([])
})
