// Debian packages as the source of base images: fetched by apt without root, unpacked by dpkg-deb without a chroot.
// Maintainer scripts are not run; what they would make (users, certificates, links) is written by base-images/rootfs.ts.
import { execa } from 'execa'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '#base/errors.ts'

export interface DebianOptions {
  /** Folder that keeps package lists and packages between builds. */
  readonly cacheDir: string
  /** Debian's name of the packages' architecture, e.g. `arm64`; default: this machine's. */
  readonly architecture?: string
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
function aptSettings(dir: string, architecture: string | undefined): string[] {
  const settings = {
    'Dir::State': dir,
    'Dir::State::lists': join(dir, 'lists'),
    'Dir::State::status': join(dir, 'status'),
    'Dir::Cache': dir,
    'Dir::Cache::archives': join(dir, 'archives'),
    'Debug::NoLocking': '1',
    'APT::Sandbox::User': '',
    'Acquire::Retries': '3',
    ...(architecture === undefined ? {} : { 'APT::Architecture': architecture, 'APT::Architectures::': architecture }),
  }
  return Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`])
}

/**
 * Downloads packages and everything they depend on (no recommended ones).
 * @returns paths of the .deb files; a later call with the same names reuses them
 */
export async function fetchPackages(names: readonly string[], options: DebianOptions): Promise<string[]> {
  const key = createHash('sha256').update([...names].sort().join(' ')).digest('hex').slice(0, 16)
  const done = join(options.cacheDir, `debs-${forArchitecture(options)}${key}`)
  if (!existsSync(done)) await download(names, done, options)
  const files = await readdir(join(done, 'archives'))
  return files.filter((file) => file.endsWith('.deb')).sort().map((file) => join(done, 'archives', file))
}

/** Part of the names of what is kept for another architecture than this machine's. */
export const forArchitecture = ({ architecture }: DebianOptions): string => (architecture === undefined ? '' : `${architecture}-`)

async function download(names: readonly string[], done: string, { architecture, signal }: DebianOptions): Promise<void> {
  await checkHost()
  const dir = `${done}.${process.pid}.tmp`
  for (const folder of ['lists/partial', 'archives/partial']) await mkdir(join(dir, folder), { recursive: true })
  await writeFile(join(dir, 'status'), '')
  const apt = (...args: string[]) => execa('apt-get', [...aptSettings(dir, architecture), '-qq', ...args], { all: true, env: { LC_ALL: 'C' }, ...(signal === undefined ? {} : { cancelSignal: signal }) })
  try {
    await apt('update')
    await apt('install', '-y', '--no-install-recommends', '--download-only', ...names)
    await rm(join(dir, 'lists'), { recursive: true })
    await rename(dir, done)
  } catch (error) {
    await rm(dir, { recursive: true, force: true })
    if (existsSync(done)) return
    throw new Failure('DEBIAN_FETCH_FAILED', `Debian packages could not be fetched: ${names.join(' ')}`, {
      cause: error,
      temporary: true,
      remedy: 'check that apt-get update works on this machine and try again',
    })
  }
}

/** Unpacks packages into `root`, keeping its links from /lib, /bin … to their places below /usr. */
export async function unpackPackages(debs: readonly string[], root: string): Promise<void> {
  for (const deb of debs) {
    await execa('dpkg-deb', ['--fsys-tarfile', deb], { buffer: { stdout: false } }).pipe(
      execa('tar', ['-x', '-C', root, '--keep-directory-symlink', '--no-same-owner']),
    )
  }
}
