import { existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { copyStripped } from '#base/elf.ts'
import { Failure } from '#base/errors.ts'
import { BUNDLE, PARTS } from './build.ts'
import { launcher } from './launcher.ts'
import { launcherPath, loaderName, supervisorCommand, SUPERVISOR_DIR, type Architecture } from './layout.ts'

/** One file of an image layer. */
export interface LayerFile {
  /** Absolute path in the image. */
  readonly path: string
  readonly mode: number
  /** The file whose content it gets, */
  readonly source?: string
  /** or the content. */
  readonly content?: Buffer
}

export interface SupervisorSources {
  /** The bundle that build.ts made; its parts are beside it. */
  readonly bundle: string
  /** A folder with glibc's loader and {@link RUNTIME_LIBRARIES}, flat or below lib/… as Debian's packages have it. */
  readonly glibc: string
  readonly arch?: Architecture
  /** The folder of the runtime's package; default: the one that the lock file pins, which npm installs for its own machine alone. */
  readonly runtime?: string
  /** The folder in which the stripped runtime is kept, once a version; default: beside the bundle. */
  readonly kept?: string
}

/** What the pinned runtime is linked against. */
export const RUNTIME_LIBRARIES = ['libc.so.6', 'libm.so.6', 'libdl.so.2', 'libpthread.so.0', 'libatomic.so.1', 'libstdc++.so.6', 'libgcc_s.so.1'] as const

/** Libraries that glibc opens by itself to resolve names. Where they are missing, names come from the files that glibc has built in. */
const NAME_SERVICE_LIBRARIES = ['libnss_files.so.2', 'libnss_dns.so.2', 'libresolv.so.2'] as const

/**
 * The files of the supervisor's layer: launcher, runtime, loader, libraries and bundle, all below /tarsnode; sorted by path.
 * @throws Failure SUPERVISOR_FILE naming what is missing
 */
export function supervisorFiles({ bundle, glibc, arch = 'x64', runtime, kept = dirname(bundle) }: SupervisorSources): readonly LayerFile[] {
  const need = (source: string | undefined, what: string): string => {
    if (source !== undefined && existsSync(source)) return realpathSync(source)
    throw new Failure('SUPERVISOR_FILE', `the supervisor's ${what} is missing${source === undefined ? ` in ${glibc}` : `: no ${source}`}`, { remedy: 'install the packages of the lock file and build the supervisor' })
  }
  const loader = loaderName(arch)
  const library = (name: string, mode: number): LayerFile => ({ path: `${SUPERVISOR_DIR}/lib/${name}`, mode, source: need(locate(glibc, name), `library ${name}`) })
  const manifest = runtime === undefined ? pinnedRuntime(arch) : join(runtime, 'package.json')
  const optional = NAME_SERVICE_LIBRARIES.filter((name) => locate(glibc, name) !== undefined)
  const files: LayerFile[] = [
    { path: launcherPath(), mode: 0o755, content: launcher(arch, supervisorCommand(arch), { hides: true }) },
    { path: `${SUPERVISOR_DIR}/bin/node`, mode: 0o755, source: strippedRuntime(need(manifest, 'runtime'), kept) },
    { path: `${SUPERVISOR_DIR}/${BUNDLE}`, mode: 0o644, source: need(bundle, 'bundle') },
    ...readdirSync(join(dirname(need(bundle, 'bundle')), PARTS)).map((name) => ({ path: `${SUPERVISOR_DIR}/${PARTS}/${name}`, mode: 0o644, source: join(dirname(bundle), PARTS, name) })),
    library(loader, 0o755),
    ...[...RUNTIME_LIBRARIES, ...optional].map((name) => library(name, 0o644)),
  ]
  return files.sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** The package.json of the runtime that the lock file pins. */
function pinnedRuntime(arch: Architecture): string | undefined {
  try {
    return createRequire(import.meta.url).resolve(`node-linux-${arch}/package.json`)
  } catch {
    return undefined
  }
}

/** The package's runtime without its symbols, which are a fifth of it; made once a version. */
function strippedRuntime(manifest: string, folder: string): string {
  const { name, version } = JSON.parse(readFileSync(manifest, 'utf8')) as { name: string; version: string }
  const path = join(folder, `${name}-${version}`)
  if (!existsSync(path)) copyStripped(join(dirname(manifest), 'bin', 'node'), path)
  return path
}

/** A library by name in a folder or below it. */
function locate(folder: string, name: string): string | undefined {
  if (existsSync(join(folder, name))) return join(folder, name)
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true })
  const found = entries.find((entry) => entry.name === name && !entry.isDirectory())
  return found === undefined ? undefined : join(found.parentPath, found.name)
}
