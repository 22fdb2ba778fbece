import { describe, expect, test } from 'vitest'
import { completeServer } from '#api/default.ts'
import { configVersion, crc32, mutateConfig } from '#api/mutate/tconfig.ts'
import { mutateImage, mutateTemplate, mutateTree } from '#api/mutate/others.ts'
import { findAutoRelease, imageServerNames, mutateServer, wantsAutoRelease } from '#api/mutate/tserver.ts'
import { activeVersion } from '#api/config-group.ts'
import type { TConfig, TImage } from '#api/types.ts'

const now = '2024-01-01T00:00:00Z'
const apiVersion = 'k8s.tars.io/v1beta3'
const tars = (spec: object = {}, metadata: object = {}) => completeServer({ name: 'a-b', ...metadata }, { app: 'A', server: 'B', subType: 'tars', tars: { template: 'tars.cpp', servants: [] }, ...spec })
const normal = (spec: object = {}) => completeServer({ name: 'a-b', labels: { 'tars.io/Template': 'old' } }, { app: 'A', server: 'B', subType: 'normal', normal: { ports: [] }, ...spec })
const release = { id: 'v1', image: 'i' }

describe('TServer (control-plane spec B.1)', () => {
  test('labels, gate and time of a released tars server', () => {
    const { metadata, spec } = mutateServer(tars({ release, k8s: { replicas: 2, readinessGates: ['x', 'tars.io/active', 'x'] } }), { now })
    expect(metadata.labels).toEqual({ 'tars.io/ServerApp': 'A', 'tars.io/ServerName': 'B', 'tars.io/SubType': 'tars', 'tars.io/Template': 'tars.cpp', 'tars.io/ServerID': 'v1' })
    expect(spec.k8s).toMatchObject({ replicas: 2, readinessGates: ['tars.io/active', 'x'] })
    expect(spec.release).toEqual({ ...release, time: now })
  })

  test('a normal server has no template, no forced gate and no node image', () => {
    const { metadata, spec } = mutateServer(normal({ release: { ...release, nodeImage: 'n', nodeSecret: 's' } }), { now, nodeImage: { image: 'standard' } })
    expect(metadata.labels).not.toHaveProperty('tars.io/Template')
    expect(spec.k8s.readinessGates).toBeUndefined()
    expect(spec.release).toEqual({ ...release, time: now })
  })

  test.each([
    ['none anywhere: the baked tarsnode runs', {}, undefined, {}],
    ["the framework's", {}, { image: 'n', secret: 's' }, { nodeImage: 'n', nodeSecret: 's' }],
    ["the release's own", { nodeImage: 'mine' }, { image: 'n', secret: 's' }, { nodeImage: 'mine' }],
  ])('node image: %s', (_what, own, nodeImage, expected) => {
    expect(mutateServer(tars({ release: { ...release, ...own } }), { now, nodeImage }).spec.release).toEqual({ ...release, time: now, ...expected })
  })

  test('without a release nothing runs', () => {
    const { metadata, spec } = mutateServer(tars({ k8s: { replicas: 3 } }, { labels: { 'tars.io/ServerID': 'gone' } }), { now })
    expect(spec.k8s.replicas).toBe(0)
    expect(metadata.labels).not.toHaveProperty('tars.io/ServerID')
  })

  test.each([[undefined, undefined, undefined, 1], [9, '0', '5', 5], [0, '2', '5', 2]])('replicas %s in [%s, %s] become %s', (replicas, min, max, expected) => {
    const annotations = min === undefined ? {} : { 'tars.io/MinReplicas': min, 'tars.io/MaxReplicas': max ?? '' }
    expect(mutateServer(tars({ release, k8s: replicas === undefined ? {} : { replicas } }, { annotations }), { now }).spec.k8s.replicas).toBe(expected)
  })

  test.each([[{ hostPorts: [{ nameRef: 'x', port: 1 }] }, true], [{ hostIPC: true }, true], [{ hostNetwork: true }, false]])('%o keeps pods apart: %s', (k8s, expected) => {
    expect(mutateServer(tars({ k8s }), { now }).spec.k8s.notStacked).toBe(expected)
  })

  test('twice is the same as once', () => {
    const once = mutateServer(tars({ release, k8s: { hostIPC: true } }), { now, nodeImage: { image: 'n' } })
    expect(mutateServer(once, { now: 'later', nodeImage: { image: 'other' } })).toEqual(once)
  })

  test('the default release of its TImage, when asked for', () => {
    const wish = tars({ }, { annotations: { 'tars.io/AutoRelease': 'true' } })
    const image = { apiVersion, kind: 'TImage', metadata: { name: 'x' }, imageType: 'server', default: 'v2', releases: [{ id: 'v1', image: 'i1' }, { id: 'v2', image: 'i2', secret: 's' }] } as TImage
    expect(wantsAutoRelease(wish)).toBe(true)
    expect(wantsAutoRelease(tars({ release }, wish.metadata))).toBe(false)
    expect(findAutoRelease([image])).toEqual({ id: 'v2', image: 'i2', secret: 's' })
    expect(mutateServer(wish, { now, autoRelease: { id: 'v2', image: 'i2' } }).spec.release).toEqual({ id: 'v2', image: 'i2', time: now })
  })
})

