// Which version of a file counts, whatever the order in which the watch tells of them.
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { TConfig } from '#api/types.ts'
import { podSeqOf } from '../../framework/config/model/caller.ts'
import { versionInForce } from '../../framework/config/model/in-force.ts'
import { ConfigLibrary, joinTexts } from '../../framework/config/model/library.ts'

interface Facts {
  readonly name: string
  readonly activated?: boolean
  readonly labels?: Record<string, string>
  readonly annotations?: Record<string, string>
}

function version({ name, activated = true, labels = {}, annotations = {} }: Facts): TConfig {
  return { apiVersion: 'x', kind: 'TConfig', metadata: { name, labels, annotations }, app: 'A', server: 'B', configName: 'f', configContent: name, podSeq: 'm', activated }
}

const at = (time: string) => ({ 'tars.io/ActivatedAt': time })
const replaced = (time: string) => ({ 'tars.io/ReplacedAt': time })

test.each<[what: string, versions: readonly Facts[], inForce: string | undefined]>([
  ['none', [], undefined],
  ['one', [{ name: 'a' }], 'a'],
  ['the activated one', [{ name: 'a', activated: false, annotations: replaced('9') }, { name: 'b', annotations: at('1') }], 'b'],
  ['of two activated ones the one that is not being replaced', [{ name: 'a', annotations: at('9'), labels: { 'tars.io/Deactivate': 'Deactivating' } }, { name: 'b', annotations: at('1') }], 'b'],
  ['of two activated ones the newer', [{ name: 'a', annotations: at('1') }, { name: 'b', annotations: at('2') }], 'b'],
  ['of none activated the one in force last', [{ name: 'a', activated: false, annotations: replaced('2') }, { name: 'b', activated: false, annotations: replaced('1') }], 'a'],
  ['what is being deleted comes last', [{ name: 'a', annotations: at('9'), labels: { 'tars.io/Deleting': 'Deleting' } }, { name: 'b', activated: false, annotations: replaced('1') }], 'b'],
  ['of one that is only prepared nothing', [{ name: 'a', activated: false }], undefined],
  ['not what is only prepared, however new', [{ name: 'a', activated: false, annotations: at('1') }, { name: 'b', activated: false }], 'a'],
  ['not what is only prepared, while the one in force is being deleted', [{ name: 'a', annotations: at('1'), labels: { 'tars.io/Deleting': 'Deleting' } }, { name: 'b', activated: false }], 'a'],
])('in force (framework-services 2.3): %s', (_what, versions, inForce) => {
  expect(versionInForce(versions.map(version))?.metadata.name).toBe(inForce)
  expect(versionInForce(versions.map(version).toReversed())?.metadata.name).toBe(inForce)
})

test('the order of events does not matter', () => {
  const facts = fc.record({
    name: fc.constantFrom('v1', 'v2', 'v3', 'v4'), activated: fc.boolean(),
    annotations: fc.constantFrom(at('1'), at('2'), replaced('1'), replaced('2'), {}), labels: fc.constantFrom({}, { 'tars.io/Deactivate': 'x' }, { 'tars.io/Deleting': 'x' }),
  })
  fc.assert(fc.property(fc.uniqueArray(facts, { selector: ({ name }) => name }).chain((set) => fc.tuple(fc.shuffledSubarray(set, { minLength: set.length }), fc.shuffledSubarray(set, { minLength: set.length }))), ([one, other]) => {
    const text = (order: readonly Facts[]) => {
      const library = new ConfigLibrary()
      for (const config of order.map(version)) library.set(config)
      return library.text({ app: 'A', server: 'B', name: 'f' })
    }
    expect(text(one)).toBe(text(other))
  }))
})

test('what was removed is gone, to the last trace', () => {
  const library = new ConfigLibrary()
  const [a, b] = [version({ name: 'a', annotations: at('1') }), version({ name: 'b', annotations: at('2') })]
  for (const config of [a, b]) library.set(config)
  library.remove(b)
  expect(library.text({ app: 'A', server: 'B', name: 'f' })).toBe('a')
  library.remove(a)
  library.remove(a)
  expect(library.text({ app: 'A', server: 'B', name: 'f' })).toBeUndefined()
  expect(library.names('A', 'B')).toEqual([])
})

test.each([['a', 'b', 'a\r\n\r\nb'], ['a', '', 'a'], ['', 'b', 'b'], ['', '', '']])('%j and %j join to %j (2.2)', (low, high, joined) => {
  expect(joinTexts(low, high)).toBe(joined)
})

test.each([
  ['test-hello-0', '0'], ['test-hello-99', '99'], ['Test-Hello-7.test-hello', '7'], ['test-hello-7.test-hello.ns.svc', '7'], ['10.0.0.9', '9'],
  ['test-hello-100', undefined], ['test-hello-01', undefined], ['test-hello--1', undefined], ['test-hello-1.other', undefined], ['test-hello-x', undefined], ['test-hello', undefined],
  ['other-0', undefined], ['10.0.0.8', undefined], ['', undefined],
])('host %j is the pod %j (2.3)', (host, seq) => {
  expect(podSeqOf({ app: 'Test', server: 'Hello', host, set: '' }, (address) => (address === '10.0.0.9' ? 'test-hello-9' : address === '10.0.0.8' ? 'other-8' : undefined))).toBe(seq)
})

