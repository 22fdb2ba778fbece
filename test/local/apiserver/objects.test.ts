// Create, read, update, delete, list: the same against the embedded and a real API server.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { configMaps, namespaces, nodes, pods, secrets, statefulSets } from '#kube/resources.ts'
import type { AnyObject } from '#kube/types.ts'
import { behaviourCluster, eventually } from '../../rig/kube.ts'
import type { TestCluster } from '../../rig/kube.ts'

let cluster: TestCluster
let namespace: string
beforeAll(async () => {
  cluster = await behaviourCluster()
  namespace = await cluster.namespace()
})
afterAll(() => cluster.stop())

const pod = (name: string, extra: object = {}): AnyObject => ({
  apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace, labels: { app: name } }, spec: { containers: [{ name: 'c', image: 'example.test/x:1' }], ...extra },
})

describe('create', () => {
  it('stamps uid, creationTimestamp, resourceVersion and managedFields', async () => {
    const made = await cluster.client.create(configMaps, { metadata: { name: 'stamped', namespace }, data: { a: '1' } }, { fieldManager: 'tester' })
    expect(made.metadata.uid).toMatch(/^[0-9a-f-]{36}$/)
    expect(made.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
    expect(Number(made.metadata.resourceVersion)).toBeGreaterThan(0)
    expect(made.metadata.managedFields).toMatchObject([{ manager: 'tester', operation: 'Update', fieldsV1: { 'f:data': { 'f:a': {} } } }])
  })
  it('makes a name from generateName', async () => {
    const made = await cluster.client.create(configMaps, { metadata: { generateName: 'gen-', namespace } })
    expect(made.metadata.name).toMatch(/^gen-[a-z0-9]{5}$/)
  })
  it('refuses a second object of the name', async () => {
    await cluster.client.create(configMaps, { metadata: { name: 'twice', namespace } })
    await expect(cluster.client.create(configMaps, { metadata: { name: 'twice', namespace } })).rejects.toMatchObject({ status: 409, reason: 'AlreadyExists', message: 'configmaps "twice" already exists' })
  })
  it('refuses a namespace that is not there', async () => {
    await expect(cluster.client.create(configMaps, { metadata: { name: 'x', namespace: 'no-such-place' } })).rejects.toMatchObject({ status: 404, message: 'namespaces "no-such-place" not found' })
  })
  it('refuses a bad name and names the field', async () => {
    await expect(cluster.client.create(configMaps, { metadata: { name: 'Bad_Name', namespace } })).rejects.toMatchObject({
      status: 422, reason: 'Invalid', details: { causes: [{ field: 'metadata.name', reason: 'FieldValueInvalid' }] },
    })
  })
  it('refuses a pod without an image, naming the path', async () => {
    await expect(cluster.client.create(pods, pod('no-image', { containers: [{ name: 'c' }] }))).rejects.toMatchObject({ message: expect.stringContaining('spec.containers[0].image: Required value') as string })
  })
  it('stores nothing on a dry run', async () => {
    await cluster.client.create(configMaps, { metadata: { name: 'dry', namespace } }, { dryRun: true })
    await expect(cluster.client.get(configMaps, { namespace, name: 'dry' })).rejects.toMatchObject({ status: 404, message: 'configmaps "dry" not found' })
  })
  it('encodes stringData of a secret', async () => {
    const made = await cluster.client.create(secrets, { metadata: { name: 'sec', namespace }, stringData: { p: 'word' } } as never)
    expect(made).toMatchObject({ type: 'Opaque', data: { p: Buffer.from('word').toString('base64') } })
  })
  it('refuses keys of data that could be no file, and bytes that are no base64', async () => {
    const causes = async (data: object, binaryData: object = {}) => {
      const error = await cluster.client.create(configMaps, { metadata: { name: 'keys', namespace }, data, binaryData } as never).catch((caught: unknown) => caught)
      expect(error).toMatchObject({ status: 422, reason: 'Invalid' })
      return (error as { details: { causes: { field: string; message: string }[] } }).details.causes.map(({ field, message }) => `${field}: ${message}`)
    }
    expect(await causes({ 'a/b': '1' })).toEqual([expect.stringMatching(/^data\[a\/b\]: Invalid value: "a\/b": a valid config key must consist of /)])
    expect(await causes({ '..': '1' }, { '..x': '' })).toEqual(['data[..]: Invalid value: "..": must not be \'..\'', 'binaryData[..x]: Invalid value: "..x": must not start with \'..\''])
    expect(await causes({ a: '1' }, { a: 'eA==' })).toEqual(['data[a]: Invalid value: "a": duplicate of key present in binaryData'])
    for (const [text, byte] of [['x', 0], ['eA=', 3], ['eHg*', 3]] as const) {
      await expect(cluster.client.create(secrets, { metadata: { name: 'bytes', namespace }, data: { a: text } } as never)).rejects.toMatchObject({ status: 400, message: `Secret in version "v1" cannot be handled as a Secret: illegal base64 data at input byte ${byte}` })
    }
  })
  it('sets the defaults of a pod', async () => {
    expect(await cluster.client.create(pods, pod('defaults'))).toMatchObject({
      spec: { restartPolicy: 'Always', terminationGracePeriodSeconds: 30, dnsPolicy: 'ClusterFirst', containers: [{ imagePullPolicy: 'IfNotPresent' }] }, status: { phase: 'Pending' },
    })
  })
})

describe('update', () => {
  it('refuses an outdated resourceVersion', async () => {
    const first = await cluster.client.create(configMaps, { metadata: { name: 'race', namespace }, data: { n: '0' } })
    await cluster.client.update(configMaps, { ...first, data: { n: '1' } })
    await expect(cluster.client.update(configMaps, { ...first, data: { n: '2' } })).rejects.toMatchObject({
      status: 409, reason: 'Conflict',
      message: 'Operation cannot be fulfilled on configmaps "race": the object has been modified; please apply your changes to the latest version and try again',
    })
  })
  it('lets every one of many unconditional patches through', async () => {
    await cluster.client.create(configMaps, { metadata: { name: 'many', namespace }, data: {} })
    await Promise.all(Array.from({ length: 20 }, (_, index) => cluster.client.patch(configMaps, { namespace, name: 'many' }, { data: { [`k${index}`]: 'v' } })))
    expect(Object.keys((await cluster.client.get(configMaps, { namespace, name: 'many' }))['data'] as object)).toHaveLength(20)
  })
  it('writes nothing when nothing changes', async () => {
    const first = await cluster.client.create(configMaps, { metadata: { name: 'same', namespace }, data: { a: '1' } })
    const again = await cluster.client.update(configMaps, first)
    expect(again.metadata.resourceVersion).toBe(first.metadata.resourceVersion)
  })
  it('refuses what may not change', async () => {
    const first = await cluster.client.create(pods, pod('fixed'))
    await expect(cluster.client.patch(pods, { namespace, name: 'fixed' }, { spec: { restartPolicy: 'Never' } })).rejects.toMatchObject({ status: 422, message: expect.stringContaining('spec: Forbidden: pod updates may not change fields other than') as string })
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'x' }] } }
    await cluster.client.create(statefulSets, { metadata: { name: 'set', namespace }, spec: { serviceName: 'set', replicas: 0, selector: { matchLabels: { a: 'b' } }, template } } as never)
    await expect(cluster.client.patch(statefulSets, { namespace, name: 'set' }, { spec: { serviceName: 'other' } })).rejects.toMatchObject({ message: expect.stringContaining('updates to statefulset spec for fields other than') as string })
    expect(first.metadata.uid).toBeDefined()
  })
  it('keeps status and spec apart', async () => {
    await cluster.client.create(pods, pod('apart'))
    const reported = await cluster.client.patch(pods, { namespace, name: 'apart' }, { metadata: { labels: { no: 'no' } }, spec: { nodeName: 'x' }, status: { phase: 'Running' } }, { subresource: 'status' })
    expect(reported).toMatchObject({ status: { phase: 'Running' } })
    expect(reported['spec']).not.toHaveProperty('nodeName')
    const plain = await cluster.client.patch(pods, { namespace, name: 'apart' }, { status: { phase: 'Failed' }, metadata: { labels: { yes: 'yes' } } })
    expect(plain).toMatchObject({ metadata: { labels: { yes: 'yes' } }, status: { phase: 'Running' } })
  })
  it('counts generation for workloads when the spec changes, not for labels', async () => {
    const target = { namespace, name: 'gen' }
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'x' }] } }
    const made = await cluster.client.create(statefulSets, { metadata: target, spec: { serviceName: 's', replicas: 0, selector: { matchLabels: { a: 'b' } }, template } } as never)
    expect(made.metadata.generation).toBe(1)
    expect((await cluster.client.patch(statefulSets, target, { metadata: { labels: { x: 'y' } } })).metadata.generation).toBe(1)
    expect((await cluster.client.patch(statefulSets, target, { spec: { replicas: 0, minReadySeconds: 3 } })).metadata.generation).toBe(2)
  })
})

