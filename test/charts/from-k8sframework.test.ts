// An installation that K8SFramework's charts made becomes one of ours by real Helm, in its place; and by the way round, with its
// charts taken away first. Nothing that people made is lost, and nothing that runs is made anew.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { frameworkRoles, frameworkServerName } from '#api/seed/servers.ts'
import { inVersion, resources } from '#api/resources.ts'
import type { Version } from '#api/names.ts'
import type { TServer } from '#api/types.ts'
import { silentLogger } from '#base/log.ts'
import type { ConversionReview } from '#kube/admission.ts'
import { isNotFound } from '#kube/errors.ts'
import { clusterRoles, configMaps, customResourceDefinitions, daemonSets, deployments, mutatingWebhookConfigurations, namespaces, roleBindings, roles, serviceAccounts, services, statefulSets, storageClasses, validatingWebhookConfigurations } from '#kube/resources.ts'
import type { AnyObject, Resource } from '#kube/types.ts'
import type { Controller } from '../../framework/controller/controller.ts'
import { startController } from '../../framework/controller/controller.ts'
import { controllerEnv } from '../../framework/controller/env.ts'
import { mutate, validate } from '../../framework/controller/webhook/admit.ts'
import { convert } from '../../framework/controller/webhook/convert.ts'
import { liveReaders } from '../../framework/controller/webhook/readers.ts'
import { startWebhooks, type Webhooks } from '../../framework/controller/webhook/webhooks.ts'
import { clientAs } from '../controller/cluster.ts'
import * as old from '../controller/k8sframework.ts'
import { behaviourCluster, embedded, eventually, type TestCluster } from '../rig/kube.ts'
import { admissionAnswer, serveReviews, type ReviewServer } from '../rig/reviews.ts'
import type { Output } from '../rig/local-cluster.ts'
import { conversionService, oldCharts, type OldCharts } from './k8sframework.ts'
import { helm, HELM_BUILD_MS, helmProgram, packCharts, runJobs } from './rig.ts'

const ns = 'tars'
const system = 'tars-system'
const registry = 'registry.test:5000/tars'
const controllerValues = ['--set', `controller.registry=${registry}`]
const frameworkValues = ['-n', ns, '--set', `framework.registry=${registry},upload.registry=registry.test/services`]
const kind = (plural: keyof typeof resources): Resource => resources[plural] as unknown as Resource
const ingresses: Resource = { group: 'networking.k8s.io', version: 'v1', plural: 'ingresses', kind: 'Ingress', namespaced: true }

/** A cluster with an installation of K8SFramework, and its users' servers. */
class Ground {
  readonly folder: string
  readonly cluster: TestCluster
  readonly #hooks: ReviewServer
  readonly charts: OldCharts

  private constructor(folder: string, cluster: TestCluster, hooks: ReviewServer, charts: OldCharts) {
    this.folder = folder
    this.cluster = cluster
    this.#hooks = hooks
    this.charts = charts
  }

  static async start(crds: 'subchart' | 'folder'): Promise<Ground> {
    const folder = await mkdtemp(join(tmpdir(), 'tarsk8s-from-'))
    await helmProgram()
    const cluster = await behaviourCluster()
    const readers = liveReaders(cluster.client)
    // In place of its webhooks: the same rules.
    const hooks = await serveReviews(cluster.host, async (path, review) => {
      if (path === '/mutating') return admissionAnswer(review, (request) => mutate(request, readers))
      if (path === '/validating') return admissionAnswer(review, (request) => validate(request, readers))
      return convert(review as ConversionReview)
    })
    return new Ground(folder, cluster, hooks, await oldCharts(folder, { webhook: (path) => hooks.at(path), crds, ingress: !embedded, namespace: ns }))
  }

  async stop(): Promise<void> {
    await this.#hooks.stop()
    await this.cluster.stop()
    await rm(this.folder, { recursive: true, force: true })
  }

  helm(...args: readonly string[]): Promise<Output> {
    return helm(this.folder, ...args, '--kubeconfig', this.cluster.kubeconfigPath)
  }

