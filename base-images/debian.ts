// Debian packages as the source of base images: fetched by apt without root, unpacked by dpkg-deb without a chroot.
// Maintainer scripts are not run; what they would make (users, certificates, links) is written by base-images/rootfs.ts.
import { execa } from 'execa'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '#base/errors.ts'
import { sourcesOf, type Suite } from './debian-sources.ts'

/** A package as Debian knows it. */
export interface DebianPackage {
  readonly name: string
  readonly version: string
}

/** What is to be fetched. */
export interface Selection {
  /** Packages; everything they depend on comes along, no recommended ones. */
  readonly names: readonly string[]
  /** Release of Debian; default: that of this machine. */
  readonly suite?: Suite
  /** Packages that are taken as installed, so that neither they nor what only they need come along. */
  readonly assumed?: readonly DebianPackage[]
}

export interface DebianOptions {
  /** Folder that keeps package lists and packages between builds. */
  readonly cacheDir: string
  /** Debian's name of the packages' architecture, e.g. `arm64`; default: this machine's. */
  readonly architecture?: string
  /** Asks for the newest versions, whatever was fetched before. */
  readonly fresh?: boolean
  readonly signal?: AbortSignal
}

const neededTools = ['apt-get', 'dpkg-deb', 'tar']

/** @throws Failure DEBIAN_TOOLS_MISSING on a host without apt and dpkg */
async function checkHost(): Promise<void> {
  for (const tool of neededTools) {
    const { failed } = await execa(tool, ['--version'], { reject: false, stdio: 'ignore' })
    if (failed) {
      throw new Failure('DEBIAN_TOOLS_MISSING', `${tool} is not on this machine; base images are made from Debian packages`, {
        remedy: 'use a Debian or Ubuntu host, or install the packages apt, dpkg and tar',
      })
    }
  }
}

/** apt settings that keep every state of apt below `dir`, so that neither root nor the host's package state is needed. */
function aptSettings(dir: string, architecture: string | undefined): Record<string, string> {
  return {
    'Dir::State': dir,
    'Dir::State::lists': join(dir, 'lists'),
    'Dir::State::status': join(dir, 'status'),
    'Dir::Cache': dir,
    'Dir::Cache::archives': join(dir, 'archives'),
    'Debug::NoLocking': '1',
    'APT::Sandbox::User': '',
    'Acquire::Retries': '3',
    'Acquire::Languages': 'none',
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled': 'false',
    ...(architecture === undefined ? {} : { 'APT::Architecture': architecture, 'APT::Architectures::': architecture }),
  }
}

/** apt settings by which it reads this list of sources alone, the host's where there is none. */
async function sourceSettings(dir: string, suite: Suite | undefined): Promise<Record<string, string>> {
  const sources = await sourcesOf(suite)
  if (sources === undefined) return {}
  const file = join(dir, 'suite.sources')
  await writeFile(file, sources)
  return { 'Dir::Etc::sourcelist': file, 'Dir::Etc::sourceparts': '-' }
}

/**
 * Downloads packages and everything they depend on.
 * @returns paths of the .deb files, whose names have their versions; a later call for the same reuses them
 */
export async function fetchPackages({ names, suite, assumed = [] }: Selection, options: DebianOptions): Promise<string[]> {
  const key = createHash('sha256').update(JSON.stringify([suite, [...names].sort(), assumed])).digest('hex').slice(0, 16)
  const done = join(options.cacheDir, `debs-${forArchitecture(options)}${key}`)
  if (options.fresh === true || !existsSync(done)) await download({ names, assumed, ...(suite === undefined ? {} : { suite }) }, done, options)
  const files = await readdir(join(done, 'archives'))
  return files.filter((file) => file.endsWith('.deb')).sort().map((file) => join(done, 'archives', file))
}

/** Part of the names of what is kept for another architecture than this machine's. */
export const forArchitecture = ({ architecture }: DebianOptions): string => (architecture === undefined ? '' : `${architecture}-`)

async function download({ names, suite, assumed = [] }: Selection, done: string, { architecture, fresh = false, signal }: DebianOptions): Promise<void> {
  await checkHost()
  const dir = `${done}.${process.pid}.tmp`
  try {
    for (const folder of ['lists/partial', 'archives/partial']) await mkdir(join(dir, folder), { recursive: true })
    await writeFile(join(dir, 'status'), assumed.map((one) => installedStanza(one, architecture ?? hostArchitecture)).join('\n'))
    const settings = Object.entries({ ...aptSettings(dir, architecture), ...(await sourceSettings(dir, suite)) }).flatMap(([key, value]) => ['-o', `${key}=${value}`])
    const apt = (...args: string[]) => execa('apt-get', [...settings, '-qq', ...args], { all: true, env: { LC_ALL: 'C' }, ...(signal === undefined ? {} : { cancelSignal: signal }) })
    await apt('update')
    await apt('install', '-y', '--no-install-recommends', '--download-only', ...names)
    await rm(join(dir, 'lists'), { recursive: true })
    if (fresh) await rm(done, { recursive: true, force: true })
    await rename(dir, done)
  } catch (error) {
    await rm(dir, { recursive: true, force: true })
    if (!fresh && existsSync(done)) return
    throw new Failure('DEBIAN_FETCH_FAILED', `Debian packages could not be fetched${suite === undefined ? '' : ` from ${suite}`}: ${names.join(' ')}`, {
      cause: error,
      temporary: true,
      remedy: 'check that apt-get update works on this machine, that its mirror has this release of Debian, and try again',
    })
  }
}

const installedStanza = ({ name, version }: DebianPackage, architecture: string): string =>
  `Package: ${name}\nStatus: install ok installed\nVersion: ${version}\nArchitecture: ${architecture}\nMaintainer: none\nDescription: taken as installed\n`

/** Debian's name of this machine's architecture. */
export const hostArchitecture = process.arch === 'x64' ? 'amd64' : process.arch

/** Name and version of packages, in the order of their names. */
export async function describePackages(debs: readonly string[]): Promise<DebianPackage[]> {
  const described = await Promise.all(debs.map((deb) => execa('dpkg-deb', ['--show', '--showformat', '${Package} ${Version}', deb])))
  const packages = described.map(({ stdout }) => stdout.split(' ')).map(([name = '', version = '']) => ({ name, version }))
  return packages.sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Unpacks packages into `root`, keeping its links from /lib, /bin … to their places below /usr. */
export async function unpackPackages(debs: readonly string[], root: string): Promise<void> {
  for (const deb of debs) {
    await execa('dpkg-deb', ['--fsys-tarfile', deb], { buffer: { stdout: false } }).pipe(
      execa('tar', ['-x', '-C', root, '--keep-directory-symlink', '--no-same-owner']),
    )
  }
}
