import { expect, test } from 'vitest'
import { frameworkTemplates } from '#api/seed/templates.ts'
import { frameworkObjects } from '#api/seed.ts'
import { resolveChain } from '#api/template.ts'
import type { TServer, TTemplate } from '#api/types.ts'

const chainOf = (parents: Record<string, string>, name: string) =>
  resolveChain(name, (wanted) => (parents[wanted] === undefined ? undefined : ({ metadata: { name: wanted }, spec: { content: '', parent: parents[wanted] } } as TTemplate)))

test.each([
  ['a root', { a: 'a' }, { result: 'complete', names: ['a'] }],
  ['a chain', { a: 'b', b: 'c', c: 'c' }, { result: 'complete', names: ['a', 'b', 'c'] }],
  ['an empty parent ends it', { a: 'b', b: '' }, { result: 'complete', names: ['a', 'b'] }],
  ['a missing parent', { a: 'b' }, { result: 'missing', names: ['a', 'b'], missing: 'b' }],
  ['a cycle', { a: 'b', b: 'c', c: 'b' }, { result: 'cycle', names: ['a', 'b', 'c', 'b'] }],
])('%s', (_what, parents: Record<string, string>, expected) => {
  expect(chainOf(parents, 'a')).toMatchObject(expected)
})

test('the templates of a framework all reach tars.default (framework-services spec G)', () => {
  const templates = new Map(frameworkTemplates('ns', ['es:9200']).map((template) => [template.metadata.name, template]))
  for (const name of ['tars.cpp', 'tars.nodejs', 'tars.java', 'tars.php', 'tars.es']) {
    expect(resolveChain(name, (wanted) => templates.get(wanted))).toMatchObject({ result: 'complete', names: [name, 'tars.default'] })
  }
  expect(templates.get('tars.es')?.spec.content).toContain('es:9200')
  // K8SFramework's services and web look for the protocol in two places, and for nodes without it.
  const secure = frameworkTemplates('ns', ['https://es:9200']).find(({ metadata }) => metadata.name === 'tars.es')?.spec.content ?? ''
  expect([secure.match(/protocol=https/g)?.length, secure.includes('      es:9200\n')]).toEqual([2, true])
})

test('servers of a framework (control-plane spec D.2, framework-services spec 0.1)', () => {
  const objects = frameworkObjects({ namespace: 'ns', registry: 'r', release: { id: 'v1', image: 'i' }, time: '2024-01-01T00:00:00Z', registryReplicas: 2, imagePort: 8081 })
  const servers = objects.filter(({ kind }) => kind === 'TServer') as TServer[]
  const rows = servers.map(({ metadata, spec }) => [metadata.name, spec.subType, spec.k8s.command?.join(' '), ...[...(spec.tars?.servants ?? []), ...(spec.normal?.ports ?? [])].map(({ name, port }) => `${name} ${port}`)])
  expect(rows).toEqual([
    ['tars-tarsregistry', 'normal', 'tarsk8s registry', 'queryobj 17890', 'registryobj 17891'],
    ['tars-tarsconfig', 'tars', 'tarsk8s config', 'ConfigObj 11111'],
    ['tars-tarsnotify', 'tars', 'tarsk8s notify', 'NotifyObj 13111'],
    ['tars-tarslog', 'tars', 'tarsk8s log', 'LogObj 12111', 'TopologyObj 13030'],
    ['tars-tarsstat', 'tars', 'tarsk8s stat', 'StatObj 17000'],
    ['tars-tarsproperty', 'tars', 'tarsk8s property', 'PropertyObj 14000'],
    ['tars-tarsquerystat', 'tars', 'tarsk8s querystat', 'QueryObj 16000', 'NoTarsObj 16002'],
    ['tars-tarsqueryproperty', 'tars', 'tarsk8s queryproperty', 'QueryObj 15000', 'NoTarsObj 15002'],
    ['tars-tarskevent', 'normal', 'tarsk8s kevent', 'store 17101'],
    ['tars-tarsimage', 'normal', 'tarsk8s image', 'http 8081'],
    ['tars-tarsadmin', 'normal', 'tarsk8s admin', 'http 8080'],
    ['tars-tarsadminregistry', 'tars', 'tarsk8s adminregistry', 'AdminRegObj 19111'],
  ])
  expect(servers[0]).toMatchObject({ metadata: { annotations: { 'tars.io/MinReplicas': '2' } }, spec: { k8s: { replicas: 2, readinessGates: ['tars.io/active'] }, release: { id: 'v1', image: 'i' } } })
})