test.each([
  ['test-hello-far-3', '3'], ['test-hello-far-3.test-hello-far', '3'], ['test-hello-far-3.test-hello', undefined], ['test-hello-2.test-hello', '2'], ['test-hello-2', '2'],
  ['test-hello-far', undefined], ['test-hello-0-3', undefined],
])('in a set, host %j is the pod %j (12)', (host, seq) => {
  expect(podSeqOf({ app: 'Test', server: 'Hello', host, set: 'a.b.c' }, () => undefined)).toBe(seq)
  if (host.includes('far')) expect(podSeqOf({ app: 'Test', server: 'Hello', host, set: '' }, () => undefined)).toBeUndefined()
})

describe('levels (framework-services 2.2)', () => {
  type Row = Pick<TConfig, 'server' | 'configName'> & Partial<Pick<TConfig, 'set' | 'podSeq' | 'references' | 'configContent'>>
  const files: readonly Row[] = [
    { server: '', configName: 'common', configContent: 'app' },
    { server: '', configName: 'common', set: 'x.y.1', configContent: 'app+set' },
    { server: '', configName: 'only-set', set: 'x.y.1', configContent: 'only+set' },
    { server: '', configName: 'other', configContent: 'other' },
    { server: 'B', configName: 'f', configContent: 'server', references: ['common', 'gone', 'other'] },
    { server: 'B', configName: 'f', podSeq: '1', configContent: 'node', references: ['only-set', 'common'] },
    { server: 'B', configName: 'f', set: 'x.y.1', configContent: 'server+set', references: ['common', 'only-set'] },
    { server: 'B', configName: 'f', set: 'x.y.1', podSeq: '1', configContent: 'node+set' },
    { server: 'B', configName: 'base-only', configContent: 'base' },
    { server: 'B', configName: 'empty', configContent: '', references: ['other'] },
  ]
  const libraryOf = (setsInherit: boolean) => {
    const library = new ConfigLibrary({ setsInherit })
    for (const [index, { configContent = '', ...row }] of files.entries()) library.set({ apiVersion: 'x', kind: 'TConfig', metadata: { name: `c${index}` }, app: 'A', podSeq: 'm', activated: true, configContent, ...row })
    return library
  }
  test('only of files that are there something can be kept that is the same for all', () => {
    const library = libraryOf(false)
    expect([library.isCommon('A', '', 'common'), library.isCommon('A', 'B', 'base-only'), library.isCommon('A', 'B', 'f')]).toEqual([true, true, false])
    expect([library.isCommon('A', '', 'made-up'), library.isCommon('A', 'B', 'made-up'), library.isCommon('Made', '', 'up')]).toEqual([false, false, false])
  })

  test('an application whose name has a dot is no server', () => {
    const library = libraryOf(false)
    expect([library.text({ app: 'A.B', server: '', name: 'base-only' }), library.isCommon('A.B', '', 'base-only'), library.names('A.B', '')]).toEqual([undefined, false, []])
  })

  const joined = (...levels: string[]) => levels.join('\r\n\r\n')
  test.each([
    ['app', { server: '', name: 'common' }, 'app'],
    ['app, then its set', { server: '', name: 'common', set: 'x.y.1' }, joined('app', 'app+set')],
    ['app, a set that has none', { server: '', name: 'common', set: 'x.y.2' }, 'app'],
    ['app, the set alone has one', { server: '', name: 'only-set', set: 'x.y.1' }, 'only+set'],
    ['app, only a set has one', { server: '', name: 'only-set' }, undefined],
    ['server, after what it refers to, in that order; what is missing is left out', { server: 'B', name: 'f' }, joined('app', 'other', 'server')],
    ['server, then node with its own references', { server: 'B', name: 'f', podSeq: '1' }, joined('app', 'other', 'server', 'app', 'node')],
    ['server, a node that has none', { server: 'B', name: 'f', podSeq: '2' }, joined('app', 'other', 'server')],
    ['set: exactly its own files; references bring app and set', { server: 'B', name: 'f', set: 'x.y.1' }, joined('app', 'app+set', 'only+set', 'server+set')],
    ['set and node', { server: 'B', name: 'f', set: 'x.y.1', podSeq: '1' }, joined('app', 'app+set', 'only+set', 'server+set', 'node+set')],
    ['set that has none: nothing of no set', { server: 'B', name: 'f', set: 'x.y.2' }, undefined],
    ['no wildcard in files', { server: 'B', name: 'f', set: 'x.y.*' }, undefined],
    ['empty texts are left out', { server: 'B', name: 'empty' }, 'other'],
  ])('%s', (_what, wanted, text) => {
    expect(libraryOf(false).text({ app: 'A', ...wanted })).toBe(text)
  })

  test('names by set', () => {
    const library = libraryOf(false)
    expect(library.names('A', 'B', '')).toEqual(['base-only', 'empty', 'f'])
    expect(library.names('A', 'B', 'x.y.1')).toEqual(['f'])
    expect(library.names('A', '', '')).toEqual(['common', 'other'])
    expect(library.names('A', '')).toEqual(['common', 'only-set', 'other'])
  })

  test('with inheritance a set without a file has the one of no set, and its node', () => {
    const library = libraryOf(true)
    expect(library.text({ app: 'A', server: 'B', name: 'base-only', set: 'x.y.1' })).toBe('base')
    expect(library.text({ app: 'A', server: 'B', name: 'f', set: 'x.y.2', podSeq: '1' })).toBe(joined('app', 'other', 'server', 'app', 'node'))
    expect(library.text({ app: 'A', server: 'B', name: 'f', set: 'x.y.1' })).toBe(joined('app', 'app+set', 'only+set', 'server+set'))
    expect(library.names('A', 'B', 'x.y.1')).toEqual(['base-only', 'empty', 'f'])
  })
})
