import { generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import forge from 'node-forge'

// X.509 certificates (RFC 5280) for TLS servers of this project: an authority an installation, no openssl.

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
const keyBits = 2048

/** A certificate authority that signs itself. */
export function createAuthority(options: CertificateOptions): KeyPair {
  const { cert, key, keyPem } = draft(options)
  cert.setIssuer(cert.subject.attributes)
  cert.setExtensions([{ name: 'basicConstraints', critical: true, cA: true }, { name: 'keyUsage', critical: true, keyCertSign: true, cRLSign: true }, { name: 'subjectKeyIdentifier' }])
  cert.sign(key, forge.md.sha256.create())
  return { cert: pemOf(cert), key: keyPem }
}

/** A server certificate of `authority` for `hosts`. */
export function issueCertificate(authority: KeyPair, options: CertificateOptions): KeyPair {
  const issuer = forge.pki.certificateFromPem(authority.cert)
  const { cert, keyPem } = draft(options)
  cert.setIssuer(issuer.subject.attributes)
  cert.setExtensions([
    { name: 'basicConstraints', critical: true, cA: false },
    { name: 'keyUsage', critical: true, digitalSignature: true, keyEncipherment: true },
    { name: 'extKeyUsage', serverAuth: true },
    { name: 'subjectAltName', altNames: (options.hosts ?? []).map(alternativeName) },
    { name: 'authorityKeyIdentifier', keyIdentifier: issuer.generateSubjectKeyIdentifier().getBytes() },
  ])
  cert.sign(forge.pki.privateKeyFromPem(authority.key), forge.md.sha256.create())
  return { cert: pemOf(cert), key: keyPem }
}

/** Milliseconds until a certificate ends; negative when it has. */
export function remainingMs(cert: string, now: number = Date.now()): number {
  return Date.parse(new X509Certificate(cert).validTo) - now
}

/** A certificate with a key of its own, to be completed and signed. OpenSSL makes the key: the library's own way is slow. */
function draft({ commonName, validDays, now = Date.now() }: CertificateOptions): { cert: forge.pki.Certificate; key: forge.pki.rsa.PrivateKey; keyPem: string } {
  const keyPem = generateKeyPairSync('rsa', { modulusLength: keyBits }).privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()
  const key = forge.pki.privateKeyFromPem(keyPem)
  const cert = forge.pki.createCertificate()
  cert.publicKey = forge.pki.setRsaPublicKey(key.n, key.e)
  cert.serialNumber = `4${randomBytes(15).toString('hex')}`.padEnd(32, '0')
  cert.validity.notBefore = new Date(now - skewMs)
  cert.validity.notAfter = new Date(now + validDays * dayMs)
  cert.setSubject([{ name: 'commonName', value: commonName }])
  return { cert, key, keyPem }
}

/** With line ends as OpenSSL writes them. */
function pemOf(cert: forge.pki.Certificate): string {
  return forge.pki.certificateToPem(cert).replaceAll('\r', '')
}

/** GeneralName: 2 is a DNS name, 7 an address (RFC 5280, 4.2.1.6). */
function alternativeName(host: string): object {
  return isIP(host) === 0 ? { type: 2, value: host } : { type: 7, ip: host }
}
