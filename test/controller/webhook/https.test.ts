// The webhooks as an API server calls them: over TLS, by what is registered in the cluster.
import { X509Certificate } from 'node:crypto'
import https from 'node:https'
import tls from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { customResourceDefinitions } from '#api/crds.ts'
import { inVersion, resources } from '#api/resources.ts'
import { frameworkTemplates } from '#api/seed/templates.ts'
import type { TServer } from '#api/types.ts'
import { createLogger, silentLogger } from '#base/log.ts'
import { createKubeClient, type KubeClient } from '#kube/client.ts'
import { customResourceDefinitions as crds, endpoints, mutatingWebhookConfigurations, namespaces, secrets, services, validatingWebhookConfigurations } from '#kube/resources.ts'
import type { AnyObject, Resource } from '#kube/types.ts'
import { createAuthority } from '#kube/x509.ts'
import { controllerEnv } from '../../../framework/controller/env.ts'
import { splitPem } from '../../../framework/controller/webhook/certificates.ts'
import { startWebhooks, type Webhooks } from '../../../framework/controller/webhook/webhooks.ts'
import { behaviourCluster, embedded, eventually, installDefinition, type TestCluster } from '../../rig/kube.ts'
import { startFaultProxy } from '../../lib/kube/fault-proxy.ts'
import { tarsServer } from '../fixtures.ts'

const log = process.env['DEBUG'] === undefined ? silentLogger : createLogger({ format: 'text' })
const secretName = 'tars-webhook-certificates'
const tservers = resources.tservers as unknown as Resource

let cluster: TestCluster
let client: KubeClient
/** Namespace of the webhooks' own things, and of what is written through them. */
let home: string
let ns: string
const replicas: Webhooks[] = []
beforeAll(async () => {
  cluster = await behaviourCluster()
  client = cluster.client
  ;[home, ns] = await Promise.all([cluster.namespace(), cluster.namespace()])
  for (const crd of customResourceDefinitions({ served: ['v1beta1', 'v1beta2', 'v1beta3'] })) await installDefinition(client, crd as unknown as AnyObject)
  for (const resource of Object.values(resources)) await eventually(() => client.list(resource as never).catch(() => undefined), `${resource.plural} are served`)
  for (const template of frameworkTemplates(ns, [])) await client.create(resources.ttemplates, template as never)
})
afterEach(async () => {
  await Promise.all(replicas.splice(0).map((replica) => replica.stop()))
})
afterAll(async () => {
  for (const [resource, name] of [[mutatingWebhookConfigurations, 'tars-mutating-webhook'], [validatingWebhookConfigurations, 'tars-validating-webhook']] as const) await client?.delete(resource, { name }).catch(() => {})
  await cluster?.stop()
})

interface Changes {
  readonly env?: Readonly<Record<string, string>>
  readonly by?: KubeClient
}

/** A replica that the API server reaches at its own port. */
async function replica({ env = {}, by = client }: Changes = {}): Promise<Webhooks> {
  const settings = controllerEnv({
    TARSCONTROLLER_NAMESPACE: home, TARSCONTROLLER_WEBHOOK_LISTEN: cluster.host, TARSCONTROLLER_WEBHOOK_PORT: '0',
    TARSCONTROLLER_WEBHOOK_URL: `https://${cluster.host}:0`, TARSCONTROLLER_WEBHOOK_OVERLAP: '1', TARSCONTROLLER_WEBHOOK_DRAIN: '0', ...env,
  }, undefined)
  const started = await startWebhooks({ client: by, settings, log })
  replicas.push(started)
  return started
}

const ready = (webhooks: Webhooks) => eventually(() => webhooks.problem() === undefined, 'the webhooks are ready')

let count = 0
/** A new TServer as a user sends it. */
function draft(change: Parameters<typeof tarsServer>[0] = {}): TServer {
  const name = `S${++count}`
  const { metadata: { uid: _, ...metadata }, ...server } = tarsServer({ server: name, ...change }, { name: `demo-${name.toLowerCase()}` })
  return { ...server, metadata: { ...metadata, namespace: ns } }
}
const create = (server: TServer): Promise<AnyObject> => client.create(tservers, server as never)
const secret = (): Promise<AnyObject> => client.get(secrets, { namespace: home, name: secretName })
const authorities = (base64: string): string[] => splitPem(Buffer.from(base64, 'base64').toString())