  /** It must succeed. @returns what it printed */
  async helmOk(...args: readonly string[]): Promise<string> {
    const { code, out, err } = await this.helm(...args)
    expect(code, `helm ${args.slice(0, 2).join(' ')}: ${out}${err}`).toBe(0)
    return out
  }

  find(resource: Resource, name: string, namespace: string | undefined = ns): Promise<AnyObject | undefined> {
    return this.cluster.client.get(resource, { namespace, name }).catch((error: unknown) => (isNotFound(error) ? undefined : Promise.reject(error as Error)))
  }

  async get(resource: Resource, name: string, namespace: string | undefined = ns): Promise<AnyObject> {
    return (await this.find(resource, name, namespace)) ?? expect.fail(`${resource.kind} ${name} is gone`)
  }

  /** No Service leads to this process: while people write, the CRDs name the stand-in itself. */
  async #converting(): Promise<() => Promise<void>> {
    const { url, caBundle } = this.#hooks.at('/conversion')
    const point = async (clientConfig: object): Promise<void> => {
      for (const plural of ['tservers', 'tframeworkconfigs']) await this.cluster.client.patch(customResourceDefinitions, { name: `${plural}.k8s.tars.io` }, { spec: { conversion: { webhook: { clientConfig } } } })
    }
    await point({ service: null, url, caBundle })
    return () => point({ service: conversionService, url: null, caBundle })
  }

  /** Its charts, what people made with them, and what its controller made of all servers. */
  async installOld(): Promise<void> {
    await this.helmOk('install', 'tarscontroller', this.charts.tarscontroller)
    await this.cluster.knowKinds()
    for (const resource of Object.values(resources)) await eventually(() => this.cluster.client.list(resource as never).then(() => true, () => false), `${resource.plural} are served`)
    await this.helmOk('install', 'tars', this.charts.tarsframework, '-n', ns, '--create-namespace', '--set', 'upload.registry=registry.test/services')
    const { client } = this.cluster
    const converted = await this.#converting()
    const own = ['TTree', 'TFrameworkConfig', 'TTemplate']
    for (const manifest of old.manifests(ns).filter((one) => !own.includes(one.kind) && one.apiVersion !== 'k8s.tars.io/v1beta1')) {
      await client.create(inVersion(kind(old.pluralOf(manifest.kind)) as never, manifest.apiVersion.split('/')[1] as Version) as Resource, manifest)
    }
    const predecessor = clientAs(this.cluster, `system:serviceaccount:kube-system:predecessor`)
    await this.cluster.kubectl(['create', 'clusterrolebinding', 'predecessor', '--clusterrole=cluster-admin', '--user=system:serviceaccount:kube-system:predecessor'])
    for (const server of (await client.list(kind('tservers'), { namespace: ns })).items) {
      for (const [resource, child] of old.children(server)) await predecessor.create(resource, child as never, { fieldManager: 'tarscontroller' })
    }
    predecessor.close()
    await converted()
  }

  /** What tells whether an object is the same one, of all that people made and of what runs. */
  async identities(): Promise<Record<string, string | undefined>> {
    const lists = await Promise.all([...Object.values(resources) as unknown as Resource[], statefulSets, daemonSets, services].map((resource) => this.cluster.client.list(resource, { namespace: ns })))
    return Object.fromEntries(lists.flatMap(({ items }) => items.map((object) => [`${object.kind} ${object.metadata.name}`, object.metadata.uid])))
  }
}

/** Our controller and webhooks, as the chart's pods run them. */
class Ours {
  readonly #parts: { stop(): Promise<void> }[] = []
  controller: Controller | undefined
  webhooks: Webhooks | undefined

