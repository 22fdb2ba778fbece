import { existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { Failure } from '#base/errors.ts'

/** Entry files looked for when package.json names none, in this order. */
const conventionalEntries = ['server.js', 'app.js', 'start.js', 'index.js']

interface PackageJson {
  readonly main?: unknown
  readonly scripts?: { readonly start?: unknown }
  readonly nodeAgent?: { readonly main?: unknown }
}

/**
 * The script to run for a path given to node-agent: a file is itself; a folder is asked for
 * package.json's `nodeAgent.main`, `scripts.start` (when it starts with `node `), `main`, then the
 * conventional names. The order is Tars' own (node-and-image.md C.4).
 * @throws Failure AGENT_NO_ENTRY with every place that was looked at
 */
export function findEntry(path: string, cwd: string): string {
  const target = isAbsolute(path) ? path : resolve(cwd, path)
  if (!existsSync(target)) throw noEntry(target, [target])
  if (!statSync(target).isDirectory()) return target
  const candidates = [...entriesOfPackage(target), ...conventionalEntries].map((name) => join(target, name))
  const found = candidates.map(asFile).find((file) => file !== undefined)
  if (found === undefined) throw noEntry(target, candidates)
  return found
}

function entriesOfPackage(folder: string): string[] {
  const file = join(folder, 'package.json')
  if (!existsSync(file)) return []
  const manifest = parse(file)
  const start = typeof manifest.scripts?.start === 'string' ? /^node\s+(?:--?\S+\s+)*(\S+)/.exec(manifest.scripts.start)?.[1] : undefined
  return [manifest.nodeAgent?.main, start, manifest.main].filter((name): name is string => typeof name === 'string' && name !== '')
}

function parse(file: string): PackageJson {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as PackageJson
  } catch (error) {
    throw new Failure('AGENT_BAD_PACKAGE_JSON', `${file} is not JSON`, { cause: error, remedy: 'correct package.json and release again' })
  }
}

/** A file as Node resolves a main: itself, with .js, or its index.js. */
function asFile(path: string): string | undefined {
  return [path, `${path}.js`, join(path, 'index.js')].find((candidate) => existsSync(candidate) && statSync(candidate).isFile())
}

function noEntry(target: string, looked: readonly string[]): Failure {
  return new Failure('AGENT_NO_ENTRY', `no script to run under ${dirname(join(target, '.'))}; looked for ${looked.join(', ')}`, {
    remedy: 'name it in package.json as "main" or "nodeAgent.main"',
  })
}
