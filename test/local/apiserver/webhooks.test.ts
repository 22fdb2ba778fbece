// Webhooks registered by objects, called over HTTPS with the given authority.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { AdmissionReview, ConversionReview } from '#kube/admission.ts'
import { mutatingWebhookConfigurations, validatingWebhookConfigurations } from '#kube/resources.ts'
import { createAuthority } from '#kube/x509.ts'
import { behaviourCluster, eventually, installDefinition, widgetDefinition, widgets } from '../../rig/kube.ts'
import type { TestCluster } from '../../rig/kube.ts'
import { serveReviews, type ReviewServer } from '../../rig/reviews.ts'

const namespace = 'default'

let cluster: TestCluster
let server: ReviewServer
let paths: string[]

async function reply(path: string, review: object): Promise<unknown> {
  paths.push(path)
  if (path === '/convert') {
    const { request } = review as ConversionReview
    const convertedObjects = request?.objects.map((object) => ({ ...object, apiVersion: request.desiredAPIVersion, spec: { ...object['spec'], via: 'webhook' } }))
    return { apiVersion: 'apiextensions.k8s.io/v1', kind: 'ConversionReview', response: { uid: request?.uid, convertedObjects, result: { status: 'Success' } } }
  }
  const { request } = review as AdmissionReview
  const uid = path === '/wrong-uid' ? 'other' : request?.uid
  const patch = path === '/mutate' ? { patchType: 'JSONPatch', patch: Buffer.from('[{"op":"add","path":"/spec/color","value":"green"}]').toString('base64') } : {}
  const allowed = path !== '/deny'
  return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid, allowed, warnings: ['looked at'], ...patch, ...(allowed ? {} : { status: { message: 'no' } }) } }
}

beforeAll(async () => {
  cluster = await behaviourCluster()
  server = await serveReviews(cluster.host, reply)
  await installDefinition(cluster.client, widgetDefinition())
})
afterAll(async () => {
  await cluster?.stop()
  await server?.stop()
})
beforeEach(() => {
  paths = []
})

const rules = [{ apiGroups: ['test.tarsk8s.io'], apiVersions: ['*'], resources: ['widgets'], operations: ['CREATE'] }]
const webhook = (path: string, more: object = {}) => ({ name: 'hook.test.tarsk8s.io', clientConfig: server.at(path), rules, sideEffects: 'None', admissionReviewVersions: ['v1'], ...more })
const create = (name: string, labels = {}) => cluster.client.create(widgets, { metadata: { name, namespace, labels }, spec: { size: 1 } } as never)

let registrations = 0

/** Registers a webhook for as long as the work takes. An API server learns of it, and of its end, a moment later: a second one tells when. */
async function registered(kind: 'mutating' | 'validating', hook: object, work: () => Promise<void>): Promise<void> {
  const resource = kind === 'mutating' ? mutatingWebhookConfigurations : validatingWebhookConfigurations
  const marker = `/marker/${++registrations}`
  await cluster.client.create(resource, { metadata: { name: 'hooks' }, webhooks: [webhook(marker, { name: 'marker.test.tarsk8s.io', objectSelector: { matchLabels: { marker: 'yes' } } }), hook] } as never)
  try {
    await eventually(async () => {
      await cluster.client.create(widgets, { metadata: { name: 'marker', namespace, labels: { marker: 'yes' } }, spec: { size: 1 } } as never, { dryRun: true }).catch(() => {})
      return paths.includes(marker)
    }, 'the API server knows the webhook')
    paths = []
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
      await expect(create('checked', { checked: 'yes' })).rejects.toMatchObject({ status: 400, message: 'admission webhook "hook.test.tarsk8s.io" denied the request: no' })
    })
  })
  it('fail closed, or open when they say so, when they cannot be reached or answer nonsense', async () => {
    const unreachable = { clientConfig: { ...server.at('/'), url: `https://${cluster.host}:9/` } }
    await registered('validating', webhook('/', unreachable), () => expect(create('closed')).rejects.toMatchObject({ status: 500, message: expect.stringContaining('failed calling webhook') as string }))
    await registered('validating', webhook('/', { ...unreachable, failurePolicy: 'Ignore' }), async () => void (await create('open')))
    await registered('validating', webhook('/wrong-uid'), () => expect(create('nonsense')).rejects.toMatchObject({ status: 500 }))
    const stranger = { clientConfig: { ...server.at('/allow'), caBundle: Buffer.from(createAuthority({ commonName: 'other', validDays: 1 }).cert).toString('base64') } }
    await registered('validating', webhook('/', stranger), () => expect(create('stranger')).rejects.toMatchObject({ status: 500 }))
  })
  it('convert for a CRD that names one', async () => {
    const schema = { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } } } }
    const definition = {
      apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: 'crates.url.tarsk8s.io' },
      spec: {
        group: 'url.tarsk8s.io', scope: 'Namespaced', names: { plural: 'crates', kind: 'Crate' },
        conversion: { strategy: 'Webhook', webhook: { conversionReviewVersions: ['v1'], clientConfig: server.at('/convert') } },
        versions: [{ name: 'v1', served: true, storage: true, schema }, { name: 'v2', served: true, storage: false, schema }],
      },
    }
    await installDefinition(cluster.client, definition)
    const crates = { group: 'url.tarsk8s.io', version: 'v1', plural: 'crates', kind: 'Crate', namespaced: true }
    await eventually(() => cluster.client.create(crates, { metadata: { name: 'c', namespace }, spec: { a: 1 } } as never).catch(() => undefined), 'the kind is served')
    expect(await cluster.client.get({ ...crates, version: 'v2' }, { namespace, name: 'c' })).toMatchObject({ apiVersion: 'url.tarsk8s.io/v2', spec: { a: 1, via: 'webhook' } })
  })
})