describe('list', () => {
  it('pages through one consistent state', async () => {
    const own = await cluster.namespace()
    for (let index = 0; index < 7; index++) await cluster.client.create(configMaps, { metadata: { name: `p${index}`, namespace: own, labels: { page: 'yes' } } })
    const first = await cluster.client.listPage(configMaps, { namespace: own, limit: 3, labelSelector: 'page=yes' })
    expect(first.items.map(({ metadata }) => metadata.name)).toEqual(['p0', 'p1', 'p2'])
    await cluster.client.delete(configMaps, { namespace: own, name: 'p3' })
    await cluster.client.create(configMaps, { metadata: { name: 'p9', namespace: own, labels: { page: 'yes' } } })
    const second = await cluster.client.listPage(configMaps, { namespace: own, limit: 10, labelSelector: 'page=yes', continue: first.metadata.continue })
    expect(second.items.map(({ metadata }) => metadata.name)).toEqual(['p3', 'p4', 'p5', 'p6'])
    expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion)
    expect((await cluster.client.list(configMaps, { namespace: own, limit: 2, labelSelector: 'page=yes' })).items).toHaveLength(7)
  })
  it.each([
    ['a=1', ['one', 'three']], ['a!=1', ['two']], ['a in (1,2)', ['one', 'three', 'two']], ['a notin (1)', ['two']], ['b', ['three']], ['!b', ['one', 'two']], ['a=1,b=x', ['three']], ['a==2', ['two']],
  ])('selects by labels %s', async (labelSelector, names) => {
    const labels: Record<string, Record<string, string>> = { one: { a: '1' }, two: { a: '2' }, three: { a: '1', b: 'x' } }
    for (const [name, own] of Object.entries(labels)) {
      await cluster.client.create(configMaps, { metadata: { name, namespace, labels: { ...own, sel: 'y' } } }).catch(() => {})
    }
    expect((await cluster.client.list(configMaps, { namespace, labelSelector: `sel=y,${labelSelector}` })).items.map(({ metadata }) => metadata.name)).toEqual(names)
  })
  it('selects by fields', async () => {
    await cluster.client.create(pods, pod('on-node', { nodeName: 'node-7' }))
    const on = await cluster.client.list(pods, { namespace, fieldSelector: 'spec.nodeName=node-7,status.phase!=Failed' })
    expect(on.items.map(({ metadata }) => metadata.name)).toEqual(['on-node'])
    expect((await cluster.client.list(pods, { namespace, fieldSelector: 'metadata.name=on-node' })).items).toHaveLength(1)
    await expect(cluster.client.list(pods, { namespace, fieldSelector: 'spec.dnsPolicy=x' })).rejects.toMatchObject({ status: 400, message: expect.stringContaining('field label not supported') as string })
  })
  it('refuses a selector that cannot be read', async () => {
    await expect(cluster.client.list(pods, { namespace, labelSelector: 'a b c' })).rejects.toMatchObject({ status: 400 })
  })
})

