// Webhooks registered by objects, called over HTTPS with the given authority.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { AdmissionRequest, AdmissionReview, ConversionReview } from '#kube/admission.ts'
import { mutatingWebhookConfigurations, validatingWebhookConfigurations } from '#kube/resources.ts'
import { createAuthority } from '#kube/x509.ts'
import { behaviourCluster, eventually, installDefinition, widgetDefinition, widgets } from '../../rig/kube.ts'
import type { TestCluster } from '../../rig/kube.ts'
import { serveReviews, type ReviewServer } from '../../rig/reviews.ts'

const namespace = 'default'

let cluster: TestCluster
let server: ReviewServer
let paths: string[]
let requests: AdmissionRequest[]

async function reply(path: string, review: object): Promise<unknown> {
  paths.push(path)
  if (path === '/convert') {
    const { request } = review as ConversionReview
    const convertedObjects = request?.objects.map((object) => ({ ...object, apiVersion: request.desiredAPIVersion, spec: { ...object['spec'], via: 'webhook' } }))
    return { apiVersion: 'apiextensions.k8s.io/v1', kind: 'ConversionReview', response: { uid: request?.uid, convertedObjects, result: { status: 'Success' } } }
  }
  const { request } = review as AdmissionReview
  if (request !== undefined && !path.startsWith('/marker')) requests.push(request)
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
  requests = []
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
    requests = []
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

describe('matchConditions', () => {
  const every = [{ ...rules[0], operations: ['CREATE', 'UPDATE', 'DELETE'] }]
  const when = (...expressions: string[]) => webhook('/deny', { rules: every, objectSelector: { matchExpressions: [{ key: 'marker', operator: 'DoesNotExist' }] }, matchConditions: expressions.map((expression, index) => ({ name: `c${index}`, expression })) })
  const denied = { status: 400, message: 'admission webhook "hook.test.tarsk8s.io" denied the request: no' }

  it('decide by object, old object and request whether a webhook is asked', async () => {
    await create('matched')
    await registered('validating', when('request.operation != "DELETE"', 'object.spec.size == 7 || (has(oldObject.spec) && oldObject.spec.size == 7)'), async () => {
      await create('small')
      await expect(cluster.client.create(widgets, { metadata: { name: 'seven', namespace }, spec: { size: 7 } } as never)).rejects.toMatchObject(denied)
      await expect(cluster.client.patch(widgets, { namespace, name: 'matched' }, { spec: { size: 7 } })).rejects.toMatchObject(denied)
      await cluster.client.patch(widgets, { namespace, name: 'matched' }, { spec: { size: 2 } })
      await cluster.client.delete(widgets, { namespace, name: 'small' })
    })
  })
  it('know who asks, for what', async () => {
    const groups = '("system:masters" in request.userInfo.groups)'
    await registered('validating', when(`${groups} && request.userInfo.username != "" && request.resource.resource == "widgets" && request.kind.kind == "Widget" && request.namespace == "default" && request.name.startsWith("asked")`), async () => {
      await expect(create('asked-1')).rejects.toMatchObject(denied)
      await create('unasked')
    })
    await registered('validating', when('request.dryRun'), async () => {
      await expect(cluster.client.create(widgets, { metadata: { name: 'dry', namespace }, spec: { size: 1 } } as never, { dryRun: true })).rejects.toMatchObject({ status: 400 })
      await create('wet')
    })
    await registered('validating', when('!(request.userInfo.username.startsWith("system:serviceaccount:kube-system:") || request.userInfo.username in ["a", "b"])', 'request.operation == "DELETE" || !has(object.metadata.deletionTimestamp)'), () => expect(create('guarded')).rejects.toMatchObject(denied))
  })
  it('that cannot be evaluated refuse, or leave the webhook out, as its policy says; one that is false decides', async () => {
    const broken = 'object.spec.free.nothing == 1'
    await registered('validating', when(broken), () => expect(create('closed')).rejects.toMatchObject({ status: 403, message: expect.stringContaining(broken) as string }))
    await registered('validating', { ...when(broken), failurePolicy: 'Ignore' }, async () => void (await create('ignored')))
    await registered('validating', when(broken, 'object.spec.size == 2'), async () => void (await create('decided')))
    expect(paths).toEqual([])
  })
  it('see what the webhooks before made', async () => {
    await cluster.client.create(mutatingWebhookConfigurations, { metadata: { name: 'paint' }, webhooks: [webhook('/mutate')] } as never)
    try {
      await registered('validating', when('object.spec.color == "green"'), () => expect(create('painted')).rejects.toMatchObject(denied))
    } finally {
      await cluster.client.delete(mutatingWebhookConfigurations, { name: 'paint' })
    }
  })
  it.each<[string, object[], string, string]>([
    ['that do not parse', [{ name: 'a', expression: 'object ==' }], 'expression', 'compilation failed'],
    ['with unknown fields of the request', [{ name: 'a', expression: 'request.who == "me"' }], 'expression', 'compilation failed'],
    ['that say neither yes nor no', [{ name: 'a', expression: 'request.name' }], 'expression', 'must evaluate to'],
    ['without a name', [{ name: '', expression: 'true' }], 'name', 'Required value'],
    ['without an expression', [{ name: 'a', expression: '' }], 'expression', 'Required value'],
  ])('%s are refused with their webhook', async (_what, matchConditions, field, text) => {
    const error = await cluster.client.create(validatingWebhookConfigurations, { metadata: { name: 'bad' }, webhooks: [webhook('/deny', { matchConditions })] } as never).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ status: 422, details: { causes: [{ field: `webhooks[0].matchConditions[0].${field}`, message: expect.stringContaining(text) as string }] } })
  })
})