// Names that DCache's OptServer gives (framework-services 12), and the programs that are uploaded for them.
test.each([
  ['TestRouterServer', 'RouterServer'], ['TestProxyServer', 'ProxyServer'], ['TestDbAccessServer', 'CombinDbAccessServer'], ['TestDBAccessServer', 'DBAccessServer'], ['TestTCacheServer', 'TCacheServer'],
  ['TestKVCacheServer1-1', 'KVCacheServer'], ['TestKVCacheServer12-34', 'KVCacheServer'], ['TestMKVCacheServer1-2', 'MKVCacheServer'], ['TestMKVCacheServer', 'MKVCacheServer'],
])('DCache.%s runs what was released for itself, or else for %s', (server, program) => {
  expect(imageServerNames({ app: 'DCache', server })).toEqual([server, program])
})
test.each([['DCache', 'KVCacheServer'], ['DCache', 'CombinDbAccessServer'], ['DCache', 'ConfigServer'], ['Demo', 'TestKVCacheServer1-1']])('%s.%s runs its own', (app, server) => {
  expect(imageServerNames({ app, server })).toEqual([server])
})

const config = (fields: Partial<TConfig> = {}): TConfig => ({ apiVersion, kind: 'TConfig', metadata: { name: 'demo' }, app: 'A', server: '', configName: 'a.conf', configContent: '', podSeq: 'm', activated: true, ...fields })