describe('delete', () => {
  it('honours preconditions', async () => {
    const made = await cluster.client.create(configMaps, { metadata: { name: 'pre', namespace } })
    await expect(cluster.client.delete(configMaps, { namespace, name: 'pre' }, { preconditions: { uid: 'other' } })).rejects.toMatchObject({ status: 409 })
    await cluster.client.delete(configMaps, { namespace, name: 'pre' }, { preconditions: { uid: made.metadata.uid ?? '' } })
    await expect(cluster.client.get(configMaps, { namespace, name: 'pre' })).rejects.toMatchObject({ status: 404 })
  })
  it('waits for finalizers, which can then only go', async () => {
    const target = { namespace, name: 'held' }
    await cluster.client.create(configMaps, { metadata: { ...target, finalizers: ['test.tarsk8s.io/hold'] } })
    await cluster.client.delete(configMaps, target)
    const held = await cluster.client.get(configMaps, target)
    expect(held.metadata.deletionTimestamp).toBeDefined()
    await expect(cluster.client.patch(configMaps, target, { metadata: { finalizers: ['test.tarsk8s.io/hold', 'test.tarsk8s.io/more'] } })).rejects.toMatchObject({ status: 422 })
    await cluster.client.patch(configMaps, target, { metadata: { finalizers: null } })
    await expect(cluster.client.get(configMaps, target)).rejects.toMatchObject({ status: 404 })
  })
  it('gives a scheduled pod its grace', async () => {
    const target = { namespace, name: 'graceful' }
    await cluster.client.create(pods, pod('graceful', { nodeName: 'node-8', terminationGracePeriodSeconds: 600 }))
    await cluster.client.delete(pods, target)
    expect((await cluster.client.get(pods, target)).metadata).toMatchObject({ deletionGracePeriodSeconds: 600 })
    await cluster.client.delete(pods, target, { gracePeriodSeconds: 0 })
    await expect(cluster.client.get(pods, target)).rejects.toMatchObject({ status: 404 })
  })
  it('removes a pod that never ran at once', async () => {
    await cluster.client.create(pods, pod('never-ran'))
    await cluster.client.delete(pods, { namespace, name: 'never-ran' })
    await expect(cluster.client.get(pods, { namespace, name: 'never-ran' })).rejects.toMatchObject({ status: 404 })
  })
  it('deletes a collection by selector', async () => {
    for (const name of ['c1', 'c2', 'keep']) await cluster.client.create(configMaps, { metadata: { name, namespace, labels: { gone: name === 'keep' ? 'no' : 'yes' } } })
    await cluster.client.deleteCollection(configMaps, { namespace, labelSelector: 'gone=yes' })
    expect((await cluster.client.list(configMaps, { namespace, labelSelector: 'gone' })).items.map(({ metadata }) => metadata.name)).toEqual(['keep'])
  })
  it('empties a namespace before it goes, and lets nothing new in', async () => {
    const own = await cluster.namespace()
    await cluster.client.create(configMaps, { metadata: { name: 'inside', namespace: own, finalizers: ['test.tarsk8s.io/hold'] } })
    await cluster.client.delete(namespaces, { name: own })
    await eventually(async () => (await cluster.client.get(configMaps, { namespace: own, name: 'inside' })).metadata.deletionTimestamp, 'the content is being deleted')
    expect(await cluster.client.get(namespaces, { name: own })).toMatchObject({ status: { phase: 'Terminating' } })
    await expect(cluster.client.create(configMaps, { metadata: { name: 'late', namespace: own } })).rejects.toMatchObject({ status: 403, message: expect.stringContaining('because it is being terminated') as string })
    await cluster.client.patch(configMaps, { namespace: own, name: 'inside' }, { metadata: { finalizers: null } })
    await eventually(async () => (await cluster.client.list(namespaces)).items.every(({ metadata }) => metadata.name !== own), 'the namespace is gone')
  })
})

