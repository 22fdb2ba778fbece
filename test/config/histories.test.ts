// What tarsconfig answers after any history of files, versions, levels, sets, references and pods is what the specification says
// of how things stand. TARSK8S_SEED replays a failure, TARSK8S_HISTORIES says how many there are.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { TConfig } from '#api/types.ts'
import type { Current } from '#tars/server.ts'
import { configServant } from '../../framework/config/config-servant.ts'
import { ConfigLibrary } from '../../framework/config/model/library.ts'
import { ConfigReference } from './reference.ts'
import { silentLogger } from '#base/log.ts'
import { CallerCheck, noCallers, uncheckedCallers } from '#kube/caller-check.ts'

const histories = Number(process.env['TARSK8S_HISTORIES'] ?? 10_000)
const apps = ['A', 'B'] as const
const servers = ['', 'S', 'T'] as const
const files = ['f', 'g', 'h'] as const
const sets = ['', 'x.y.1', 'x.y.2', 'x.y.*'] as const
const times = ['1', '2', '3', '4'] as const

const file = fc.record({ app: fc.constantFrom(...apps), server: fc.constantFrom(...servers), configName: fc.constantFrom(...files), set: fc.constantFrom(...sets), podSeq: fc.constantFrom('m', 'm', '0', '1', '99'), number: fc.nat(2) })
const event = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('set' as const), file, activated: fc.boolean(), label: fc.constantFrom(undefined, undefined, 'Deactivate', 'Deleting'), empty: fc.constantFrom(false, false, false, true),
      activatedAt: fc.option(fc.constantFrom(...times)), replacedAt: fc.option(fc.constantFrom(...times)), references: fc.array(fc.constantFrom(...files, 'gone'), { maxLength: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('gone' as const), file }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('pod' as const), pod: fc.constantFrom('a-s-0', 'a-s-1', 'a-t-1', 'b-s-99', 'a-s-far-1'), address: fc.constantFrom('10.0.0.1', '10.0.0.2') }) },
)
type Event = typeof event extends fc.Arbitrary<infer E> ? E : never
type Named = Extract<Event, { kind: 'gone' }>['file']

/** Application level files have neither numbers nor references. */
const seqOf = ({ server, podSeq }: Named): string => (server === '' ? 'm' : podSeq)
const nameOf = (one: Named): string => [one.app, one.server, one.configName, one.set, seqOf(one), one.number].join('/')

/** Each object has a text of its own. */
function configOf({ file: one, activated, label, empty, activatedAt, replacedAt, references }: Extract<Event, { kind: 'set' }>): TConfig {
  const { app, server, configName, set } = one
  return {
    apiVersion: 'x', kind: 'TConfig', app, server, configName, podSeq: seqOf(one), activated, configContent: empty ? '' : nameOf(one), ...(set === '' ? {} : { set }), ...(server === '' ? {} : { references }),
    metadata: {
      name: nameOf(one), labels: label === undefined ? {} : { [`tars.io/${label}`]: 'x' },
      annotations: { ...(activatedAt === null ? {} : { 'tars.io/ActivatedAt': activatedAt }), ...(replacedAt === null ? {} : { 'tars.io/ReplacedAt': replacedAt }) },
    },
  }
}

/** Who asks, and its number for server S of application A, outside of a set and within one. */
const askers: readonly { readonly node: string; readonly address: string; readonly seq: (podAt: ReadonlyMap<string, string>, inSet: boolean) => string | undefined }[] = [
  { node: 'a-s-1.a-s', address: '10.9.9.9', seq: () => '1' },
  { node: 'A-S-0.a-s.ns.svc.cluster.local', address: '10.9.9.9', seq: () => '0' },
  { node: 'a-t-1.a-t', address: '10.9.9.9', seq: () => undefined },
  { node: 'a-s-far-1.a-s-far', address: '10.9.9.9', seq: (_podAt, inSet) => (inSet ? '1' : undefined) },
  { node: '', address: '10.0.0.1', seq: (podAt, inSet) => ({ 'a-s-0': '0', 'a-s-1': '1', 'a-s-far-1': inSet ? '1' : undefined })[podAt.get('10.0.0.1') ?? ''] },
]

const stranger = { caller: 'x', peer: { address: '8.8.8.8', port: 1 } } as Current
const namesIn = (answer: unknown): unknown => (answer as { readonly vf: readonly string[] }).vf
const info = { bAppOnly: false, host: '', setdivision: '', containername: '' }

test(`after any of ${histories} histories it answers as the specification says`, { timeout: 600_000 }, async () => {
  const property = fc.asyncProperty(fc.array(event, { maxLength: 40 }), fc.boolean(), async (history, setsInherit) => {
    const library = new ConfigLibrary({ setsInherit })
    const objects = new Map<string, TConfig>()
    const podAt = new Map<string, string>()
    for (const step of history) {
      if (step.kind === 'pod') podAt.set(step.address, step.pod)
      else if (step.kind === 'set') {
        const config = configOf(step)
        objects.set(config.metadata.name, config)
        library.set(config)
      } else {
        const known = objects.get(nameOf(step.file))
        objects.delete(nameOf(step.file))
        if (known !== undefined) library.remove(known)
      }
    }
    const servant = configServant({ library, check: new CallerCheck({ ...uncheckedCallers, callers: noCallers, log: silentLogger }), podByAddress: (address) => podAt.get(address), notFound: -1, mayAsk: () => true })
    const reference = new ConfigReference(objects, setsInherit)
    const same = (found: unknown, expected: unknown, question: string): void => {
      if (JSON.stringify(found) !== JSON.stringify(expected)) expect(found, question).toEqual(expected)
    }
    const answer = (text: string | undefined) => (text === undefined ? { return: -1, config: '' } : { return: 0, config: text })
    for (const set of [...sets, 'x.y.9']) {
      for (const name of files) {
        for (const { node, address, seq } of askers) {
          const current = { caller: node === '' ? address : node, peer: { address, port: 1 } } as Current
          const podSeq = seq(podAt, set !== '')
          const found = await servant.loadConfigByInfo({ ...info, appname: 'A', servername: 'S', filename: name, setdivision: set }, current)
          same(found, answer(reference.text({ app: 'A', server: 'S', file: name, set, podSeq })), `A.S ${name} of ${set} for ${node} ${address}`)
          if (set === '') same(await servant.loadConfig('A', 'S', name, current), found, `loadConfig of A.S ${name} for ${node}`)
          if (set === '') same(await servant.loadConfigByHost('A.S', name, node === '' ? address : node, current), found, `loadConfigByHost of A.S ${name} for ${node}`)
        }
        for (const app of apps) {
          const found = await servant.loadConfigByInfo({ ...info, appname: app, servername: 'S', filename: name, setdivision: set, bAppOnly: true }, stranger)
          same(found, answer(reference.text({ app, server: '', file: name, set, podSeq: undefined })), `${app} ${name} of ${set}`)
        }
      }
      const lists = [
        namesIn(await servant.ListConfigByInfo({ ...info, appname: 'A', servername: 'S', filename: '', setdivision: set }, stranger)),
        namesIn(await servant.ListAllConfigByInfo({ ...info, appname: 'A', servername: 'T', setdivision: set }, stranger)),
      ]
      same(lists, [reference.names('A', 'S', set), reference.names('A', 'T', set)], `names of ${set}`)
    }
    same(namesIn(await servant.ListAllConfigByInfo({ ...info, appname: 'A', servername: '', bAppOnly: true }, stranger)), reference.names('A', '', undefined), 'names of the application')
  })
  await fc.assert(property, { numRuns: histories })
})
