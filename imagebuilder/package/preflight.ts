import { posix } from 'node:path'
import { serverTypes } from '#api/schema/others.ts'
import { Failure } from '#base/errors.ts'
import type { Candidate, Inventory } from './inventory.ts'

/** Server types whose package is built here (TImage.build.running.serverType, CRD enum). */
export { serverTypes }
export type ServerType = (typeof serverTypes)[number]

/** What the base image is there for. */
export interface BasePlatforms {
  /** e.g. `amd64`. An executable needs one of them. */
  readonly architectures: readonly string[]
  /** The image was asked for on each of them. */
  readonly everyArchitecture?: boolean
}

export interface Expectation {
  readonly serverType: ServerType
  readonly server: string
  /** The server's name came without its upper case: letters are compared regardless of it. */
  readonly anyCase?: boolean
  /** Scripts that a php or python server may be started from by the key entrance of its profile, besides the usual ones. */
  readonly entrances?: readonly string[]
}

const nodeEntries = ['package.json', 'server.js', 'app.js', 'start.js', 'index.js']
/** node-agent looks for a package.json in folders below too, but not in these. */
const foreignFolders = new Set(['node_modules', 'tars_nodejs'])
/** What tarsnode starts when the key entrance names nothing else. */
const scripts = {
  php: (): string[] => ['src/index.php'],
  python: (server: string): string[] => [`${server}.py`, 'main.py', 'src/main.py', 'app.py'],
} as const
const native: ReadonlySet<ServerType> = new Set(['cpp', 'go', 'nodejs-pkg'])

/** True for a file that a server of this type and name may be started from: `<Server>`, else any `*Server` (spec A.4). */
export function isCandidate(expected: Pick<Expectation, 'serverType' | 'server' | 'anyCase'>): (path: string) => boolean {
  if (!native.has(expected.serverType)) return () => false
  return (path) => names(path, expected.server, expected) || path.endsWith('Server')
}

/** True for the jar that a server of type java-jar is started from. */
export function isServerJar(path: string, expected: Pick<Expectation, 'serverType' | 'server' | 'anyCase'>): boolean {
  return expected.serverType === 'java-jar' && names(path, `${expected.server}.jar`, expected)
}

function names(path: string, file: string, { anyCase }: Pick<Expectation, 'anyCase'>): boolean {
  return anyCase === true ? path.toLowerCase() === file.toLowerCase() : path === file
}

/**
 * Refuses a package that could not start, before its image is published: what its type needs at
 * /usr/local/server/bin must be there, and an executable must be for an architecture of the base image.
 * @throws PACKAGE_NO_EXECUTABLE, PACKAGE_ARCHITECTURE, PACKAGE_LAYOUT
 */
export function preflight(inventory: Inventory, expected: Expectation & BasePlatforms): Needs {
  checks[expected.serverType](inventory, expected)
  const executable = native.has(expected.serverType) ? chooseExecutable(inventory, expected) : undefined
  const architecture = executable?.elf?.architecture
  const libraries = new Set(executable?.linked)
  if (libraries.size > 0) for (const path of inventory.paths) libraries.delete(path.slice(path.lastIndexOf('/') + 1))
  return { libraries: [...libraries], ...(architecture === undefined ? {} : { architecture }) }
}

/** What a package needs of the base image. */
export interface Needs {
  /** What the executable is linked with and the package does not bring: file names of loader and libraries. */
  readonly libraries: readonly string[]
  /** The one that the executable is for; undefined for what runs on each. */
  readonly architecture?: string
}

const checks: Readonly<Record<ServerType, (inventory: Inventory, expected: Expectation & BasePlatforms) => void>> = {
  cpp: checkNative,
  go: checkNative,
  'nodejs-pkg': checkNative,
  nodejs: (inventory) => {
    const entries = [...nodeEntries, ...nodeEntries.map((name) => `src/${name}`)]
    if (entries.some((name) => isFile(inventory, name)) || hasPackageBelow(inventory)) return
    lacks(inventory, 'nodejs', `${nodeEntries.join(', ')} (one of them), at its root or in src, and any folder with a package.json`)
  },
  'java-jar': (inventory, expected) => {
    const jar = `${expected.server}.jar`
    if (![...inventory.paths].some((path) => names(path, jar, expected) && isFile(inventory, path))) lacks(inventory, 'java-jar', jar)
  },
  'java-war': (inventory) => {
    if (inventory.kind('WEB-INF') !== 'directory') lacks(inventory, 'java-war', 'WEB-INF/')
  },
  php: (inventory, expected) => checkScript('php', inventory, expected),
  python: (inventory, expected) => checkScript('python', inventory, expected),
}