describe('other answers', () => {
  it('keeps the status that a node reports of itself', async () => {
    const name = `node-${namespace}`
    await cluster.client.create(nodes, { metadata: { name }, status: { addresses: [{ type: 'InternalIP', address: '10.0.0.1' }] } } as never)
    expect(await cluster.client.get(nodes, { name })).toMatchObject({ status: { addresses: [{ address: '10.0.0.1' }] } })
    await cluster.client.delete(nodes, { name })
  })
  it('says 404 for unknown kinds, 405 for wrong verbs, 415 for unknown bodies', async () => {
    await expect(cluster.client.raw('GET', '/apis/nope.test/v1/things')).rejects.toMatchObject({ status: 404 })
    await expect(cluster.client.raw('PUT', `/api/v1/namespaces/${namespace}/configmaps`, {})).rejects.toMatchObject({ status: 405 })
    await expect(cluster.client.raw('POST', `/api/v1/namespaces/${namespace}/configmaps`, 'x', { contentType: 'text/csv' })).rejects.toMatchObject({ status: 415 })
    await expect(cluster.client.raw('POST', `/api/v1/namespaces/${namespace}/configmaps`, '{"broken', { contentType: 'application/json' })).rejects.toMatchObject({ status: 400 })
  })
  it('answers health and version', async () => {
    for (const path of ['/readyz', '/livez', '/healthz']) expect(await cluster.client.raw('GET', path)).toBe('ok')
    expect(await cluster.client.raw('GET', '/version')).toMatchObject({ gitVersion: expect.stringMatching(/^v1\.\d+\.\d+/) as string })
  })
})
