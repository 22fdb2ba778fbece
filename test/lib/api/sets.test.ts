// Sets, variants and instances of a TServer, and sets of files, as the API judges them.
import { describe, expect, test } from 'vitest'
import { completeServer } from '#api/default.ts'
import { instanceOf } from '#api/instances.ts'
import { mutateConfig } from '#api/mutate/tconfig.ts'
import { mutateServer } from '#api/mutate/tserver.ts'
import { ownerNameOf, serverObjectName, serverSelector } from '#api/names.ts'
import { patterns } from '#api/schema/patterns.ts'
import type { TConfig, TServer } from '#api/types.ts'
import { validateConfigCreate, validateConfigUpdate } from '#api/validate/tconfig.ts'
import { validateServer } from '#api/validate/tserver.ts'

const server = (name: string, spec: object = {}, tars: object = {}): TServer =>
  completeServer({ name }, { app: 'A', server: 'B', subType: 'tars', tars: { template: 'tars.cpp', servants: [], ...tars }, ...spec })

describe('a second TServer of a server', () => {
  test('is named by its variant, and labelled', () => {
    expect(serverObjectName('A', 'B', 'far')).toBe('a-b-far')
    expect(validateServer(server('a-b-far', { variant: 'far' }))).toEqual([])
    expect(validateServer(server('a-b', { variant: 'far' }))[0]?.rule).toMatch(/which is "a-b-far"/)
    const { metadata } = mutateServer(server('a-b-far', { variant: 'far' }), { now: 'now' })
    expect(metadata.labels).toMatchObject({ 'tars.io/ServerApp': 'A', 'tars.io/ServerName': 'B', 'tars.io/ServerVariant': 'far' })
    expect(ownerNameOf(metadata.labels)).toBe('a-b-far')
    expect(mutateServer(server('a-b'), { now: 'now' }).metadata.labels).not.toHaveProperty('tars.io/ServerVariant')
  })

  test('keeps its variant', () => {
    expect(validateServer(server('a-b-far', { variant: 'far' }), server('a-b-far', { variant: 'near' })).map(({ field }) => field)).toContain('spec.variant')
  })

  test('has a selector of its own, which the first one does not take in', () => {
    expect(serverSelector('A', 'B')).toBe('tars.io/ServerApp=A,tars.io/ServerName=B,!tars.io/ServerVariant')
    expect(serverSelector('A', 'B', 'far')).toBe('tars.io/ServerApp=A,tars.io/ServerName=B,tars.io/ServerVariant=far')
  })
})

describe('instances', () => {
  const instances = [{ set: 'a.b.1', weight: 10 }, { pods: '1-2,12', set: 'a.b.2' }, { pods: '2', weight: 50, flow: 'inactive' }] as const
  test.each([
    [0, { set: 'a.b.1', weight: 10 }],
    [1, { set: 'a.b.2', weight: 10 }],
    [2, { set: 'a.b.2', weight: 50, flow: 'inactive' }],
    [3, { set: 'a.b.1', weight: 10 }],
    [12, { set: 'a.b.2', weight: 10 }],
    [undefined, { set: 'a.b.1', weight: 10 }],
  ])('of pod %s', (ordinal, expected) => {
    expect(instanceOf(instances, ordinal)).toEqual(expected)
  })

  test.each([
    ['a range backwards', { instances: [{ pods: '3-1' }] }, {}, /goes from the lower/],
    ['numbers for a DaemonSet', { instances: [{ pods: '1' }] }, { k8s: { daemonSet: true } }, /have no numbers/],
  ])('%s is refused', (_what, tars, spec, rule) => {
    expect(validateServer(server('a-b', spec, tars)).map((problem) => problem.rule).join()).toMatch(rule)
  })

  test.each([['a.b.c', true], ['a.b.*', true], ['*.b.c', false], ['a.*.c', false], ['a.b', false], ['a..c', false], ['a.b.c.d', false], ['', false]])('the form of set %j is right: %s (framework-services 1.4)', (set, right) => {
    expect(new RegExp(patterns.set).test(set)).toBe(right)
  })

  test.each([['', true], ['a.b.c', true], ['a.b.*', false], ['a.b', false], ['a.b._', false]])('the form of the set %j of a file is right: %s (2.2)', (set, right) => {
    expect(new RegExp(patterns.configSet).test(set)).toBe(right)
  })
})

describe('files of a set', () => {
  const config = (fields: Partial<TConfig>): TConfig => ({ apiVersion: 'x', kind: 'TConfig', metadata: { name: 'one' }, app: 'A', server: 'B', configName: 'f', configContent: '', podSeq: 'm', activated: true, ...fields })

  test('are labelled', () => {
    expect(mutateConfig(config({ set: 'a.b.c' }), new Date(0)).metadata.labels).toMatchObject({ 'tars.io/ConfigSet': 'a.b.c' })
    expect(mutateConfig(config({ set: '' }), new Date(0)).metadata.labels).not.toHaveProperty('tars.io/ConfigSet')
  })

  test('a file for one pod of a set needs the file of that set', () => {
    const own = config({ set: 'a.b.c', podSeq: '1' })
    expect(validateConfigCreate(own, [config({ metadata: { name: 'base' } })])).toHaveLength(1)
    expect(validateConfigCreate(own, [config({ metadata: { name: 'set' }, set: 'a.b.c' })])).toEqual([])
  })

  test('set and references stay as they are; a file of an application refers to none', () => {
    const fields = (next: Partial<TConfig>, old: Partial<TConfig>) => validateConfigUpdate(config(next), config(old), []).map(({ field }) => field)
    expect(fields({ set: 'a.b.c' }, {})).toEqual(['set'])
    expect(fields({ set: '' }, {})).toEqual([])
    expect(fields({ references: ['x'] }, { references: ['y'] })).toEqual(['references'])
    expect(fields({ references: [] }, {})).toEqual([])
    expect(validateConfigCreate(config({ server: '', references: ['x'] }), []).map(({ field }) => field)).toEqual(['references'])
  })
})
