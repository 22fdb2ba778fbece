// Two replicas of the whole role: both serve the webhooks, one reconciles, and the other takes over.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { customResourceDefinitions } from '#api/crds.ts'
import { resources } from '#api/resources.ts'
import { frameworkTemplates } from '#api/seed/templates.ts'
import type { Running } from '#base/lifecycle.ts'
import { createLogger } from '#base/log.ts'
import type { KubeClient } from '#kube/client.ts'
import { leases, mutatingWebhookConfigurations, statefulSets, validatingWebhookConfigurations } from '#kube/resources.ts'
import type { AnyObject, Resource } from '#kube/types.ts'
import { controllerEnv, leaseName } from '../../framework/controller/env.ts'
import { startHealth } from '#base/health.ts'
import { start } from '../../framework/controller/role.ts'
import { behaviourCluster, eventually, installDefinition, type TestCluster } from '../rig/kube.ts'
import { startPromLint } from '../rig/promlint.ts'
import { peek } from './cluster.ts'
import { tarsServer } from './fixtures.ts'

const tservers = resources.tservers as unknown as Resource
let cluster: TestCluster
let client: KubeClient
/** Namespace of the role's own things, and of the TServers. */
let home: string
let ns: string
beforeAll(async () => {
  cluster = await behaviourCluster()
  client = cluster.client
  ;[home, ns] = await Promise.all([cluster.namespace(), cluster.namespace()])
  for (const crd of customResourceDefinitions()) await installDefinition(client, crd as unknown as AnyObject)
  for (const resource of Object.values(resources)) await eventually(() => client.list(resource as never).catch(() => undefined), `${resource.plural} are served`)
  for (const template of frameworkTemplates(ns, [])) await client.create(resources.ttemplates, template as never)
})
afterAll(async () => {
  for (const [resource, name] of [[mutatingWebhookConfigurations, 'tars-mutating-webhook'], [validatingWebhookConfigurations, 'tars-validating-webhook']] as const) await client?.delete(resource, { name }).catch(() => {})
  await cluster?.stop()
})

interface Replica {
  readonly role: Running
  readonly lines: string[]
}

async function replica(env: Readonly<Record<string, string>> = {}): Promise<Replica> {
  const lines: string[] = []
  const role = await start({
    log: createLogger({ format: 'text', write: (line) => void lines.push(line) }), signal: new AbortController().signal,
    env: {
      KUBECONFIG: cluster.kubeconfigPath, TARSCONTROLLER_NAMESPACE: home, TARSCONTROLLER_WEBHOOK_LISTEN: '127.0.0.1', TARSCONTROLLER_WEBHOOK_PORT: '0',
      TARSCONTROLLER_WEBHOOK_URL: 'https://127.0.0.1:0', TARSCONTROLLER_WEBHOOK_DRAIN: '0', ...env,
    },
  })
  return { role, lines }
}

let count = 0
/** A new TServer, once the webhooks let it through. */
async function create(): Promise<AnyObject> {
  const name = `R${++count}`
  const { metadata: { uid: _, ...metadata }, ...server } = tarsServer({ server: name }, { name: `demo-${name.toLowerCase()}` })
  return eventually(() => client.create(tservers, { ...server, metadata: { ...metadata, namespace: ns } } as never).catch(() => undefined), `${name} is made`)
}
const reconciled = ({ metadata: { name } }: AnyObject) => eventually(() => peek(client, statefulSets, ns, name), `${name} has its StatefulSet`)
const holder = async (): Promise<string> => (await client.get(leases, { namespace: home, name: leaseName }).catch(() => undefined))?.['spec'].holderIdentity ?? ''
const says = ({ lines }: Replica, text: string): boolean => lines.some((line) => line.includes(text))

test('the leader reconciles; without the lease it only serves; the other takes over when it goes', async () => {
  const [first, second] = await Promise.all([replica(), replica()])
  try {
    await reconciled(await create())
    const leaders = [first, second].filter((one) => says(one, 'became leader'))
    expect(leaders).toHaveLength(1)
    const leader = leaders[0] ?? expect.fail('nobody leads')

    await client.patch(leases, { namespace: home, name: leaseName }, { spec: { holderIdentity: 'thief', leaseDurationSeconds: 3600 } })
    await eventually(() => says(leader, 'no longer leader'), 'the leader stepped down')
    const unseen = await create()
    expect(unseen.metadata.labels).toMatchObject({ 'tars.io/ServerApp': 'Demo' })
    expect(await peek(client, statefulSets, ns, unseen.metadata.name)).toBeUndefined()

    await client.patch(leases, { namespace: home, name: leaseName }, { spec: { holderIdentity: '' } })
    await reconciled(unseen)
    const heir = await holder()
    const now = [first, second].find(({ lines }) => lines.some((line) => line.includes('became leader') && line.includes(heir))) ?? expect.fail('nobody leads')
    await now.role.stop()
    await reconciled(await create())
    expect(await holder()).not.toBe(heir)
  } finally {
    await Promise.all([first.role.stop(), second.role.stop()])
  }
})

