import { createHash, createPrivateKey, generateKeyPairSync, randomBytes, sign, X509Certificate } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { isIP, isIPv6 } from 'node:net'
import { bitString, boolean, context, integer, octetString, oid, pem, sequence, set, time, utf8 } from './der.ts'

// X.509 certificates (RFC 5280) for TLS servers of this project: an authority an installation, P-256 keys, no openssl.

/** PEM texts. */
export interface KeyPair {
  readonly cert: string
  readonly key: string
}

export interface CertificateOptions {
  readonly commonName: string
  /** DNS names and IP addresses that the certificate holds for. */
  readonly hosts?: readonly string[]
  readonly validDays: number
  /** Milliseconds since the epoch. */
  readonly now?: number
}

const dayMs = 86_400_000
/** Clocks of clients may be behind. */
const skewMs = 3_600_000

/** A certificate authority that signs itself. */
export function createAuthority(options: CertificateOptions): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const extensions = [extension('2.5.29.19', sequence(boolean(true)), true), extension('2.5.29.15', bitString(Buffer.from([0x06]), 1), true), extension('2.5.29.14', octetString(keyId(publicKey)))]
  const subject = name(options.commonName)
  return { cert: certificate({ ...options, issuer: subject, publicKey, signer: privateKey, extensions }), key: toPem(privateKey) }
}

/** A server certificate of `authority` for `hosts`. */
export function issueCertificate(authority: KeyPair, options: CertificateOptions): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const issuer = new X509Certificate(authority.cert)
  const extensions = [
    extension('2.5.29.19', sequence(), true),
    extension('2.5.29.15', bitString(Buffer.from([0x80]), 7), true),
    extension('2.5.29.37', sequence(oid('1.3.6.1.5.5.7.3.1'))),
    extension('2.5.29.17', sequence(...(options.hosts ?? []).map(alternativeName))),
    extension('2.5.29.35', sequence(context(0, keyId(issuer.publicKey), false))),
  ]
  const issuerName = name(issuer.subject.replace(/^CN=/, ''))
  return { cert: certificate({ ...options, issuer: issuerName, publicKey, signer: createPrivateKey(authority.key), extensions }), key: toPem(privateKey) }
}

/** Milliseconds until a certificate ends; negative when it has. */
export function remainingMs(cert: string, now: number = Date.now()): number {
  return Date.parse(new X509Certificate(cert).validTo) - now
}

interface Parts extends CertificateOptions {
  readonly issuer: Buffer
  readonly publicKey: KeyObject
  readonly signer: KeyObject
  readonly extensions: readonly Buffer[]
}

const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'))

function certificate({ commonName, validDays, now = Date.now(), issuer, publicKey, signer, extensions }: Parts): string {
  const serial = randomBytes(16)
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40
  const body = sequence(
    context(0, integer(Buffer.from([2]))), integer(serial), ecdsaWithSha256, issuer,
    sequence(time(now - skewMs), time(now + validDays * dayMs)), name(commonName),
    publicKey.export({ type: 'spki', format: 'der' }), context(3, sequence(...extensions)),
  )
  const signature = sign('sha256', body, { key: signer, dsaEncoding: 'der' })
  return pem('CERTIFICATE', sequence(body, ecdsaWithSha256, bitString(signature)))
}

function name(commonName: string): Buffer {
  return sequence(set(sequence(oid('2.5.4.3'), utf8(commonName))))
}

function extension(id: string, value: Buffer, critical = false): Buffer {
  return critical ? sequence(oid(id), boolean(true), octetString(value)) : sequence(oid(id), octetString(value))
}

function alternativeName(host: string): Buffer {
  return isIP(host) === 0 ? context(2, Buffer.from(host, 'ascii'), false) : context(7, addressBytes(host), false)
}

function addressBytes(host: string): Buffer {
  if (!isIPv6(host)) return Buffer.from(host.split('.').map(Number))
  const [head = '', tail = ''] = host.split('::')
  const groups = (text: string) => text.split(':').filter((group) => group !== '')
  const [first, last] = [groups(head), groups(tail)]
  const all = host.includes('::') ? [...first, ...Array<string>(8 - first.length - last.length).fill('0'), ...last] : first
  return Buffer.from(all.map((group) => group.padStart(4, '0')).join(''), 'hex')
}

/** Any stable digest of the public key will do (RFC 5280, 4.2.1.2). */
function keyId(key: KeyObject): Buffer {
  return createHash('sha1').update(key.export({ type: 'spki', format: 'der' })).digest()
}

function toPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}
