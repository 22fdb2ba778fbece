// Real programs that tests and benchmarks need: found, or installed where that is possible, or named in the error.
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { copyFile, mkdtemp, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { fetchPackages, unpackPackages } from '../../base-images/debian.ts'
import { alone } from './alone.ts'

const run = promisify(execFile)

/** Folder for slow builds, outside the clone so that every checkout shares it. */
export const cacheDir = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'tarsk8s')

/** The absolute path of a program on PATH (the sbin folders included), or undefined. */
export function which(program: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin']
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path))
}

/**
 * Makes sure that `program` is there, installing Debian's `pkg` by apt when root.
 * @returns its path
 * @throws naming the package to install
 */
export async function debianTool(program: string, pkg: string): Promise<string> {
  await install(program, pkg, () => which(program) !== undefined)
  return which(program) ?? fail(`the Debian package ${pkg} brought no ${program}`)
}

/**
 * The same for what is on no PATH.
 * @param path where the package has it
 */
export async function debianFile(path: string, pkg: string): Promise<string> {
  await install(path, pkg, () => existsSync(path))
  return existsSync(path) ? path : fail(`the Debian package ${pkg} brought no ${path}`)
}

async function install(what: string, pkg: string, isThere: () => boolean): Promise<void> {
  if (isThere()) return
  if (process.getuid?.() !== 0 || which('apt-get') === undefined) throw new Error(`${what} is missing; install the Debian package ${pkg}`)
  mkdirSync(cacheDir, { recursive: true })
  await alone(join(cacheDir, 'apt.lock'), async () => {
    if (isThere()) return
    await run('apt-get', ['update', '-q'], { timeout: 300_000 })
    await run('apt-get', ['install', '-y', '-q', '--no-install-recommends', '-o', 'DPkg::Lock::Timeout=300', pkg], { timeout: 600_000, env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } })
  })
}

/**
 * A program that needs no library, out of Debian's `pkg` and kept in {@link cacheDir}: nothing is installed.
 * @param path where the package has it
 */
export function unpackedTool(path: string, pkg: string): Promise<string> {
  const folder = join(cacheDir, 'debian')
  return kept(join(folder, basename(path)), async (draft) => {
    await unpackPackages(await fetchPackages({ names: [pkg] }, { cacheDir: folder }), draft)
    await copyFile(join(draft, path), join(draft, 'program'))
    return 'program'
  })
}

/** Name and version of an installed Debian package, e.g. `tini 0.19.0-1+b3`; for naming a rival exactly. */
export async function debianVersion(pkg: string): Promise<string> {
  const { stdout } = await run('dpkg-query', ['-W', '-f', '${Package} ${Version}', pkg])
  return stdout.trim()
}

/**
 * Builds a Go program from its module once a version and keeps it in {@link cacheDir}.
 * @param pkg import path of the main package
 * @param version exact module version, e.g. `v0.22.1`
 */
export function goTool(pkg: string, version: string): Promise<string> {
  const name = basename(pkg)
  return kept(join(cacheDir, 'go', `${name}-${version}`, name), async (draft) => {
    const go = which('go') ?? fail(`go is missing; install Go 1.24 or newer to build ${pkg}`)
    await run(go, ['install', '-trimpath', '-ldflags=-s -w', `${pkg}@${version}`], { timeout: 1_500_000, maxBuffer: 1 << 26, env: { ...process.env, GOBIN: draft, GOFLAGS: '', CGO_ENABLED: '0' } })
    return name
  })
}

/**
 * The same for a module that is built as its own clone would be, by its own `replace` and `go.sum`.
 * @param path of the main package within the module, e.g. `cmd/executor`
 */
export function goModuleTool(module: string, version: string, path: string): Promise<string> {
  return kept(join(cacheDir, 'go', `${basename(path)}-${version}`), async (draft) => {
    const go = which('go') ?? fail(`go is missing; install Go 1.24 or newer to build ${module}`)
    const env = { ...process.env, GOFLAGS: '', CGO_ENABLED: '0' }
    const { stdout } = await run(go, ['mod', 'download', '-json', `${module}@${version}`], { cwd: draft, timeout: 300_000, env })
    const { Dir: folder } = JSON.parse(stdout) as { readonly Dir: string }
    await run(go, ['build', '-trimpath', '-ldflags=-s -w', '-o', join(draft, 'program'), `./${path}`], { cwd: folder, timeout: 600_000, maxBuffer: 1 << 26, env })
    return 'program'
  })
}

/**
 * Installs a program of npm once a version, outside the clone, and keeps it in {@link cacheDir}.
 * @returns the path of its script
 */
export async function npmTool(program: string, pkg: string, version: string): Promise<string> {
  const folder = await kept(join(cacheDir, 'npm', `${pkg}-${version}`), async (draft) => {
    await run('npm', ['install', '--prefix', join(draft, 'whole'), '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', `${pkg}@${version}`], { timeout: 300_000 })
    return 'whole'
  })
  return join(folder, 'node_modules', '.bin', program)
}

/**
 * The files of a package of npm, once a version; also of one that npm installs on other machines only.
 * @returns their folder in {@link cacheDir}
 */
export function npmPackage(pkg: string, version: string): Promise<string> {
  return kept(join(cacheDir, 'npm-packages', `${pkg}-${version}`), async (draft) => {
    const { stdout } = await run('npm', ['pack', '--silent', '--pack-destination', draft, `${pkg}@${version}`], { timeout: 300_000 })
    await run('tar', ['-xzf', join(draft, stdout.trim()), '-C', draft])
    return 'package'
  })
}

/** Makes what is not there yet; it appears as a whole. @param make fills a draft folder and names what in it is wanted */
async function kept(place: string, make: (draft: string) => Promise<string>): Promise<string> {
  if (existsSync(place)) return place
  mkdirSync(dirname(place), { recursive: true })
  const draft = await mkdtemp(`${place}.draft-`)
  try {
    await rename(join(draft, await make(draft)), place)
  } catch (error) {
    if (!existsSync(place)) throw error
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
  return place
}

function fail(message: string): never {
  throw new Error(message)
}
