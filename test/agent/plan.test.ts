// What a sweep plans, over generated folders: the invariants that no rule may break.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { planSweep, type LogFile } from '../../framework/agent/cleaning/plan.ts'
import { defaultLogRules } from '../../framework/agent/cleaning/log-rules.ts'
import { fnv32a, placeOfVolume, volumeName } from '../../framework/agent/volumes/place.ts'

const hourMs = 3600_000
const nowMs = 1e12

const files = fc.array(fc.record({ kind: fc.constantFrom('current', 'dated', 'rolled', 'core'), bytes: fc.nat(1000), ageMs: fc.nat(200 * hourMs), open: fc.boolean() }), { maxLength: 30 })
  .map((all) => all.map(({ kind, bytes, ageMs, open }, index) => ({ file: { path: [`f${index}`], kind, bytes, modifiedMs: nowMs - ageMs, identity: String(index) } satisfies LogFile as LogFile, open })))
const rules = fc.record({ quotaBytes: fc.integer({ min: 1, max: 20_000 }), maxAgeMs: fc.integer({ min: hourMs, max: 150 * hourMs }), coreKeep: fc.nat(4), openLogs: fc.constantFrom('truncate' as const, 'keep' as const) })
  .map((given) => ({ ...defaultLogRules, ...given }))

test('a plan never removes what may be open, says truly what stays, and goes over the quota only for what is open', () => {
  fc.assert(fc.property(files, rules, fc.boolean(), (all, given, abandoned) => {
    const open = new Set(all.filter((one) => one.open).map(({ file }) => file))
    const isOpen = (file: LogFile): boolean => open.has(file)
    const busy = (file: LogFile): boolean => nowMs - file.modifiedMs < given.openMs || isOpen(file)
    const { actions, leftBytes } = planSweep({ files: all.map(({ file }) => file), rules: given, nowMs, isOpen, abandoned })
    const touched = new Set(actions.map(({ file }) => file))
    const untouched = all.map(({ file }) => file).filter((file) => !touched.has(file))
    expect(touched.size).toBe(actions.length)
    for (const { file, what, why } of actions) {
      if (!abandoned && (file.kind === 'current' || (file.kind !== 'core' && busy(file)))) expect(what).toBe('truncate')
      if (file.kind === 'core') expect(busy(file)).toBe(false)
      if (busy(file)) expect([why, given.openLogs]).toEqual(['quota', 'truncate'])
    }
    expect(leftBytes).toBe(untouched.reduce((sum, { bytes }) => sum + bytes, 0))
    if (leftBytes > given.quotaBytes) for (const file of untouched) expect(file.bytes === 0 || busy(file)).toBe(true)
    // The quota takes no more than it needs.
    const lastOfQuota = actions.findLast(({ why }) => why === 'quota')
    if (lastOfQuota !== undefined) expect(leftBytes + lastOfQuota.file.bytes).toBeGreaterThan(given.quotaBytes)
  }))
})

test("names are K8SFramework's, with FNV-1a of node and class", () => {
  expect([fnv32a(''), fnv32a('a'), fnv32a('foobar')]).toEqual([0x811c9dc5, 0xe40c292c, 0xbf9cf968])
  expect(volumeName({ namespace: 'ns', server: 'Demo.Hello', volume: 'data' }, 'foo', 'bar')).toBe('ns-data-demo-hello-bf9cf968')
})

test('only paths of three plain names below the base are places', () => {
  const place = (path: string) => placeOfVolume('/base', { apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name: 'v' }, spec: { capacity: {}, accessModes: [], storageClassName: '', local: { path } } })
  expect(place('/base/ns/Demo.Hello/data')).toEqual({ namespace: 'ns', server: 'Demo.Hello', volume: 'data' })
  for (const path of ['/base', '/base/', '/base/ns', '/base/ns/x', '/base/ns/x/', '/base/ns/x/y/z', '/base/ns/../etc', '/base/../etc/x', '/base/ns/x/..', '/base/ns/./x', '/base//x/y', '/basement/a/b', '/etc/a/b/c', 'base/a/b/c', '']) expect(place(path), path).toBeUndefined()
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom('.', '/', 'a', '-', '_', '\0', ' ') }), (rest) => {
    const found = place(`/base/${rest}`)
    if (found !== undefined) expect(Object.values(found).every((name) => name !== '.' && name !== '..' && !/[/\0 ]/.test(name))).toBe(true)
  }))
})
