// The certificates that Java trusts: /etc/ssl/certs/java/cacerts, to which Debian's Java has a link. It is written as a Java
// key store (JKS: magic, version, entries, keyed SHA-1), which every Java reads, and with no time in it, so that it is reproducible.
import { createHash, X509Certificate } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { packagedCertificates } from '../certificates.ts'

/** Everybody's password: it guards nothing, the store has no secret. */
const password = 'changeit'

/** Writes Java's trust store from the packaged certificates. */
export async function writeTrustStore(root: string): Promise<void> {
  const certificates = await packagedCertificates(root)
  const entries = certificates.map(({ name, pem }) => trustedEntry(name.toLowerCase(), new X509Certificate(pem).raw))
  const body = Buffer.concat([uint32(0xfeedfeed), uint32(2), uint32(entries.length), ...entries])
  const key = Buffer.from(password, 'utf16le').swap16()
  const digest = createHash('sha1').update(key).update('Mighty Aphrodite').update(body).digest()
  await mkdir(join(root, 'etc/ssl/certs/java'), { recursive: true })
  await writeFile(join(root, 'etc/ssl/certs/java/cacerts'), Buffer.concat([body, digest]))
}

const trustedEntry = (alias: string, certificate: Buffer): Buffer =>
  Buffer.concat([uint32(2), text(alias), Buffer.alloc(8), text('X.509'), uint32(certificate.length), certificate])

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  const length = Buffer.alloc(2)
  length.writeUInt16BE(bytes.length)
  return Buffer.concat([length, bytes])
}
