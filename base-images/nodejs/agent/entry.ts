import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { Failure } from '#base/errors.ts'

/** Entry files looked for when package.json names none, in this order. */
const conventionalEntries = ['server.js', 'app.js', 'start.js', 'index.js']
/** Folders that hold other people's packages: the dependencies, and the runtime that native packages bring. */
const foreignFolders = new Set(['node_modules', 'tars_nodejs'])
/** Where native packages keep the service, with or without package.json. */
const sourceFolder = 'src'
/** Folders below the package that are searched for a package.json. */
const searchDepth = 3

interface PackageJson {
  readonly main?: unknown
  readonly scripts?: { readonly start?: unknown }
  readonly nodeAgent?: { readonly main?: unknown }
}

/** What a worker runs. */
export interface Entry {
  readonly script: string
  /** Words after it in scripts.start. */
  readonly args: readonly string[]
}

const entry = (script: string, args: readonly string[] = []): Entry => ({ script, args })

/**
 * The script to run for a path given to node-agent: a file is itself; a folder is asked for
 * package.json's `nodeAgent.main`, `scripts.start` (when it starts with `node `), `main`, then the
 * conventional names (node-and-image.md C.4). What the folder itself does not have is looked for in the
 * folders below that have a package.json, the nearest first, as the native node does.
 * @throws Failure AGENT_NO_ENTRY with every place that was looked at
 */
export function findEntry(path: string, cwd: string): Entry {
  const target = resolve(cwd, path)
  if (!existsSync(target)) throw new Failure('AGENT_NO_ENTRY', `there is no ${target} to run`, { remedy: 'name the script or the folder of the package' })
  if (!statSync(target).isDirectory()) return entry(target)
  const looked: string[] = []
  let folders = [target]
  for (let depth = 0; depth <= searchDepth; depth++) {
    const candidates = folders.filter((folder) => folder === target || isPackage(folder, target)).flatMap(candidatesOf)
    const found = candidates.map(asFile).find((file) => file !== undefined)
    if (found !== undefined) return found
    looked.push(...candidates.map(({ script }) => script))
    folders = folders.flatMap(foldersIn)
  }
  throw noEntry(target, looked)
}

const isPackage = (folder: string, target: string): boolean => folder === join(target, sourceFolder) || existsSync(join(folder, 'package.json'))

const candidatesOf = (folder: string): Entry[] => [...entriesOfPackage(folder), ...conventionalEntries.map((name) => entry(name))].map(({ script, args }) => entry(join(folder, script), args))

function foldersIn(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true })
  return entries.filter((entry) => entry.isDirectory() && !foreignFolders.has(entry.name)).map(({ name }) => join(folder, name)).sort()
}

function entriesOfPackage(folder: string): Entry[] {
  const file = join(folder, 'package.json')
  if (!existsSync(file)) return []
  const manifest = parse(file)
  const [, start, rest = ''] = (typeof manifest.scripts?.start === 'string' && /^node\s+(?:--?\S+\s+)*(\S+)(.*)$/.exec(manifest.scripts.start)) || []
  const named = [[manifest.nodeAgent?.main, ''], [start, rest], [manifest.main, '']] as const
  return named.flatMap(([name, args]) => (typeof name === 'string' && name !== '' ? [entry(name, words(args))] : []))
}

function parse(file: string): PackageJson {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as PackageJson
  } catch (error) {
    throw new Failure('AGENT_BAD_PACKAGE_JSON', `${file} is not JSON`, { cause: error, remedy: 'correct package.json and release again' })
  }
}

/** A file as Node resolves a main: itself, with .js, or its index.js. */
function asFile({ script, args }: Entry): Entry | undefined {
  const found = [script, `${script}.js`, join(script, 'index.js')].find((candidate) => existsSync(candidate) && statSync(candidate).isFile())
  return found === undefined ? undefined : entry(found, args)
}

/** As node-agent takes them apart. */
export const words = (text: string): string[] => text.split(/\s+/).filter((word) => word !== '')

function noEntry(target: string, looked: readonly string[]): Failure {
  // Relative, because all of it has to fit into the message of a state.
  const names = looked.map((path) => relative(target, path))
  return new Failure('AGENT_NO_ENTRY', `no script to run in ${target}; looked there for ${names.join(', ')}`, {
    remedy: 'name it in package.json as "main" or "nodeAgent.main"',
  })
}