describe('TConfig (control-plane spec B.3)', () => {
  test('version orders by time of day, afternoon included', () => {
    expect(crc32('123456789')).toBe(0xcbf43926)
    expect(configVersion('demo', new Date('2024-01-01T13:05:09Z'))).toBe(`20240101130509-${crc32('demo').toString(16)}`)
    expect(configVersion('demo', new Date('2024-01-01T13:00:00Z')) > configVersion('demo', new Date('2024-01-01T09:00:00Z'))).toBe(true)
  })

  test('a new one is dated, and labelled', () => {
    const made = mutateConfig(config({ version: 'mine', updateTime: 'x' }), new Date(now))
    expect(made.updateTime).toBe('2024-01-01T00:00:00.000Z')
    expect(made.metadata.labels).toEqual({ 'tars.io/ServerApp': 'A', 'tars.io/ServerName': '', 'tars.io/ConfigName': 'a.conf', 'tars.io/PodSeq': 'm', 'tars.io/Activated': 'true', 'tars.io/Version': made.version })
    expect(made.metadata.annotations).toEqual({ 'tars.io/ActivatedAt': '2024-01-01T00:00:00.000Z' })
  })

  test('labels cannot be edited away, nor the date of activation', () => {
    const made = mutateConfig(config(), new Date(now))
    expect(mutateConfig({ ...made, metadata: { name: 'demo' } }, new Date(), made).metadata).toEqual(made.metadata)
  })

  test('the version activated last is in force', () => {
    const first = mutateConfig(config(), new Date('2024-01-01T00:00:00Z'))
    const second = mutateConfig({ ...config(), metadata: { name: 'second' } }, new Date('2024-01-02T00:00:00Z'))
    const again = mutateConfig({ ...first, activated: true }, new Date('2024-01-03T00:00:00Z'), { ...first, activated: false, metadata: { ...first.metadata, annotations: { 'tars.io/ReplacedAt': 'x' } } })
    expect(activeVersion([first, second])).toBe(second)
    expect(activeVersion([second, again])).toBe(again)
    expect(again.metadata.annotations).toEqual({ 'tars.io/ActivatedAt': '2024-01-03T00:00:00.000Z' })
    expect(activeVersion([{ ...first, activated: false }])).toBeUndefined()
  })

  test('of two that K8SFramework left, the one that it was about to replace is not in force', () => {
    const version = (name: string, creationTimestamp: string, labels: Record<string, string> = {}): TConfig => ({ ...config(), metadata: { name, creationTimestamp, labels } })
    const [back, newer] = [version('back', '2024-01-01T00:00:00Z'), version('newer', '2024-01-02T00:00:00Z', { 'tars.io/Deactivate': 'Deactivating' })]
    expect(activeVersion([back, newer])).toBe(back)
    expect(activeVersion([newer])).toBe(newer)
  })

  test('a version that was replaced and does not know it yet is brought back', () => {
    const first = mutateConfig(config(), new Date('2024-01-01T00:00:00Z'))
    const second = mutateConfig({ ...config(), metadata: { name: 'second' } }, new Date('2024-01-02T00:00:00Z'), undefined, [first])
    expect(activeVersion([second, mutateConfig(first, new Date('2024-01-03T00:00:00Z'), first, [second])])?.metadata.name).toBe(first.metadata.name)
    expect(mutateConfig(second, new Date('2024-01-03T00:00:00Z'), second, [first])).toEqual(second)
  })

  test('the version activated last is in force, also when the clock has gone back meanwhile', () => {
    const first = mutateConfig(config(), new Date('2025-01-01T00:00:00Z'))
    const second = mutateConfig({ ...config(), metadata: { name: 'second' } }, new Date('2024-01-01T00:00:00Z'), undefined, [first])
    expect(activeVersion([first, second])).toBe(second)
    const back = mutateConfig({ ...first, activated: true }, new Date('2023-01-01T00:00:00Z'), { ...first, activated: false }, [second])
    expect(activeVersion([second, back])).toBe(back)
    expect(back.metadata.annotations).toMatchObject({ 'tars.io/ActivatedAt': '2025-01-01T00:00:00.002Z' })
  })
})

test('TTemplate: a root has no parent label (control-plane spec B.4)', () => {
  const template = { apiVersion, kind: 'TTemplate', metadata: { name: 'a' }, spec: { content: '', parent: 'b' } }
  expect(mutateTemplate(template).metadata.labels).toEqual({ 'tars.io/Parent': 'b' })
  expect(mutateTemplate({ ...mutateTemplate(template), spec: { content: '', parent: 'a' } }).metadata).toEqual({ name: 'a' })
})

test('TTree: references to lost businesses are cleared (control-plane spec B.5)', () => {
  const tree = { apiVersion, kind: 'TTree', metadata: { name: 'tars-tree' }, businesses: [{ name: 'b1', show: 'b', weight: 3 }], apps: [{ name: 'A', businessRef: 'b1' }, { name: 'B', businessRef: 'gone' }] }
  expect(mutateTree(tree).apps.map(({ businessRef }) => businessRef)).toEqual(['b1', ''])
})

test('TImage: labels by type, each id once, every release dated (control-plane spec B.7)', () => {
  const image: TImage = {
    apiVersion, kind: 'TImage', metadata: { name: 'x', labels: { 'tars.io/Supported.php': 'php' } }, imageType: 'base', supportedType: ['cpp', 'go'],
    releases: [{ id: 'a', image: '1' }, { id: 'b', image: '2', createTime: 'then' }, { id: 'a', image: '3' }, { id: 'c', image: '4' }],
  }
  const made = mutateImage(image, now)
  expect(made.metadata.labels).toEqual({ 'tars.io/Supported.cpp': 'cpp', 'tars.io/Supported.go': 'go', 'tars.io/ImageType': 'base' })
  expect(made.releases).toEqual([{ id: 'a', image: '1', createTime: now }, { id: 'b', image: '2', createTime: 'then' }, { id: 'c', image: '4', createTime: now }])
  expect(mutateImage({ ...made, imageType: 'server' }, now).metadata.labels).toEqual({ 'tars.io/ImageType': 'server' })
})
