import { customResourceDefinitions } from '#api/crds.ts'
import { group } from '#api/names.ts'
import { frameworkObjects, type SeedOptions } from '#api/seed.ts'
import { createLogger, silentLogger, type Logger } from '#base/log.ts'
import { createKubeClient, type KubeClient, type KubeConfig } from '#kube/client.ts'
import { clusterRoleBindings, customResourceDefinitions as crdResource, mutatingWebhookConfigurations, namespaces, statefulSets, validatingWebhookConfigurations } from '#kube/resources.ts'
import type { AnyObject, Resource } from '#kube/types.ts'
import { resources } from '#api/resources.ts'
import { startController, type Controller } from '../../framework/controller/controller.ts'
import { controllerEnv } from '../../framework/controller/env.ts'
import { configurationNames } from '../../framework/controller/webhook/configurations.ts'
import { convertObjects } from '../../framework/controller/webhook/convert.ts'
import { liveReaders } from '../../framework/controller/webhook/readers.ts'
import { registrations } from '../../framework/controller/webhook/registrations.ts'
import { startWebhooks } from '../../framework/controller/webhook/webhooks.ts'
import type { AdmissionHook } from '../../framework/local/apiserver/server.ts'
import { eventually } from '../rig/eventually.ts'
import { behaviourCluster, embedded, remove, startTestCluster, type TestCluster as KubeCluster } from '../rig/kube.ts'
import { admissionAnswer, serveReviews } from '../rig/reviews.ts'

export { eventually }

export interface TestCluster {
  readonly client: KubeClient
  /** For clients of a test's own. */
  readonly config: KubeConfig
  readonly kubeconfigPath: string
  readonly namespace: string
  /** Our CRDs as they are installed. */
  readonly definitions: readonly object[]
  stop(): Promise<void>
}

const log: Logger = process.env['DEBUG'] === undefined ? silentLogger : createLogger({ format: 'text' })

/** Somebody else's webhook: no StatefulSet for servers named Forbidden, and no writing of a TPlugin that is labelled so. */
const forbidding: AdmissionHook = {
  name: 'policy.test.io', phase: 'validating', rules: [
    { operations: ['CREATE'], apiGroups: ['apps'], apiVersions: ['v1'], resources: ['statefulsets'] },
    { operations: ['UPDATE'], apiGroups: [group], apiVersions: ['*'], resources: ['tplugins'] },
  ],
  review: async ({ uid, name, object }) => ({ uid, allowed: name !== 'demo-forbidden' && object?.metadata.labels?.['policy'] !== 'fixed', status: { message: name === 'demo-forbidden' ? 'too many pods' : 'it is fixed' } }),
}

/** An API server with our CRDs, webhooks and the objects of a framework; embedded, or a real one (see rig/kube.ts). */
export async function startCluster(seed: Partial<SeedOptions> = {}): Promise<TestCluster> {
  const cluster = await startBare()
  await seedFramework(cluster, seed)
  return cluster
}

/** The same without any objects. */
export async function startBare(): Promise<TestCluster> {
  return embedded ? startEmbedded() : installTars(await behaviourCluster())
}

/** Waits until our kinds are served and makes the objects of a framework. */
export async function seedFramework({ client, namespace: home }: TestCluster, seed: Partial<SeedOptions>): Promise<void> {
  for (const resource of Object.values(resources)) await eventually(() => client.list(resource as never).catch(() => undefined))
  const objects = frameworkObjects({ namespace: home, registry: 'registry.test/tars', release: { id: 'v1', image: 'registry.test/tars/tarsk8s:v1' }, time: '2024-01-01T00:00:00Z', ...seed })
  for (const object of objects) await client.create(resourceOf(object.kind), object)
}

const namespace = 'ns'
/** As the charts name it. */
const controllerUser = 'system:serviceaccount:tars-system:tars-controller'
const served = ['v1beta1', 'v1beta2', 'v1beta3'] as const

/** The webhooks are called within this process. */
async function startEmbedded(): Promise<TestCluster> {
  const ready = Promise.withResolvers<KubeClient>()
  const later = { get: async (...args: never[]) => liveReaders(await ready.promise).get(...(args as never as [never, never, never])), list: async (...args: never[]) => liveReaders(await ready.promise).list(...(args as never as [never, never])) }
  const cluster = await startTestCluster({ namespaces: [namespace], admission: [...registrations(later as never), forbidding], convert: async (objects, version) => convertObjects(objects, version) })
  const { client } = cluster
  ready.resolve(client)
  const definitions = customResourceDefinitions({ served })
  for (const crd of definitions) await client.create(crdResource, crd as never)
  return { ...cluster, namespace, definitions }
}

