// Rules in the Common Expression Language in the schemas of CRDs.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { customResourceDefinitions } from '#kube/resources.ts'
import type { AnyObject, Resource } from '#kube/types.ts'
import { behaviourCluster, eventually, installDefinition, remove } from '../../rig/kube.ts'
import type { TestCluster } from '../../rig/kube.ts'

const group = 'rules.tarsk8s.io'
const gadgets: Resource = { group, version: 'v1', plural: 'gadgets', kind: 'Gadget', namespaced: true }

let cluster: TestCluster
let namespace: string

const item = { type: 'object', required: ['name'], properties: { name: { type: 'string', maxLength: 20 }, port: { type: 'integer' } } }
const spec = {
  type: 'object',
  properties: {
    app: { type: 'string', maxLength: 20, 'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'app cannot change' }] },
    size: { type: 'integer', minimum: 0 },
    limit: { type: 'integer' },
    note: { type: 'string', maxLength: 20 },
    since: { type: 'string', format: 'date-time' },
    weight: { type: 'number' },
    amount: { 'x-kubernetes-int-or-string': true },
    namespace: { type: 'string', maxLength: 20 },
    'with-dash': { type: 'string', maxLength: 20 },
    labels: { type: 'object', maxProperties: 9, additionalProperties: { type: 'string', maxLength: 9 }, 'x-kubernetes-validations': [{ rule: 'self.all(key, key.startsWith("a") && self[key] != "")', message: 'labels start with a' }] },
    list: {
      type: 'array', maxItems: 10, items: item,
      'x-kubernetes-validations': [{
        rule: 'self.all(one, self.exists_one(other, other.name.lowerAscii() == one.name.lowerAscii()))', message: 'names are unique',
        messageExpression: '"not unique: one of " + self[0].name',
      }],
    },
    keyed: {
      type: 'array', maxItems: 10, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'],
      items: { ...item, 'x-kubernetes-validations': [{ rule: '!has(oldSelf.port) || (has(self.port) && self.port >= oldSelf.port)', message: 'ports only grow' }] },
    },
  },
  'x-kubernetes-validations': [
    { rule: '!has(self.limit) || !has(self.size) || self.size <= self.limit', message: 'size is more than limit', reason: 'FieldValueForbidden', fieldPath: '.size' },
    { rule: '!has(self.since) || self.since > timestamp("2020-01-01T00:00:00Z")' },
    { rule: '!has(self.weight) || self.weight < 2.5', message: 'too heavy' },
    { rule: '!has(self.amount) || type(self.amount) != int || self.amount < 5', message: 'too much' },
    { rule: '!has(self.__namespace__) || self.__namespace__ != "bad"', message: 'bad namespace' },
    { rule: '!has(self.with__dash__dash) || self.with__dash__dash.matches("^[a-z]+$")', message: 'letters only' },
    { rule: '!has(self.note) || self.note != "divide" || 1 / (self.size - self.size) == 1' },
  ],
}

function definition(plural: string, schema: object): AnyObject {
  const kind = `${plural[0]?.toUpperCase()}${plural.slice(1, -1)}`
  return {
    apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: `${plural}.${group}` },
    spec: {
      group, scope: 'Namespaced', names: { plural, kind },
      versions: [{ name: 'v1', served: true, storage: true, subresources: { status: {}, scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.size' } }, schema: { openAPIV3Schema: schema } }],
    },
  }
}

const root = {
  type: 'object', properties: { spec, status: { type: 'object', properties: { size: { type: 'integer' } } } },
  'x-kubernetes-validations': [
    { rule: '!has(self.spec) || !has(self.spec.app) || self.metadata.name.startsWith(self.spec.app.lowerAscii())', message: 'the name starts with the app' },
    { rule: '!has(self.status) || !has(self.status.size) || self.status.size < 100', message: 'status too large' },
  ],
}

beforeAll(async () => {
  cluster = await behaviourCluster()
  await installDefinition(cluster.client, definition('gadgets', root))
  namespace = await cluster.namespace()
  await eventually(() => create('probe', {}).catch(() => undefined), 'gadgets are served')
})
afterAll(async () => {
  if (cluster !== undefined && !cluster.isOwn) await remove(cluster.client, customResourceDefinitions, ({ metadata }) => metadata.name.endsWith(`.${group}`))
  await cluster?.stop()
})

const create = (name: string, fields: object, more: object = {}): Promise<AnyObject> => cluster.client.create(gadgets, { metadata: { name, namespace }, spec: fields, ...more } as never)
const patch = (name: string, fields: object, subresource = ''): Promise<AnyObject> => cluster.client.patch(gadgets, { namespace, name }, fields, subresource === '' ? {} : { subresource: subresource as 'status' })

interface Cause { readonly field: string; readonly message: string; readonly reason: string }

async function refused(work: Promise<unknown>): Promise<Cause[]> {
  const error = await work.then(() => undefined, (caught: unknown) => caught)
  expect(error).toMatchObject({ status: 422, reason: 'Invalid' })
  return (error as { details: { causes: Cause[] } }).details.causes.map(({ field, message, reason }) => ({ field, message, reason }))
}

const invalid = (field: string, type: string, text: string): Cause => ({ field, reason: 'FieldValueInvalid', message: `Invalid value: ${type === '' ? 'null' : `"${type}"`}: ${text}` })

describe('rules of a schema', () => {
  it('accept what keeps them', async () => {
    await create('good-one', {
      app: 'Good', size: 1, limit: 2, since: '2024-01-01T00:00:00Z', weight: 2, amount: 4, namespace: 'x', 'with-dash': 'abc', labels: { a1: 'x' },
      list: [{ name: 'A' }, { name: 'b' }], keyed: [{ name: 'x', port: 1 }],
    })
    await create('texts', { amount: '1Gi', note: 'divided' })
  })
  it.each<[string, object, Cause]>([
    ['of the whole object, with its name', { app: 'Other' }, invalid('<nil>', 'object', 'the name starts with the app')],
    ['between two fields, with a reason and a path', { size: 3, limit: 2 }, { field: 'spec.size', reason: 'FieldValueForbidden', message: 'Forbidden: size is more than limit' }],
    ['about a time, without a message', { since: '2019-01-01T00:00:00Z' }, invalid('spec', 'object', 'failed rule: !has(self.since) || self.since > timestamp("2020-01-01T00:00:00Z")')],
    ['about a number, which may be whole', { weight: 3 }, invalid('spec', 'object', 'too heavy')],
    ['about an integer or string', { amount: 6 }, invalid('spec', 'object', 'too much')],
    ['about a field with a reserved name', { namespace: 'bad' }, invalid('spec', 'object', 'bad namespace')],
    ['about a field with a dash', { 'with-dash': 'A' }, invalid('spec', 'object', 'letters only')],
    ['about the keys of a map', { labels: { b: 'x' } }, invalid('spec.labels', 'object', 'labels start with a')],
    ['about a list, with a computed message', { list: [{ name: 'Abc' }, { name: 'x' }, { name: 'aBC' }] }, invalid('spec.list', 'array', 'not unique: one of Abc')],
    ['that cannot be evaluated', { note: 'divide', size: 1 }, invalid('spec', 'object', 'division by zero evaluating rule: !has(self.note) || self.note != "divide" || 1 / (self.size - self.size) == 1')],
  ])('refuse what breaks one %s', async (_what, fields, cause) => {
    expect(await refused(create('bad', fields))).toEqual([cause])
  })
  it('tell everything that is broken at once', async () => {
    expect((await refused(create('bad', { app: 'Other', weight: 3, labels: { b: 'x' } }))).map(({ field }) => field).toSorted()).toEqual(['<nil>', 'spec', 'spec.labels'])
  })
  it('are not asked of what has not the form of the schema', async () => {
    expect(await refused(create('bad', { app: 1, weight: 3 }))).toEqual([
      expect.objectContaining({ field: 'spec.app', reason: 'FieldValueTypeInvalid' }) as Cause,
      invalid('<nil>', '', 'some validation rules were not checked because the object was invalid; correct the existing errors to complete validation'),
    ])
    expect((await refused(create('bad', { size: -1, weight: 3 }))).map(({ field }) => field)).toEqual(expect.arrayContaining(['spec.size', 'spec']))
  })
})

describe('rules about changes', () => {
  it('compare with what was there, where there was something', async () => {
    await create('change', { size: 1 })
    await patch('change', { spec: { app: 'Change' } })
    expect(await refused(patch('change', { spec: { app: 'chang' } }))).toEqual([invalid('spec.app', 'string', 'app cannot change')])
    await patch('change', { spec: { app: null } })
  })
  it('compare the items of a list by their keys', async () => {
    await create('keyed', { keyed: [{ name: 'a', port: 5 }, { name: 'b', port: 1 }] })
    await patch('keyed', { spec: { keyed: [{ name: 'new', port: 1 }, { name: 'b', port: 1 }, { name: 'a', port: 6 }] } })
    expect(await refused(patch('keyed', { spec: { keyed: [{ name: 'b', port: 1 }, { name: 'a', port: 5 }] } }))).toEqual([invalid('spec.keyed[1]', 'object', 'ports only grow')])
  })
  it('hold for the status and the scale, too', async () => {
    await create('sub', { size: 1, limit: 2 })
    expect(await refused(patch('sub', { status: { size: 100 } }, 'status'))).toEqual([invalid('<nil>', 'object', 'status too large')])
    await patch('sub', { status: { size: 99 } }, 'status')
    expect(await refused(patch('sub', { spec: { replicas: 3 } }, 'scale'))).toEqual([expect.objectContaining({ field: 'spec.size' }) as Cause])
  })
  it('leave what was broken before in peace as long as it does not change', async () => {
    const loose = definition('relics', { type: 'object', properties: { spec: { type: 'object', properties: { a: { type: 'integer' }, part: { type: 'object', properties: { b: { type: 'integer' } } } } } } })
    await installDefinition(cluster.client, loose)
    const relics = { ...gadgets, plural: 'relics', kind: 'Relic' }
    await eventually(() => cluster.client.create(relics, { metadata: { name: 'r', namespace }, spec: { a: 1, part: { b: 9 } } } as never).catch(() => undefined), 'relics are served')
    const strict = { type: 'object', properties: { spec: { type: 'object', properties: { a: { type: 'integer' }, part: { type: 'object', properties: { b: { type: 'integer' } }, 'x-kubernetes-validations': [{ rule: 'self.b < 5', message: 'b is small' }] } } } } }
    await cluster.client.patch(customResourceDefinitions, { name: `relics.${group}` }, { spec: { versions: [{ ...(loose['spec'].versions[0] as object), schema: { openAPIV3Schema: strict } }] } })
    await eventually(() => cluster.client.create(relics, { metadata: { name: 'x', namespace }, spec: { part: { b: 9 } } } as never, { dryRun: true }).then(() => false, () => true), 'the rule holds')
    await cluster.client.patch(relics, { namespace, name: 'r' }, { spec: { a: 2 } })
    expect(await refused(cluster.client.patch(relics, { namespace, name: 'r' }, { spec: { part: { b: 8 } } }))).toEqual([invalid('spec.part', 'object', 'b is small')])
  })
})

describe('a rule that is none', () => {
  it.each<[string, object, string, string]>([
    ['does not parse', { rule: 'self ==' }, 'rule', 'compilation failed'],
    ['names an unknown field', { rule: 'self.nope == 1' }, 'rule', 'compilation failed'],
    ['compares what cannot be compared', { rule: 'self.a == 1' }, 'rule', 'compilation failed'],
    ['says neither yes nor no', { rule: 'self.a + self.a' }, 'rule', 'must evaluate to a bool'],
    ['is empty', { rule: ' ' }, 'rule', 'rule is not specified'],
    ['has a message of two lines', { rule: 'true', message: 'a\nb' }, 'message', 'must not contain line breaks'],
    ['has a message expression that is no text', { rule: 'true', messageExpression: 'self.a == ""' }, 'messageExpression', 'must evaluate to a string'],
    ['has an unknown reason', { rule: 'true', reason: 'Because' }, 'reason', 'Unsupported value: "Because"'],
  ])('%s is refused with its CRD', async (_what, rule, field, text) => {
    const schema = { type: 'object', properties: { spec: { type: 'object', properties: { a: { type: 'string' } }, 'x-kubernetes-validations': [rule] } } }
    const causes = await refused(cluster.client.create(customResourceDefinitions, definition('nones', schema)))
    expect(causes).toEqual([expect.objectContaining({ field: expect.stringMatching(new RegExp(`\\.openAPIV3Schema\\.properties\\[spec]\\.x-kubernetes-validations\\[0]\\.${field}$`)) as string, message: expect.stringContaining(text) as string }) as Cause])
  })
  it('compares items of a list that cannot be told apart', async () => {
    const schema = { type: 'object', properties: { list: { type: 'array', maxItems: 9, items: { type: 'string', 'x-kubernetes-validations': [{ rule: 'self == oldSelf' }] } } } }
    const causes = await refused(cluster.client.create(customResourceDefinitions, definition('nones', schema)))
    expect(causes).toEqual([expect.objectContaining({ message: expect.stringContaining('oldSelf cannot be used on the uncorrelatable portion of the schema') as string }) as Cause])
  })
})