  async start({ cluster }: Ground): Promise<void> {
    const user = `system:serviceaccount:${system}:tars-controller`
    // With what the chart lets the account do.
    const client = clientAs(cluster, user)
    this.#parts.push({ stop: async () => client.close() })
    this.webhooks = await startWebhooks({ client, log: silentLogger, settings: controllerEnv({
      TARSCONTROLLER_NAMESPACE: system, TARSCONTROLLER_USER: user, TARSCONTROLLER_WEBHOOK_CREATE: 'false', TARSCONTROLLER_WEBHOOK_DRAIN: '0',
      TARSCONTROLLER_WEBHOOK_LISTEN: cluster.host, TARSCONTROLLER_WEBHOOK_PORT: '0', TARSCONTROLLER_WEBHOOK_URL: `https://${cluster.host}:0`,
    }, undefined) })
    this.#parts.push(this.webhooks)
    await eventually(() => this.webhooks?.problem() === undefined, 'the webhooks are registered')
    this.controller = await startController({ client, log: silentLogger })
    this.#parts.push(this.controller)
    await this.settled()
  }

  settled(): Promise<unknown> {
    return eventually(() => this.controller?.idle === true, 'the controller is idle')
  }

  async stop(): Promise<void> {
    for (const part of this.#parts.toReversed()) await part.stop()
  }
}

/** Labels come from the mutating webhook, the other version from the converting one. */
async function webhooksAnswer({ cluster }: Ground): Promise<void> {
  const server = { apiVersion: 'k8s.tars.io/v1beta3', kind: 'TServer', metadata: { name: 'demo-new', namespace: ns }, spec: { app: 'Demo', server: 'New', subType: 'normal', normal: { ports: [] }, k8s: {} } }
  await eventually(async () => (await cluster.client.create(kind('tservers'), server, { dryRun: true })).metadata.labels?.['tars.io/ServerName'] === 'New', 'the webhook is called')
  expect((await cluster.client.get(inVersion(resources.tservers, 'v1beta2') as Resource, { namespace: ns, name: 'demo-first' }))['spec'].k8s).toHaveProperty('readinessGate')
}

describe('in its place', () => {
  let ground: Ground
  let kubelet: { stop(): Promise<void> } | undefined
  const ours = new Ours()
  let before: Record<string, string | undefined>
  let generations: Record<string, number | undefined>
  let charts: Awaited<ReturnType<typeof packCharts>>
  beforeAll(async () => {
    ground = await Ground.start('subchart')
    charts = await packCharts(ground.folder, '1.0.0')
    await ground.installOld()
    kubelet = runJobs(ground.cluster)
  }, HELM_BUILD_MS)
  afterAll(async () => {
    await kubelet?.stop()
    await ours.stop()
    await ground?.stop()
  })
  const generationsOf = async (): Promise<Record<string, number | undefined>> => Object.fromEntries((await Promise.all([statefulSets, daemonSets].map((resource) => ground.cluster.client.list(resource, { namespace: ns })))).flatMap(({ items }) => items.map(({ metadata }) => [metadata.name, metadata.generation])))

  test('its chart runs, and was upgraded once, when it wrote the namespace as it was', async () => {
    await ground.helmOk('upgrade', 'tarscontroller', ground.charts.tarscontroller)
    before = await ground.identities()
    generations = await generationsOf()
    expect(Object.keys(before)).toEqual(expect.arrayContaining(['TServer demo-first', 'TServer tars-tarsweb', 'TConfig demo-first-aaaa', 'TImage demo-first', 'TImage cppbase', 'StatefulSet demo-first', 'StatefulSet tars-tarslog', 'TAccount 21232f297a57a5a743894a0e4a801fc3']))
  })

  test('tarscontroller: the CRDs and all objects are the same, its second Deployment goes', async () => {
    const definitions = async (): Promise<unknown> => (await ground.cluster.client.list(customResourceDefinitions)).items.map(({ metadata }) => [metadata.name, metadata.uid])
    const [had, home, service] = [await definitions(), await ground.get(namespaces, system, undefined), await ground.get(services, 'tars-webhook-service', system)]
    await ground.helmOk('upgrade', 'tarscontroller', charts.tarscontroller, ...controllerValues)
    expect(await definitions()).toEqual(had)
    expect(await ground.identities()).toEqual(before)
    expect((await ground.get(namespaces, system, undefined)).metadata).toMatchObject({ uid: home.metadata.uid, annotations: { 'helm.sh/resource-policy': 'keep' } })
    expect((await ground.cluster.client.list(deployments, { namespace: system })).items.map(({ metadata }) => metadata.name)).toEqual(['tars-controller-manger'])
    const { spec } = await ground.get(deployments, 'tars-controller-manger', system)
    expect(spec).toMatchObject({ replicas: 2, template: { spec: { serviceAccountName: 'tars-controller', containers: [{ name: 'controller', image: `${registry}/tars.framework:1.0.0` }] } } })
    expect((await ground.get(daemonSets, 'tars-agent', system))['spec'].template.spec.containers).toMatchObject([{ name: 'agent', image: `${registry}/tars.framework:1.0.0` }])
    expect(await ground.get(services, 'tars-webhook-service', system)).toMatchObject({ metadata: { uid: service.metadata.uid }, spec: { ...(embedded ? {} : { clusterIP: service['spec'].clusterIP as string }), selector: { 'tars.io/Controller': 'true' }, sessionAffinity: 'None', ports: [{ port: 443, targetPort: 'webhook' }] } })
    for (const [resource, name] of [[serviceAccounts, 'tars-webhook'], [clusterRoles, `${system}:tars-webhook`]] as const) expect(await ground.find(resource, name, system)).toBeUndefined()
    await ground.get(storageClasses, 'tars-storage-class', undefined)
    // Nobody who does not answer is asked; what is to be asked the controller says, as soon as it answers.
    for (const resource of [mutatingWebhookConfigurations, validatingWebhookConfigurations]) expect((await ground.get(resource, resource === mutatingWebhookConfigurations ? 'tars-mutating-webhook' : 'tars-validating-webhook', undefined))['webhooks'] ?? []).toEqual([])
  })

  test('our controller takes over what runs, and the webhooks answer', async () => {
    await ours.start(ground)
    await webhooksAnswer(ground)
    expect(await ground.identities()).toMatchObject(before)
    expect(await generationsOf()).toEqual(generations)
  })

  test('tarsframework: its servers become ours; what we do not have stays, with its account and its volumes', async () => {
    await ground.cluster.client.patch(kind('ttemplates'), { namespace: ns, name: 'tars.cpp' }, { spec: { content: '<tars>\n  mine=1\n</tars>\n' } })
    const left = [[kind('tservers'), 'tars-tarsweb'], [kind('tservers'), 'tars-elasticsearch'], [serviceAccounts, 'tars-tarsweb'], [roles, 'tars-tarsweb'], [roleBindings, 'tars-tarsweb'], ...(embedded ? [] : [[ingresses, 'tars-web'] as const]), [clusterRoles, `${ns}:tars-tarsweb`]] as const
    const specs = (): Promise<unknown[]> => Promise.all(left.map(async ([resource, name]) => { const { metadata: { uid }, spec, rules, roleRef } = await ground.get(resource, name); return { uid, spec, rules, roleRef } }))
    const had = await specs()
    await ground.helmOk('upgrade', 'tars', charts.tarsframework, ...frameworkValues)
    await ours.settled()
    expect(await specs()).toEqual(had)
    const now = await ground.identities()
    for (const role of frameworkRoles) {
      const server = (await ground.get(kind('tservers'), frameworkServerName(role))) as unknown as TServer
      expect(server.spec).toMatchObject({ k8s: { command: ['tarsk8s', role] }, release: { id: '1.0.0', image: `${registry}/tars.framework:1.0.0` } })
    }
    // One cannot become what ours is, and keeps nothing.
    const anew = ['TServer', 'TEndpoint', 'TExitedRecord', 'StatefulSet', 'Service'].map((of) => `${of} tars-tarskevent`)
    expect(Object.fromEntries(Object.entries(now).filter(([name]) => name in before && !anew.includes(name)))).toEqual(Object.fromEntries(Object.entries(before).filter(([name]) => !anew.includes(name))))
    expect((await ground.get(kind('ttemplates'), 'tars.cpp'))['spec'].content).toContain('mine=1')
  })

  test('what was built on is still offered, and what is new, too', async () => {
    const ids = async (name: string): Promise<string[]> => ((await ground.get(kind('timages'), name))['releases'] as { id: string }[]).map(({ id }) => id)
    expect(await ids('cppbase')).toEqual(['builtin-cppbase-1.0.0', 'builtin-cppbase-v1.4.1'])
    expect(await ids('php74base')).toEqual(['builtin-php74base-v1.4.1'])
    expect(await ids('demo-first')).toEqual(['v1'])
  })

  test('logs that were kept on a node are kept there', async () => {
    const { spec } = await ground.get(statefulSets, 'tars-tarslog')
    expect((spec.volumeClaimTemplates as AnyObject[]).map(({ metadata }) => metadata.name)).toEqual(['remote-log-dir'])
    expect(spec.template.spec.containers[0]).toMatchObject({ image: `${registry}/tars.framework:1.0.0` })
    expect(spec.template.spec.containers[0].volumeMounts).toEqual(expect.arrayContaining([expect.objectContaining({ name: 'remote-log-dir', mountPath: '/usr/local/app/tars/remote_app_log', subPathExpr: '$(PodName)' })]))
  })

  test('services of people run on, untouched', async () => {
    const now = await generationsOf()
    for (const name of ['demo-first', 'demo-second', 'demo-everywhere', 'tars-tarsweb', 'tars-elasticsearch']) expect([name, now[name]]).toEqual([name, generations[name]])
  })

  test('the next upgrade and the end of the release leave them, too', async () => {
    await ground.helmOk('upgrade', 'tars', charts.tarsframework, ...frameworkValues, '--set', 'servers.config.replicas=2')
    const out = await ground.helmOk('uninstall', 'tars', '-n', ns)
    expect(out).toContain('[TServer] tars-elasticsearch')
    for (const name of ['tars-tarsweb', 'tars-elasticsearch', 'demo-first']) await ground.get(kind('tservers'), name)
    for (const name of ['cppbase', 'tars-tarskaniko']) await ground.get(kind('timages'), name)
    await ground.get(configMaps, 'tars-left-behind')
  })
})

describe('with CRDs that Helm does not own', () => {
  let ground: Ground
  const ours = new Ours()
  beforeAll(async () => {
    ground = await Ground.start('folder')
    await ground.installOld()
  }, HELM_BUILD_MS)
  afterAll(async () => {
    await ours.stop()
    await ground?.stop()
  })

  test('tarscontroller is upgraded when it may take them over, and is not otherwise', async () => {
    const { tarscontroller } = await packCharts(ground.folder, '1.0.0')
    const before = await ground.identities()
    const { code, err } = await ground.helm('upgrade', 'tarscontroller', tarscontroller, ...controllerValues)
    expect(code).toBe(1)
    expect(err).toContain('invalid ownership metadata')
    await ground.helmOk('upgrade', 'tarscontroller', tarscontroller, '--take-ownership', ...controllerValues)
    expect(await ground.identities()).toEqual(before)
    await ours.start(ground)
    await webhooksAnswer(ground)
    expect(await ground.identities()).toMatchObject(before)
  })
})

describe.each(['subchart', 'folder'] as const)('with its controller taken away first (CRDs in a %s)', (crds) => {
  let ground: Ground
  const ours = new Ours()
  beforeAll(async () => {
    ground = await Ground.start(crds)
    await ground.installOld()
  }, HELM_BUILD_MS)
  afterAll(async () => {
    await ours.stop()
    await ground?.stop()
  })

  test('CRDs and objects stay, and ours is installed over them', async () => {
    const { tarscontroller } = await packCharts(ground.folder, '1.0.0')
    const before = await ground.identities()
    await ground.helmOk('uninstall', 'tarscontroller', '--wait')
    // What has to be converted for it nobody can read meanwhile.
    expect(await ground.identities()).toEqual(before)
    await ground.helmOk('install', 'tarscontroller', tarscontroller, '--take-ownership', ...controllerValues)
    await ours.start(ground)
    await webhooksAnswer(ground)
    expect(await ground.identities()).toMatchObject(before)
  })
})