/** A script outside of the package is the base image's. */
function checkScript(type: keyof typeof scripts, inventory: Inventory, expected: Expectation): void {
  const entries = [...(expected.entrances ?? []), ...scripts[type](expected.server)].map((path) => posix.normalize(path))
  if (entries.some((entry) => entry.startsWith('/') || [...inventory.paths].some((path) => names(path, entry, expected) && isFile(inventory, path)))) return
  lacks(inventory, type, entries.length === 1 ? (entries[0] ?? '') : `${entries.join(', ')} (one of them)`, "check the server type and how the package was made; where the key entrance of the server's profile names another script, say it by --entrance, or the form field Entrance")
}

function hasPackageBelow(inventory: Inventory): boolean {
  return [...inventory.paths].some((path) => path.endsWith('/package.json') && !path.split('/').some((part) => foreignFolders.has(part)))
}

function isFile(inventory: Inventory, path: string): boolean {
  const kind = inventory.kind(path)
  return kind !== undefined && kind !== 'directory'
}

/** `<Server>` itself, else the first runnable `*Server` by path, as tarsnode chooses. */
function chooseExecutable(inventory: Inventory, expected: Expectation): Candidate | undefined {
  const own = inventory.candidates.find((candidate) => names(candidate.path, expected.server, expected))
  if (own !== undefined) return own
  const others = inventory.candidates.filter((candidate) => candidate.executable && (candidate.elf !== undefined || candidate.script !== undefined))
  return others.sort((a, b) => (a.path < b.path ? -1 : 1))[0]
}

function checkNative(inventory: Inventory, expected: Expectation & BasePlatforms): void {
  const { serverType, server } = expected
  // A link named <Server> within the package is as good as the file.
  if (inventory.kind(server) === 'symlink') return
  const chosen = chooseExecutable(inventory, expected)
  if (chosen === undefined) {
    throw new Failure('PACKAGE_NO_EXECUTABLE', `the ${serverType} package has no executable "${server}" (nor any "*Server"); at its root are: ${roots(inventory)}`, { remedy: `name the executable "${server}" and put it at the root of the package or of its one top folder`, context: { server, serverType } })
  }
  if (chosen.script?.endsWith('\r') === true) {
    throw new Failure('PACKAGE_NO_EXECUTABLE', `the script "${chosen.path}" has lines that end in CR LF, and Linux would take "#!${chosen.script.slice(0, -1)}\\r" by the letter`, { remedy: 'save it with lines that end in LF alone', context: { server, path: chosen.path } })
  }
  if (chosen.script !== undefined) return
  if (chosen.elf === undefined || chosen.elf.kind === 'other' || chosen.elf.kind === 'core') {
    throw new Failure('PACKAGE_NO_EXECUTABLE', `"${chosen.path}" is neither a Linux (ELF) executable nor a script with "#!"`, { remedy: 'build the server for Linux', context: { server, path: chosen.path } })
  }
  checkArchitecture(chosen.path, chosen.elf.architecture, expected)
}

function checkArchitecture(path: string, own: string, { architectures, everyArchitecture = false }: BasePlatforms): void {
  if (everyArchitecture ? architectures.every((one) => one === own) : architectures.includes(own)) return
  const base = architectures.join(' and ')
  const remedy = everyArchitecture && architectures.length > 1 ? `give linux/${own} as the only platform` : `build the server for linux/${architectures[0]}, or choose a base image for ${own}`
  throw new Failure('PACKAGE_ARCHITECTURE', `executable "${path}" is for ${own}, the base image for ${base}`, { remedy, context: { path, package: own, base } })
}

function lacks(inventory: Inventory, serverType: ServerType, what: string, remedy = 'check the server type and how the package was made'): never {
  throw new Failure('PACKAGE_LAYOUT', `the ${serverType} package lacks ${what}; at its root are: ${roots(inventory)}`, { remedy, context: { serverType, what } })
}

const shownNames = 12

function roots(inventory: Inventory): string {
  const names = [...inventory.paths].filter((path) => !path.includes('/')).sort()
  const more = names.length > shownNames ? `, and ${names.length - shownNames} more` : ''
  return names.length === 0 ? 'nothing' : names.slice(0, shownNames).join(', ') + more
}