test('split: one process reconciles, another serves', async () => {
  const { status: { userInfo: { username: user } } } = (await client.raw('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' })) as { status: { userInfo: { username: string } } }
  const [hooks, work] = await Promise.all([replica({ TARSCONTROLLER_RUN: 'webhooks', TARSCONTROLLER_USER: user }), replica({ TARSCONTROLLER_RUN: 'reconcilers' })])
  try {
    const made = await create()
    expect(made.metadata.labels).toMatchObject({ 'tars.io/ServerApp': 'Demo' })
    await reconciled(made)
    expect(says(hooks, 'became leader')).toBe(false)
    expect(says(work, 'became leader')).toBe(true)
  } finally {
    await Promise.all([hooks.role.stop(), work.role.stop()])
  }
})

test.each([
  [{ TARSCONTROLLER_RUN: 'everything' }, 'TARSCONTROLLER_RUN'],
  [{ TARSCONTROLLER_WEBHOOK_URL: 'http://127.0.0.1:1' }, 'TARSCONTROLLER_WEBHOOK_URL'],
  [{ TARSCONTROLLER_WEBHOOK_PORT: '70000' }, 'TARSCONTROLLER_WEBHOOK_PORT'],
])('environment %j is refused', async (env, name) => {
  await expect(replica(env)).rejects.toMatchObject({ code: 'ENV_INVALID', message: expect.stringContaining(name) })
})

test('outside of a pod it must be told where to keep things, unless it is alone', () => {
  expect(() => controllerEnv({}, undefined)).toThrow('TARSCONTROLLER_NAMESPACE')
  expect(() => controllerEnv({ TARSCONTROLLER_RUN: 'webhooks' }, undefined)).toThrow('TARSCONTROLLER_NAMESPACE')
  expect(controllerEnv({ TARSCONTROLLER_RUN: 'reconcilers', TARSCONTROLLER_ELECT: 'no' }, undefined)).toMatchObject({ elect: false, run: { reconcilers: true, webhooks: false } })
})

test('what it does is told to Prometheus', async () => {
  const lint = await startPromLint()
  const { role, lines } = await replica({ TARSCONTROLLER_HEALTH_PORT: '0', TARSCONTROLLER_ELECT: 'false' })
  try {
    const port = /healthPort=(\d+)/.exec(lines.join('\n'))?.[1]
    const read = async () => lint.read(await (await fetch(`http://[::1]:${port}/metrics`)).text())
    await create()
    const { problems, families } = await eventually(async () => {
      const found = await read()
      return found.families['tarscontroller_reconciles_total']?.labels?.['reconciler']?.includes('workloads') === true ? found : undefined
    }, 'it reconciles')
    expect([problems, Object.keys(families).filter((name) => name.startsWith('tars'))]).toEqual([[], ['tarscontroller_leader', 'tarscontroller_reconciles_total', 'tarscontroller_waiting']])
    expect(families['tarscontroller_reconciles_total']?.labels?.['result']?.toSorted()).toEqual(['failed', 'refused', 'succeeded'])
  } finally {
    await Promise.all([role.stop(), lint.stop()])
  }
})

test('health says why it is not ready', async () => {
  let problem: string | undefined = 'there is no certificate yet'
  const health = await startHealth({ host: '127.0.0.1', port: 0, problem: () => problem, metrics: () => '' })
  const ask = async (path: string) => { const answer = await fetch(`http://127.0.0.1:${health.port}${path}`); return [answer.status, (await answer.text()).trim()] }
  expect(await ask('/readyz')).toEqual([503, 'there is no certificate yet'])
  expect(await ask('/livez')).toEqual([200, 'ok'])
  problem = undefined
  expect(await ask('/readyz')).toEqual([200, 'ok'])
  expect((await ask('/other'))[0]).toBe(404)
  await health.stop()
})
