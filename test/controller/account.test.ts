// Users of the framework: no password is kept, tokens end. And the kinds that have no rules of their own.
import { compareSync } from 'bcryptjs'
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { schemaOf } from '#api/crds.ts'
import { accountName } from '#api/mutate/taccount.ts'
import type { Version } from '#api/names.ts'
import { inVersion, resources } from '#api/resources.ts'
import type { TAccount, TAccountSpec } from '#api/types.ts'
import type { Sparse } from '#api/default.ts'
import type { AnyObject, Resource } from '#kube/types.ts'
import type { Controller } from '../../framework/controller/controller.ts'
import { controllerOf, eventually, startCluster, type TestCluster } from './cluster.ts'

let cluster: TestCluster
let controller: Controller
beforeAll(async () => {
  cluster = await startCluster({ roles: [] })
  controller = await controllerOf(cluster)
})
afterAll(async () => {
  await controller?.stop()
  await cluster?.stop()
})

const namespace = 'ns'
const taccounts = resources.taccounts as Resource<TAccount>
const draft = (username: string, authentication: Sparse<TAccountSpec>['authentication'], metadata: object = {}) =>
  ({ metadata: { name: accountName(username), namespace, ...metadata }, spec: { username, authentication, authorization: [{ role: 'admin' }] } }) as never
const create = (...args: Parameters<typeof draft>): Promise<TAccount> => cluster.client.create(taccounts, draft(...args))
const change = (username: string, authentication: object): Promise<TAccount> => cluster.client.patch(taccounts, { namespace, name: accountName(username) }, { spec: { authentication } })

/** True when a login with this password succeeds, as K8SFramework's web checks it. */
function opens({ spec: { authentication: { bcryptPassword = '' } } }: TAccount, password: string): boolean {
  return compareSync(createHash('sha1').update(password).digest('hex'), bcryptPassword)
}

const later = (ms: number): string => new Date(Date.now() + ms).toISOString()