describe('matchPolicy', () => {
  const group = 'policy.tarsk8s.io'
  const parcels = { group, version: 'v1', plural: 'parcels', kind: 'Parcel', namespaced: true }
  const hook = (path: string, more: object) => webhook(path, { rules: [{ apiGroups: [group], apiVersions: ['v1'], resources: ['parcels'], operations: ['CREATE', 'DELETE'] }], ...more })
  const send = (version: string, name: string) => cluster.client.create({ ...parcels, version }, { metadata: { name, namespace }, spec: { size: 1 } } as never)

  beforeAll(async () => {
    const schema = { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } } } }
    await installDefinition(cluster.client, {
      apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: `parcels.${group}` },
      spec: { group, scope: 'Namespaced', names: { plural: 'parcels', kind: 'Parcel' }, versions: ['v1', 'v2'].map((name) => ({ name, served: true, storage: name === 'v2', schema })) },
    })
    for (const version of ['v1', 'v2']) await eventually(() => send(version, `probe-${version}`).catch(() => undefined), `${version} is served`)
  })

  it('Equivalent asks about other versions, too, in the version of the rule', async () => {
    for (const more of [{ matchPolicy: 'Equivalent' }, {}]) {
      await registered('mutating', hook('/mutate', more), async () => {
        expect(await send('v2', 'green')).toMatchObject({ apiVersion: `${group}/v2`, spec: { size: 1, color: 'green' } })
        expect(requests).toMatchObject([{
          kind: { group, version: 'v1', kind: 'Parcel' }, resource: { group, version: 'v1', resource: 'parcels' }, requestKind: { group, version: 'v2', kind: 'Parcel' }, requestResource: { group, version: 'v2', resource: 'parcels' },
          object: { apiVersion: `${group}/v1`, spec: { size: 1 } },
        }])
        await expect(cluster.client.delete({ ...parcels, version: 'v2' }, { namespace, name: 'green' })).rejects.toMatchObject({ status: 500, message: expect.stringContaining('attempted to modify the object, which is not supported for this operation') as string })
        expect(requests[1]).toMatchObject({ operation: 'DELETE', oldObject: { apiVersion: `${group}/v1`, spec: { color: 'green' } } })
      })
      await cluster.client.delete({ ...parcels, version: 'v2' }, { namespace, name: 'green' })
    }
  })
  it('Exact asks about the versions of the rule only', async () => {
    await registered('validating', hook('/deny', { matchPolicy: 'Exact' }), async () => {
      await send('v2', 'exact')
      await expect(send('v1', 'other')).rejects.toMatchObject({ status: 400 })
    })
  })
})