describe('one replica', () => {
  test('starts while an API server that has just started does not know yet what it may ask', async () => {
    const proxy = await startFaultProxy(cluster.config)
    const refusal = { kind: 'status', code: 403, body: JSON.stringify({ kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 403, reason: 'Forbidden', message: 'forbidden' }) } as const
    proxy.inject(({ url }) => url === '/version', refusal, refusal)
    const asking = createKubeClient(proxy.config)
    await ready(await replica({ by: asking }))
    expect(proxy.requests.filter((request) => request === 'GET /version')).toHaveLength(3)
    await replicas.pop()?.stop()
    asking.close()
    await proxy.stop()
  })
  test('makes its certificates, registers itself, and is called', async () => {
    const webhooks = await replica()
    expect(webhooks.problem()).toBeDefined()
    await ready(webhooks)
    const made = await create(draft())
    expect(made.metadata.labels).toMatchObject({ 'tars.io/ServerApp': 'Demo', 'tars.io/Template': 'tars.default' })
    await expect(create(draft({ tars: { template: 'absent', servants: [] } }))).rejects.toThrow('admission webhook "validating.crd.tars.io-0" denied the request')
    const old = await client.get(inVersion(resources.tservers, 'v1beta1') as Resource, { namespace: ns, name: made.metadata.name })
    expect(old).toMatchObject({ apiVersion: 'k8s.tars.io/v1beta1', spec: { k8s: { readinessGate: 'tars.io/active' } } })
  })

  test('registers what cannot hold Kubernetes up', async () => {
    await ready(await replica())
    const [mutating, validating] = await Promise.all([client.get(mutatingWebhookConfigurations, { name: 'tars-mutating-webhook' }), client.get(validatingWebhookConfigurations, { name: 'tars-validating-webhook' })])
    const hooks = [...mutating['webhooks'], ...validating['webhooks']] as { name: string; failurePolicy: string; sideEffects: string; timeoutSeconds: number; matchConditions: { expression: string }[] }[]
    expect(hooks.map(({ name, failurePolicy }) => [name, failurePolicy])).toEqual([['mutating.crd.tars.io', 'Fail'], ['validating.crd.tars.io-0', 'Fail'], ['validating.k8s.tars.io-0', 'Ignore']])
    for (const hook of hooks) {
      expect(hook).toMatchObject({ sideEffects: 'None', timeoutSeconds: 5 })
      expect(hook.matchConditions.map(({ expression }) => expression).join()).toContain('system:serviceaccount:kube-system:')
    }
  })

  test('a dry run changes nothing and is answered alike', async () => {
    await ready(await replica())
    const server = draft()
    const answer = await client.create(tservers, server as never, { dryRun: true })
    expect(answer.metadata.labels).toMatchObject({ 'tars.io/ServerName': server.spec.server })
    await expect(client.get(tservers, { namespace: ns, name: server.metadata.name })).rejects.toMatchObject({ status: 404 })
  })

  test('sees a template that was made a moment ago', async () => {
    await ready(await replica())
    for (let index = 0; index < 20; index++) {
      await client.create(resources.ttemplates, { metadata: { namespace: ns, name: `fresh.${index}` }, spec: { content: '', parent: 'tars.default' } } as never)
      await create(draft({ tars: { template: `fresh.${index}`, servants: [] } }))
    }
  })

  test('undoes what others change in its registrations, and leaves the rest', async () => {
    await ready(await replica())
    await client.patch(mutatingWebhookConfigurations, { name: 'tars-mutating-webhook' }, { metadata: { labels: { theirs: 'yes' } } })
    const stranger = createAuthority({ commonName: 'stranger', validDays: 1 }).cert
    await client.patch(crds, { name: 'tservers.k8s.tars.io' }, { spec: { conversion: { webhook: { clientConfig: { caBundle: Buffer.from(stranger).toString('base64') } } } } })
    const conversion = await eventually(async () => {
      const { spec } = await client.get(crds, { name: 'tservers.k8s.tars.io' })
      return !authorities(spec.conversion.webhook.clientConfig.caBundle).includes(stranger) && spec.conversion.webhook.clientConfig
    }, 'the CRD has the authority again')
    expect(conversion).toMatchObject({ url: expect.stringContaining('/conversion') })
    await client.delete(validatingWebhookConfigurations, { name: 'tars-validating-webhook' })
    await eventually(() => client.get(validatingWebhookConfigurations, { name: 'tars-validating-webhook' }).catch(() => undefined), 'the configuration is back')
    expect((await client.get(mutatingWebhookConfigurations, { name: 'tars-mutating-webhook' })).metadata.labels).toEqual({ theirs: 'yes' })
  })

  test('fills configurations that a chart makes, and makes none itself then', async () => {
    const configurations = [[mutatingWebhookConfigurations, 'tars-mutating-webhook'], [validatingWebhookConfigurations, 'tars-validating-webhook']] as const
    for (const [resource, name] of configurations) await client.delete(resource, { name })
    const webhooks = await replica({ env: { TARSCONTROLLER_WEBHOOK_CREATE: 'false' } })
    await eventually(() => webhooks.problem() === 'this server is not yet registered in MutatingWebhookConfiguration tars-mutating-webhook, ValidatingWebhookConfiguration tars-validating-webhook', 'only the configurations are missing')
    for (const [resource, name] of configurations) await client.create(resource, { metadata: { name, labels: { 'app.kubernetes.io/managed-by': 'Helm' } } } as never)
    await ready(webhooks)
    await create(draft())
    expect((await client.get(mutatingWebhookConfigurations, { name: 'tars-mutating-webhook' })).metadata.labels).toEqual({ 'app.kubernetes.io/managed-by': 'Helm' })
  })

  test('answers what is no review with what is wrong, and goes on', async () => {
    const webhooks = await replica()
    await ready(webhooks)
    const ca = Buffer.from((await secret())['data']['ca.crt'], 'base64').toString()
    const post = (path: string, body: string, method = 'POST') => new Promise<{ status: number; text: string }>((resolve, reject) => {
      https.request({ host: cluster.host, port: webhooks.port, ca, path, method, agent: false }, (response) => {
        let text = ''
        response.on('data', (chunk) => { text += String(chunk) })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
      }).on('error', reject).end(body)
    })
    expect(await post('/other', '{}')).toMatchObject({ status: 404, text: expect.stringContaining('/mutating') })
    expect(await post('/mutating', '', 'GET')).toMatchObject({ status: 405 })
    for (const body of ['', '{', 'null', '[]', '{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1beta1","request":{}}', '{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1"}']) expect(await post('/validating', body)).toMatchObject({ status: 400 })
    expect(await post('/validating', JSON.stringify({ kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1', request: {} }))).toMatchObject({ status: 500 })
    expect(await post('/mutating', 'x'.repeat(17 * 1024 * 1024))).toMatchObject({ status: 413 })
    // Of few bytes each, and of tens in memory.
    expect(await post('/conversion', `[${'[],'.repeat(4_100_000)}[]]`)).toMatchObject({ status: 413, text: expect.stringContaining('8000000 values') })
    await create(draft())
  })
})

/** Fingerprint of the certificate that a replica shows. */
function shown({ port }: Webhooks): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ host: cluster.host, port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().fingerprint256)
      socket.destroy()
    })
    socket.on('error', reject)
  })
}