describe('TAccount (control-plane spec B.6, C.10)', () => {
  test('a password is kept as its hash, and nowhere else', async () => {
    const made = await create('alice', { password: 'secret-1' }, { annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{"password":"secret-1"}', mine: 'stays' } })
    expect(made.spec.authentication).toMatchObject({ bcryptPassword: expect.stringMatching(/^\$2[ab]\$06\$.{53}$/), activated: false, tokens: [] })
    expect(JSON.stringify(made)).not.toContain('secret-1')
    expect(made.metadata.annotations).toEqual({ mine: 'stays' })
    expect(opens(made, 'secret-1')).toBe(true)
    expect(opens(made, 'secret-2')).toBe(false)
    expect((await create('alina', { password: 'secret-1' })).spec.authentication.bcryptPassword).not.toBe(made.spec.authentication.bcryptPassword)
  })

  test('tokens stay as long as the password does', async () => {
    const token = { name: 'ci', content: 'xyz', expirationTime: later(3_600_000) }
    expect((await create('bob', { password: 'secret-1', tokens: [token] })).spec.authentication.tokens).toEqual([])
    expect((await change('bob', { tokens: [token] })).spec.authentication.tokens).toEqual([{ ...token, valid: true }])
    expect((await change('bob', { activated: true })).spec.authentication.tokens).toHaveLength(1)
    const changed = await change('bob', { password: 'secret-2' })
    expect(changed.spec.authentication).toMatchObject({ tokens: [], activated: true })
    expect(opens(changed, 'secret-2')).toBe(true)
    await change('bob', { tokens: [token] })
    expect((await change('bob', { bcryptPassword: (await create('bea', { password: 'secret-3' })).spec.authentication.bcryptPassword })).spec.authentication.tokens).toEqual([])
  })

  test('tokens go when they have ended, and no others', async () => {
    await create('carol', { password: 'secret-1' })
    const tokens = [{ name: 'old', expirationTime: '2020-01-01T00:00:00Z' }, { name: 'soon', expirationTime: later(1500) }, { name: 'late', expirationTime: later(40 * 86_400_000) }, { name: 'ever' }]
    await change('carol', { tokens })
    const names = async (): Promise<string> => ((await cluster.client.get(taccounts, { namespace, name: accountName('carol') })).spec.authentication.tokens ?? []).map(({ name }) => name).join()
    await eventually(async () => !(await names()).startsWith('old'))
    await eventually(async () => (await names()) === 'late,ever')
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(tokens[1]?.expirationTime ?? ''))
  })

  test.each([
    ['another name', draft('dave', { password: 'secret-1' }, { name: 'dave' }), `taccount resource is invalid : unexpected resource name; field metadata.name: must be the hexadecimal MD5 of spec.username, which is "${accountName('dave')}"; remedy: set metadata.name`],
    ['no password', draft('dave', { activated: true }), 'spec.authentication'],
    ['a short name', draft('d', { password: 'secret-1' }), 'spec.username'],
  ])('%s is refused', async (_what, object, text) => {
    await expect(cluster.client.create(taccounts, object)).rejects.toThrow(text)
  })

  test.each([['short', '12345'], ['long', 'x'.repeat(33)], ['not visible', 'a b c d']])('a password that is %s is refused, and not repeated', async (_what, password) => {
    await create(`erin${password.length}`, { password: 'secret-1' })
    for (const attempt of [create('dave', { password }), change(`erin${password.length}`, { password })]) {
      const message = await attempt.then(() => expect.fail('it was accepted'), (error: Error) => error.message)
      expect(message).toContain(String.raw`taccount resource is invalid : password should match pattern ^[\x21-\x7e]{6,32}$; field spec.authentication.password: `)
      expect(message).not.toContain(password)
    }
  })
})

const text = fc.string({ maxLength: 12 })
const visible = fc.stringMatching(/^[!-~]{2,16}$/)
const some = <T extends Record<string, fc.Arbitrary<unknown>>>(values: T) => fc.record(values, { requiredKeys: [] })
const hash = fc.stringMatching(/^[!-~]{60}$/)
const time = fc.integer({ min: 2_000_000_000, max: 4_000_000_000 }).map((seconds) => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z'))

/** Specs of the kinds whose versions differ by name only. */
const kinds: readonly [string, Resource, fc.Arbitrary<object>, readonly Version[]][] = [
  ['TAccount', resources.taccounts as unknown as Resource, fc.record({
    username: visible, extra: fc.array(text, { maxLength: 2 }),
    authentication: fc.record({ bcryptPassword: hash, activated: fc.boolean() }),
    authorization: fc.array(some({ role: fc.constantFrom('admin', 'operator', 'developer'), flag: text, updateTime: time }), { maxLength: 3 }),
  }), ['v1beta1', 'v1beta2', 'v1beta3']],
  ['TFrameworkKey', resources.tframeworkkeys as unknown as Resource, some({ cuid: text, pri_key: text, autologin: fc.integer({ min: 0, max: 9 }) }), ['v1beta2', 'v1beta3']],
  ['TPlugin', resources.tplugins as unknown as Resource, some({ name: text, name_en: text, obj: text, type: fc.integer({ min: -9, max: 9 }), path: text, extern: fc.integer({ min: 0, max: 9 }) }), ['v1beta2', 'v1beta3']],
]

describe.each(kinds)('%s', (kind, resource, specs, versions) => {
  test('goes through its versions and back unchanged', async () => {
    await fc.assert(fc.asyncProperty(specs, fc.constantFrom(...versions), fc.constantFrom(...versions), async (spec, first, second) => {
      const name = 'username' in spec ? accountName(spec.username as string) : `${kind.toLowerCase()}-0`
      const of = (version: Version) => inVersion(resource as never, version) as Resource
      const made = await cluster.client.create(of(first), { metadata: { namespace, name }, spec } as never)
      const seen: AnyObject = await cluster.client.get(of(second), { namespace, name })
      expect(seen.apiVersion).toBe(`k8s.tars.io/${second}`)
      await cluster.client.update(of(second), { ...seen, metadata: { ...seen.metadata, labels: { touched: 'yes' } } })
      const back = await cluster.client.get(of(first), { namespace, name })
      await cluster.client.delete(of(first), { namespace, name })
      expect(back['spec']).toEqual(made['spec'])
      expect(back['spec']).toMatchObject(spec)
    }), { numRuns: 40 })
  })

  test('has one schema in all versions that say the same', () => {
    for (const version of versions) expect(schemaOf(kind, version)).toEqual(schemaOf(kind, 'v1beta3'))
  })
})

test('TPlugin of v1beta1 has no extern, as in the reference', async () => {
  const old = await cluster.client.create(inVersion(resources.tplugins as never, 'v1beta1') as Resource, { metadata: { namespace, name: 'old' }, spec: { name: 'x', type: 1, extern: 1 } } as never)
  expect(old['spec']).toEqual({ name: 'x', type: 1 })
  expect(await cluster.client.get(resources.tplugins, { namespace, name: 'old' })).toMatchObject({ spec: { name: 'x', type: 1 } })
})
