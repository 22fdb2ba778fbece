// Webhooks registered by objects, called over HTTPS with the given authority.
import https from 'node:https'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { AdmissionReview, ConversionReview } from '#kube/admission.ts'
import { mutatingWebhookConfigurations, validatingWebhookConfigurations } from '#kube/resources.ts'
import { createAuthority, issueCertificate } from '#kube/x509.ts'
import { eventually, installDefinition, startTestCluster, widgetDefinition, widgets } from '../../rig/kube.ts'
import type { TestCluster } from '../../rig/kube.ts'

const authority = createAuthority({ commonName: 'hooks', validDays: 2 })
const caBundle = Buffer.from(authority.cert).toString('base64')
const namespace = 'default'

let cluster: TestCluster
let server: https.Server
let base: string
let paths: string[]

function reply(path: string, body: string): unknown {
  if (path === '/convert') {
    const { request } = JSON.parse(body) as ConversionReview
    const convertedObjects = request?.objects.map((object) => ({ ...object, apiVersion: request.desiredAPIVersion, spec: { ...object['spec'], via: 'webhook' } }))
    return { apiVersion: 'apiextensions.k8s.io/v1', kind: 'ConversionReview', response: { uid: request?.uid, convertedObjects, result: { status: 'Success' } } }
  }
  const { request } = JSON.parse(body) as AdmissionReview
  const uid = path === '/wrong-uid' ? 'other' : request?.uid
  const patch = path === '/mutate' ? { patchType: 'JSONPatch', patch: Buffer.from('[{"op":"add","path":"/spec/color","value":"green"}]').toString('base64') } : {}
  const allowed = path !== '/deny'
  return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid, allowed, warnings: ['looked at'], ...patch, ...(allowed ? {} : { status: { message: 'no' } }) } }
}

beforeAll(async () => {
  server = https.createServer(issueCertificate(authority, { commonName: 'hook', hosts: ['127.0.0.1'], validDays: 1 }), (request, response) => {
    paths.push(request.url ?? '')
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => response.end(JSON.stringify(reply(request.url ?? '', Buffer.concat(chunks).toString()))))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `https://127.0.0.1:${(server.address() as { port: number }).port}`
  cluster = await startTestCluster()
  await installDefinition(cluster.client, widgetDefinition())
})
afterAll(async () => {
  await cluster.stop()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})
beforeEach(() => {
  paths = []
})

const rules = [{ apiGroups: ['test.tarsk8s.io'], apiVersions: ['*'], resources: ['widgets'], operations: ['CREATE'] }]
const webhook = (path: string, more: object = {}) => ({ name: 'hook.test.tarsk8s.io', clientConfig: { url: `${base}${path}`, caBundle }, rules, sideEffects: 'None', admissionReviewVersions: ['v1'], ...more })
const create = (name: string, labels = {}) => cluster.client.create(widgets, { metadata: { name, namespace, labels }, spec: { size: 1 } } as never)

async function registered(kind: 'mutating' | 'validating', hook: object, work: () => Promise<void>): Promise<void> {
  const resource = kind === 'mutating' ? mutatingWebhookConfigurations : validatingWebhookConfigurations
  await cluster.client.create(resource, { metadata: { name: 'hooks' }, webhooks: [hook] } as never)
  try {
    await work()
  } finally {
    await cluster.client.delete(resource, { name: 'hooks' })
  }
}

describe('registered webhooks', () => {
  it('mutate and deny, and are called for what their rules and selectors say', async () => {
    await registered('mutating', webhook('/mutate'), async () => {
      expect((await create('green'))['spec'].color).toBe('green')
      await cluster.client.patch(widgets, { namespace, name: 'green' }, { spec: { size: 2 } })
      expect(paths).toEqual(['/mutate'])
    })
    await registered('validating', webhook('/deny', { objectSelector: { matchLabels: { checked: 'yes' } } }), async () => {
      await create('unchecked')
      await expect(create('checked', { checked: 'yes' })).rejects.toMatchObject({ status: 403, message: 'admission webhook "hook.test.tarsk8s.io" denied the request: no' })
    })
  })
  it('fail closed, or open when they say so, when they cannot be reached or answer nonsense', async () => {
    const unreachable = { clientConfig: { url: 'https://127.0.0.1:9/', caBundle } }
    await registered('validating', webhook('/', unreachable), () => expect(create('closed')).rejects.toMatchObject({ status: 500, message: expect.stringContaining('failed calling webhook') as string }))
    await registered('validating', webhook('/', { ...unreachable, failurePolicy: 'Ignore' }), async () => void (await create('open')))
    await registered('validating', webhook('/wrong-uid'), () => expect(create('nonsense')).rejects.toMatchObject({ status: 500 }))
    const stranger = { clientConfig: { url: `${base}/allow`, caBundle: Buffer.from(createAuthority({ commonName: 'other', validDays: 1 }).cert).toString('base64') } }
    await registered('validating', webhook('/', stranger), () => expect(create('stranger')).rejects.toMatchObject({ status: 500 }))
  })
  it('convert for a CRD that names one', async () => {
    const schema = { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } } } }
    const definition = {
      apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: 'crates.url.tarsk8s.io' },
      spec: {
        group: 'url.tarsk8s.io', scope: 'Namespaced', names: { plural: 'crates', kind: 'Crate' },
        conversion: { strategy: 'Webhook', webhook: { conversionReviewVersions: ['v1'], clientConfig: { url: `${base}/convert`, caBundle } } },
        versions: [{ name: 'v1', served: true, storage: true, schema }, { name: 'v2', served: true, storage: false, schema }],
      },
    }
    await installDefinition(cluster.client, definition)
    const crates = { group: 'url.tarsk8s.io', version: 'v1', plural: 'crates', kind: 'Crate', namespaced: true }
    await eventually(() => cluster.client.create(crates, { metadata: { name: 'c', namespace }, spec: { a: 1 } } as never).catch(() => undefined), 'the kind is served')
    expect(await cluster.client.get({ ...crates, version: 'v2' }, { namespace, name: 'c' })).toMatchObject({ apiVersion: 'url.tarsk8s.io/v2', spec: { a: 1, via: 'webhook' } })
  })
})
