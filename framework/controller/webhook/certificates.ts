import { createPrivateKey, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { createAuthority, issueCertificate, type KeyPair } from '#kube/x509.ts'

// The certificates of an installation's webhooks. One authority signs; older ones stay trusted until they end, so that a
// certificate of theirs that some replica still serves goes on being accepted.

/** What an installation has; PEM texts. */
export interface Certificates {
  /** Certificates of the authorities to trust, newest first. */
  readonly authorities: readonly string[]
  /** Key of the newest authority. Taking it away makes an authority that signs no more, and a new one follows. */
  readonly authorityKey: string | undefined
  /** What the server shows. */
  readonly serving: KeyPair | undefined
}

/** How long certificates hold; each is renewed when a third of its time is left. */
export interface CertificateLives {
  readonly authorityDays: number
  readonly servingDays: number
}

const certificateLives: CertificateLives = { authorityDays: 730, servingDays: 90 }

export interface RenewalOptions {
  /** Names and addresses by which the server is called. */
  readonly hosts: readonly string[]
  /** Milliseconds since the epoch. */
  readonly now: number
  /** True when every caller trusts the newest authority, so that it may sign what is served. */
  readonly trusted: boolean
  readonly lives?: CertificateLives | undefined
}

export const noCertificates: Certificates = { authorities: [], authorityKey: undefined, serving: undefined }

/**
 * The certificates with what is missing, damaged or due made anew; the same values where nothing is. A new authority only joins
 * those that are trusted: it signs once it is `trusted` itself, or when there is nothing left to serve.
 */
export function renewed(given: Certificates, { hosts, now, trusted, lives = certificateLives }: RenewalOptions): Certificates {
  const alive = given.authorities.filter((cert) => leftMs(cert, now) > 0)
  const kept = keptAuthority(alive[0], given.authorityKey, now, lives)
  const authority = kept ?? createAuthority({ commonName: `tarsk8s-webhooks-${now.toString(36)}`, validDays: lives.authorityDays, now })
  const authorities = kept === undefined ? [authority.cert, ...alive] : alive
  const { serving } = given
  const usable = serving !== undefined && isUsable(serving, authorities, hosts, now)
  const due = !usable || ((trusted && kept !== undefined) && (!isSignedBy(serving.cert, authority.cert) || leftMs(serving.cert, now) < reserveMs(lives.servingDays)))
  return {
    authorities, authorityKey: authority.key,
    serving: due ? issueCertificate(authority, { commonName: hosts[0] ?? 'webhooks', hosts, validDays: lives.servingDays, now }) : serving,
  }
}

/** The certificates to trust, as a configuration holds them. */
export function caBundleOf({ authorities }: Certificates): string {
  return Buffer.from(authorities.join('')).toString('base64')
}

/** The authority among those to trust that signed what is served. */
export function signerOf({ authorities, serving }: Certificates): string | undefined {
  return serving === undefined ? undefined : authorities.find((authority) => isSignedBy(serving.cert, authority))
}

/** The certificates in a PEM text, each as a text of its own; what is no certificate is left out. */
export function splitPem(text: string): string[] {
  return (text.replaceAll('\r', '').match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? []).filter((cert) => parsed(cert) !== undefined).map((cert) => `${cert}\n`)
}

const dayMs = 86_400_000
const reserveMs = (days: number): number => (days * dayMs) / 3

function keptAuthority(cert: string | undefined, key: string | undefined, now: number, { authorityDays }: CertificateLives): KeyPair | undefined {
  return cert !== undefined && key !== undefined && belongTogether(cert, key) && hasBegun(cert, now) && leftMs(cert, now) >= reserveMs(authorityDays) ? { cert, key } : undefined
}

function isUsable({ cert, key }: KeyPair, authorities: readonly string[], hosts: readonly string[], now: number): boolean {
  const certificate = parsed(cert)
  if (certificate === undefined || !belongTogether(cert, key) || !hasBegun(cert, now) || leftMs(cert, now) <= 0) return false
  const covers = (host: string): boolean => (isIP(host) === 0 ? certificate.checkHost(host) : certificate.checkIP(host)) !== undefined
  return hosts.every(covers) && authorities.some((authority) => isSignedBy(cert, authority))
}

function isSignedBy(cert: string, authority: string): boolean {
  const [certificate, issuer] = [parsed(cert), parsed(authority)]
  return certificate !== undefined && issuer !== undefined && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
}

function belongTogether(cert: string, key: string): boolean {
  try {
    return parsed(cert)?.checkPrivateKey(createPrivateKey(key)) === true
  } catch {
    return false
  }
}

/** Milliseconds until it ends; negative when it has, or is no certificate. */
function leftMs(cert: string, now: number): number {
  return Date.parse(parsed(cert)?.validTo ?? '1970-01-01') - now
}

/** False for one that was made by a clock that was ahead: nobody accepts it yet. */
function hasBegun(cert: string, now: number): boolean {
  return Date.parse(parsed(cert)?.validFrom ?? '9999-01-01') <= now
}

function parsed(cert: string): X509Certificate | undefined {
  try {
    return new X509Certificate(cert)
  } catch {
    return undefined
  }
}
