import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

interface PackagedCertificate {
  /** Its file's name, without the extension. */
  readonly name: string
  readonly pem: string
}

/** The authorities' certificates of the package ca-certificates, by name. */
export async function packagedCertificates(root: string): Promise<PackagedCertificate[]> {
  const source = join(root, 'usr/share/ca-certificates/mozilla')
  if (!existsSync(source)) return []
  const names = (await readdir(source)).filter((name) => name.endsWith('.crt')).sort()
  return Promise.all(names.map(async (name) => ({ name: name.slice(0, -'.crt'.length), pem: `${(await readFile(join(source, name), 'utf8')).trimEnd()}\n` })))
}

/**
 * Writes /etc/ssl/certs/ca-certificates.crt from the packaged certificates, as update-ca-certificates does, and puts it
 * where OpenSSL looks when nobody says otherwise.
 */
export async function bundleCertificates(root: string): Promise<void> {
  const certificates = await packagedCertificates(root)
  if (certificates.length === 0) return
  await mkdir(join(root, 'etc/ssl/certs'), { recursive: true })
  await writeFile(join(root, 'etc/ssl/certs/ca-certificates.crt'), certificates.map(({ pem }) => pem).join(''))
  await mkdir(join(root, 'usr/lib/ssl'), { recursive: true })
  await symlink('/etc/ssl/certs/ca-certificates.crt', join(root, 'usr/lib/ssl/cert.pem'))
}