/** Where the webhooks keep what is theirs. */
const home = 'tars-system'

/** Our CRDs, and the webhooks as the product serves and registers them, on a real cluster. */
export async function installTars(cluster: KubeCluster): Promise<TestCluster> {
  const { client, host } = cluster
  for (const name of [namespace, home]) await client.create(namespaces, { metadata: { name } })
  // Its users are ours: what each role may do is not under test here.
  await client.create(clusterRoleBindings, { metadata: { name: 'tests' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' }, subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'system:serviceaccounts' }] } as never)
  for (const crd of customResourceDefinitions({ served })) await client.create(crdResource, crd as never)
  await cluster.knowKinds()
  for (const resource of Object.values(resources)) await eventually(() => client.list(resource as never).catch(() => undefined))
  const webhooks = await startWebhooks({ client, log, settings: controllerEnv({
    TARSCONTROLLER_NAMESPACE: home, TARSCONTROLLER_USER: controllerUser, TARSCONTROLLER_WEBHOOK_LISTEN: host, TARSCONTROLLER_WEBHOOK_PORT: '0',
    TARSCONTROLLER_WEBHOOK_URL: `https://${host}:0`, TARSCONTROLLER_WEBHOOK_DRAIN: '0',
  }, undefined) })
  const policy = await serveReviews(host, async (_path, review) => admissionAnswer(review, forbidding.review))
  const { name, rules } = forbidding
  await client.create(validatingWebhookConfigurations, { metadata: { name: policyName }, webhooks: [{ name, rules, clientConfig: policy.at('/'), sideEffects: 'None', admissionReviewVersions: ['v1'] }] } as never)
  await eventually(async () => webhooks.problem() === undefined || undefined)
  await eventually(() => areKnown(client).then((known) => known || undefined, () => undefined))
  const conversion = (await client.get(crdResource, { name: `tservers.${group}` }))['spec'].conversion.webhook.clientConfig as Record<string, unknown>
  return { ...cluster, namespace, definitions: customResourceDefinitions({ served, conversion }), stop: async () => {
    if (!cluster.isOwn) await uninstallTars(client)
    await webhooks.stop()
    await policy.stop()
    await cluster.stop()
  } }
}

const policyName = 'tests-policy'

async function uninstallTars(client: KubeClient): Promise<void> {
  const made = [...Object.values(configurationNames), policyName]
  for (const resource of [mutatingWebhookConfigurations, validatingWebhookConfigurations]) await remove(client, resource, ({ metadata }) => made.includes(metadata.name))
  await remove(client, namespaces, ({ metadata }) => [namespace, home].includes(metadata.name))
  await remove(client, crdResource, ({ metadata }) => metadata.name.endsWith(`.${group}`))
  await remove(client, clusterRoleBindings, ({ metadata }) => metadata.name === 'tests')
}

/** An API server learns of webhooks a moment after they are made. */
async function areKnown(client: KubeClient): Promise<boolean> {
  const config = await client.create(resources.tconfigs as Resource, { metadata: { name: 'probe', namespace }, app: 'Demo', server: 'Probe', configName: 'probe.conf', configContent: '', activated: false } as never, { dryRun: true })
  const template = { metadata: { labels: { probe: '1' } }, spec: { containers: [{ name: 'c', image: 'i' }] } }
  const set = { metadata: { name: 'demo-forbidden', namespace }, spec: { serviceName: 's', selector: { matchLabels: { probe: '1' } }, template } }
  const denied = await client.create(statefulSets, set as never, { dryRun: true }).then(() => false, (error: Error) => error.message.includes(forbidding.name))
  return denied && config['version'] !== undefined
}

/** A controller with a client and a user of its own. */
export async function controllerOf({ config, namespace: home }: TestCluster): Promise<Controller> {
  const client = clientAs({ config }, controllerUser)
  const controller = await startController({ client, namespace: home, log })
  void controller.done.finally(() => client.close())
  return controller
}

/** A client that acts as this user. */
export function clientAs({ config }: Pick<TestCluster, 'config'>, user: string): KubeClient {
  return createKubeClient({ ...config, impersonate: user })
}

export function resourceOf(kind: string): Resource {
  const found = Object.values(resources).find((resource) => resource.kind === kind)
  if (found === undefined) throw new Error(`no resource of kind ${kind}`)
  return found as unknown as Resource
}

/** The object, or undefined when it is not there. */
export async function peek(client: KubeClient, resource: Resource, namespace: string, name: string): Promise<AnyObject | undefined> {
  return liveReaders(client).get(resource, namespace, name)
}
