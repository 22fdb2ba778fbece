// Which version of a file counts, whatever the order in which the watch tells of them.
import fc from 'fast-check'
import { expect, test } from 'vitest'
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
  ['what is being deleted comes last', [{ name: 'a', annotations: at('9'), labels: { 'tars.io/Deleting': 'Deleting' } }, { name: 'b', activated: false }], 'b'],
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
      return library.text('A', 'B', 'f', undefined)
    }
    expect(text(one)).toBe(text(other))
  }))
})

test('what was removed is gone, to the last trace', () => {
  const library = new ConfigLibrary()
  const [a, b] = [version({ name: 'a', annotations: at('1') }), version({ name: 'b', annotations: at('2') })]
  for (const config of [a, b]) library.set(config)
  library.remove(b)
  expect(library.text('A', 'B', 'f', undefined)).toBe('a')
  library.remove(a)
  library.remove(a)
  expect(library.text('A', 'B', 'f', undefined)).toBeUndefined()
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
  expect(podSeqOf('Test', 'Hello', host, (address) => (address === '10.0.0.9' ? 'test-hello-9' : address === '10.0.0.8' ? 'other-8' : undefined))).toBe(seq)
})