/** Writes and reads through the webhooks until `work` is done; every call must succeed, with `webhooks` ready. @returns how many there were */
async function underCalls(webhooks: Webhooks, work: () => Promise<void>): Promise<number> {
  let calls = 0
  let working = true
  const caller = async (): Promise<void> => {
    while (working) {
      const { metadata: { namespace, name } } = await create(draft())
      await client.get(inVersion(resources.tservers, 'v1beta2') as Resource, { namespace, name })
      await client.delete(tservers, { namespace, name })
      calls += 3
      expect(webhooks.problem()).toBeUndefined()
    }
  }
  const callers = [caller(), caller()]
  try {
    await Promise.race([work(), Promise.all(callers)])
  } finally {
    working = false
  }
  await Promise.all(callers)
  return calls
}

describe('rotation', () => {
  test('of the authority and of what is served: no call fails', async () => {
    const webhooks = await replica()
    await ready(webhooks)
    const before = await secret()
    const [old] = authorities(before['data']['ca.crt'])
    const calls = await underCalls(webhooks, async () => {
      await client.patch(secrets, { namespace: home, name: secretName }, { data: { 'ca.key': null } })
      const joined = await eventually(async () => { const now = await secret(); return authorities(now['data']['ca.crt']).length === authorities(before['data']['ca.crt']).length + 1 && now }, 'a new authority joined')
      expect(authorities(joined['data']['ca.crt'])).toContain(old)
      expect(joined['data']['tls.crt']).toBe(before['data']['tls.crt'])
      await eventually(async () => (await secret())['data']['tls.crt'] !== joined['data']['tls.crt'], 'the new authority signs')
      const { data } = await secret()
      await eventually(() => new Promise<boolean>((resolve) => {
        const probe = https.request({ host: cluster.host, port: webhooks.port, agent: false, ca: authorities(data['ca.crt'])[0] }, (response) => { response.resume(); resolve(true) })
        probe.on('error', () => resolve(false)).end()
      }), 'the new certificate is served')
      await client.patch(secrets, { namespace: home, name: secretName }, { data: { 'tls.crt': null } })
      await eventually(async () => (await secret())['data']['tls.crt'] !== undefined, 'there is a certificate again')
    })
    expect(calls).toBeGreaterThan(10)
    expect(webhooks.problem()).toBeUndefined()
  })

  test('a Secret that was deleted or emptied comes back as it was', async () => {
    const webhooks = await replica()
    await ready(webhooks)
    const { data } = await secret()
    const calls = await underCalls(webhooks, async () => {
      await client.delete(secrets, { namespace: home, name: secretName })
      await eventually(() => secret().catch(() => undefined), 'the Secret is back')
      await client.patch(secrets, { namespace: home, name: secretName }, { data: null })
      await eventually(async () => (await secret())['data']?.['tls.key'] !== undefined, 'the Secret is filled again')
    })
    expect(calls).toBeGreaterThan(0)
    expect((await secret())['data']).toEqual(data)
  })
})

