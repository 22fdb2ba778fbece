// Certificates as they go through the years: what is trusted and what is served always fit.
import { X509Certificate } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { noCertificates, renewed, signerOf, splitPem, type Certificates } from '../../../framework/controller/webhook/certificates.ts'
import { readSecret, secretData } from '../../../framework/controller/webhook/secret.ts'

const hosts = ['hooks.ns.svc', '127.0.0.1']
const day = 86_400_000
const start = Date.parse('2030-01-01T00:00:00Z')
const at = (given: Certificates, days: number, trusted = true) => renewed(given, { hosts, now: start + days * day, trusted })
const fresh = at(noCertificates, 0)
const certOf = ({ serving }: Certificates): string => serving?.cert ?? expect.fail('nothing is served')

test('the first pass makes all, the next leaves all as it is', () => {
  expect(fresh.authorities).toHaveLength(1)
  expect(signerOf(fresh)).toBe(fresh.authorities[0])
  const certificate = new X509Certificate(certOf(fresh))
  expect(certificate.checkHost('hooks.ns.svc')).toBe('hooks.ns.svc')
  expect(certificate.checkIP('127.0.0.1')).toBe('127.0.0.1')
  for (const trusted of [true, false]) expect(at(fresh, 1, trusted)).toEqual(fresh)
})

test('what is served is renewed when a third of its time is left, by the same authority', () => {
  expect(at(fresh, 59)).toEqual(fresh)
  const later = at(fresh, 61)
  expect(later.authorities).toEqual(fresh.authorities)
  expect(certOf(later)).not.toBe(certOf(fresh))
  expect(at(fresh, 61, false)).toEqual(fresh)
})

test('a new authority is trusted first, and signs then; the old one stays trusted until it ends', () => {
  const served = at(at(fresh, 480), 485)
  const joined = at(served, 490)
  expect(joined.authorities).toEqual([expect.anything(), ...fresh.authorities])
  expect(joined.serving).toEqual(served.serving)
  const waiting = at(joined, 490, false)
  expect(waiting).toEqual(joined)
  const moved = at(waiting, 490)
  expect(moved.authorities).toEqual(joined.authorities)
  expect(signerOf(moved)).toBe(joined.authorities[0])
  const old = at(moved, 731)
  expect(old.authorities).toEqual([joined.authorities[0]])
})

test('an authority whose key is taken away is replaced in the same order', () => {
  const joined = at({ ...fresh, authorityKey: undefined }, 1)
  expect(joined.authorities).toHaveLength(2)
  expect(signerOf(joined)).toBe(fresh.authorities[0])
  expect(signerOf(at(joined, 1))).toBe(joined.authorities[0])
})

test('over ten years there is always something to serve that is trusted by everybody who trusts what was trusted the day before', () => {
  let current = fresh
  for (let days = 0; days < 3650; days += 10) {
    const next = at(current, days)
    expect(current.authorities, `day ${days}`).toContain(signerOf(next))
    expect(Date.parse(new X509Certificate(certOf(next)).validTo)).toBeGreaterThan(start + (days + 10) * day)
    current = next
  }
})

describe('damage', () => {
  const other = at(noCertificates, 0)
  test.each([
    ['no serving certificate', { ...fresh, serving: undefined }],
    ['a serving certificate that is no certificate', { ...fresh, serving: { cert: 'x', key: certOf(fresh) } }],
    ['a key of another certificate', { ...fresh, serving: { cert: certOf(fresh), key: other.serving?.key ?? '' } }],
    ['a serving certificate of a stranger', { ...fresh, serving: other.serving }],
    ['no authorities', { ...fresh, authorities: [] }],
    ['a key of another authority', { ...fresh, authorityKey: other.authorityKey }],
  ])('%s is made good', (_what, given) => {
    const next = at(given, 1)
    expect(signerOf(next)).toBeDefined()
    expect(at(next, 1, false)).toEqual(next)
  })

  test('a new host is in a new certificate at once', () => {
    const next = renewed(fresh, { hosts: ['new.ns.svc'], now: start, trusted: false })
    expect(new X509Certificate(certOf(next)).checkHost('new.ns.svc')).toBeDefined()
    expect(next.authorities).toEqual(fresh.authorities)
  })
})

test('a Secret keeps them, and what is no certificate in it counts as missing', () => {
  const secret = (data: object) => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, data })
  expect(readSecret(secret(secretData(fresh)))).toEqual(fresh)
  expect(readSecret(secret({ 'ca.crt': '####', 'tls.crt': 7 }))).toEqual(noCertificates)
  expect(splitPem(`text\n${fresh.authorities[0]}-----BEGIN CERTIFICATE-----\nxx\n-----END CERTIFICATE-----`)).toEqual(fresh.authorities)
})

test('what was made by a clock that was ahead is made again', () => {
  const ahead = at(fresh, 365)
  expect(certOf(ahead)).not.toBe(certOf(fresh))
  const back = at(ahead, 1)
  expect(Date.parse(new X509Certificate(certOf(back)).validFrom)).toBeLessThanOrEqual(start + day)
  expect(back.authorities).toEqual(fresh.authorities)
  const all = at(at(noCertificates, 800), 1)
  expect([certOf(all), ...all.authorities.slice(0, 1)].map((cert) => Date.parse(new X509Certificate(cert).validFrom) <= start + day)).toEqual([true, true])
})
