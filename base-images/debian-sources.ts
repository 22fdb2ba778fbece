// Where packages come from: the mirrors that this machine's apt uses, with the suite that a recipe names.
import { execa } from 'execa'
import { existsSync } from 'node:fs'

/** Debian's releases that base images are made of, and the parts of their archive that are read. */
const suites = {
  bullseye: ['bullseye', 'bullseye-updates', 'bullseye-security'],
  bookworm: ['bookworm', 'bookworm-updates', 'bookworm-security'],
  trixie: ['trixie', 'trixie-updates', 'trixie-security'],
  sid: ['sid'],
} as const
export type Suite = keyof typeof suites

/** Names by which a list may ask for a release of Debian. */
const releases = [...Object.keys(suites), 'oldoldstable', 'oldstable', 'stable', 'testing', 'unstable']

/** Where Debian keeps the keys of its archive. */
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'

interface Mirrors {
  readonly main: string
  /** Debian has its security fixes at a place of their own. */
  readonly security: string
}

/**
 * apt's list of a suite, made of the mirrors in this machine's own list.
 * @param suite undefined: what the machine itself is made of
 * @returns text of a deb822 file; undefined where the machine's own list is to be used: one that is not Debian has its own packages
 */
export async function sourcesOf(suite: Suite | undefined): Promise<string | undefined> {
  const mirrors = suite === undefined ? undefined : await hostMirrors()
  if (suite === undefined || mirrors === undefined) return undefined
  const signedBy = existsSync(keyring) ? `Signed-By: ${keyring}\n` : ''
  return suites[suite].map((part) => `Types: deb\nURIs: ${part.endsWith('-security') ? mirrors.security : mirrors.main}\nSuites: ${part}\nComponents: main\n${signedBy}`).join('\n')
}

async function hostMirrors(): Promise<Mirrors | undefined> {
  const { stdout } = await execa('apt-get', ['update', '--print-uris'], { env: { LC_ALL: 'C' } })
  const found = [...stdout.matchAll(/^'(\S+)\/dists\/(\S+?)\/(?:In)?Release'/gm)].map(([, uri = '', suite = '']) => ({ uri, suite }))
  const main = found.find(({ suite }) => releases.includes(suite))?.uri
  const security = found.find(({ suite }) => releases.some((release) => suite === `${release}-security`))?.uri
  return main === undefined ? undefined : { main, security: security ?? main }
}