// A real API server needs the endpoints of a Service from controllers of its own.
if (embedded) describe('two replicas behind a Service', () => {
  test('agree on one authority, and either can go', async () => {
    await client.delete(secrets, { namespace: home, name: secretName }).catch(() => {})
    const env = { TARSCONTROLLER_WEBHOOK_URL: '', TARSCONTROLLER_WEBHOOK_SERVICE: 'hooks', TARSCONTROLLER_WEBHOOK_DRAIN: '1' }
    const pair = await Promise.all([replica({ env }), replica({ env })])
    await client.create(services, { metadata: { namespace: home, name: 'hooks' }, spec: { ports: [{ name: 'https', port: 443, targetPort: 8443 }] } } as never)
    const route = (webhooks: Webhooks) => client.apply(endpoints, { metadata: { namespace: home, name: 'hooks' }, subsets: [{ addresses: [{ ip: '127.0.0.1' }], ports: [{ name: 'https', port: webhooks.port }] }] } as never, { fieldManager: 'test', force: true })
    await Promise.all(pair.map(ready))
    expect(authorities((await secret())['data']['ca.crt'])).toHaveLength(1)
    const [first, second] = pair as [Webhooks, Webhooks]
    await route(first)
    const calls = await underCalls(second, async () => {
      await route(second)
      await create(draft())
      await client.patch(secrets, { namespace: home, name: secretName }, { data: { 'ca.key': null } })
      await eventually(async () => authorities((await secret())['data']['ca.crt']).length === 2, 'a new authority joined')
      await route(first)
      await create(draft())
      await eventually(async () => {
        const { data } = await secret()
        const stored = new X509Certificate(Buffer.from(data['tls.crt'], 'base64'))
        const isNew = stored.verify(new X509Certificate(authorities(data['ca.crt'])[0] ?? '').publicKey)
        return isNew && (await Promise.all(pair.map(shown))).every((fingerprint) => fingerprint === stored.fingerprint256)
      }, 'both show the new certificate')
      await route(second)
      await first.stop()
      await create(draft())
    })
    expect(calls).toBeGreaterThan(0)
    expect(first.problem()).toBeDefined()
    expect(second.problem()).toBeUndefined()
  })
})

// The embedded API server asks the webhooks about everybody: it knows no conditions.
if (!embedded) describe('webhooks that are down', () => {
  test('hold up what people write, and not Kubernetes', async () => {
    await ready(await replica({ env: { TARSCONTROLLER_USER: 'somebody' } }))
    const doomed = await cluster.namespace()
    for (const template of frameworkTemplates(doomed, [])) await client.create(resources.ttemplates, template as never)
    await client.create(resources.ttrees, { metadata: { namespace: doomed, name: 'tars-tree' }, apps: [], businesses: [] } as never)
    const held = { ...draft(), metadata: { ...draft().metadata, namespace: doomed, finalizers: ['test.tarsk8s.io/held'] } }
    held.metadata.name = `demo-${held.spec.server.toLowerCase()}`
    await create(held)
    await expect(client.delete(resources.ttrees, { namespace: doomed, name: 'tars-tree' })).rejects.toThrow('denied the request')
    await Promise.all(replicas.splice(0).map((one) => one.stop()))
    await expect(create(draft())).rejects.toMatchObject({ status: 500, message: expect.stringContaining('failed calling webhook') })
    await client.create(services, { metadata: { namespace: doomed, name: 'free', labels: { 'tars.io/ServerApp': 'A', 'tars.io/ServerName': 'B' } }, spec: { ports: [{ port: 1 }] } } as never)
    await client.delete(namespaces, { name: doomed })
    await eventually(async () => (await client.get(tservers, { namespace: doomed, name: held.metadata.name })).metadata.deletionTimestamp !== undefined, 'the namespace is being emptied')
    await client.patch(tservers, { namespace: doomed, name: held.metadata.name }, { metadata: { finalizers: null } })
    await eventually(() => client.get(namespaces, { name: doomed }).then(() => false, (error: { status: number }) => error.status === 404), 'the namespace is gone')
  })
})
