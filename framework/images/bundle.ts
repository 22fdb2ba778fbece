import { join } from 'node:path'
import { build, type Plugin } from 'rolldown'

/** The file of the bundle that the runtime is started with. */
export const bundleEntry = 'main.mjs'

/** Files that something is started with: the process, and its threads. */
const entries = { main: 'main.ts', 'store-worker': 'lib/store/sqlite/worker.ts', 'stat-keeper': 'stat/stat-keeper.ts', 'property-keeper': 'property/property-keeper.ts', 'trace-index': 'log/trace/index-thread.ts' }

/** Rooms whose commands build from the sources, which are in no image. */
const fromSources = /\/framework\/(local|images|charts)\//

/** Stands for such a room: its commands say where they are to be had. */
const away = `export async function run(_args, { err }) {
  err.write('tarsk8s: this command works from a clone of the repository, not in the framework image\\n')
  return 1
}
`

/** Stands for the way to a Docker engine, which no pod has. */
const noEngine = `import { Failure } from '#base/errors.ts'
export async function dockerDestination(name) {
  throw new Failure('DOCKER_UNREACHABLE', 'the framework image has no way to a Docker engine, which is to load ' + name, { remedy: 'name a registry, or build from a clone of the repository' })
}
`

/** What stands for the modules that are left out. */
const standIns: readonly (readonly [module: RegExp, code: string])[] = [[fromSources, away], [/\/imagebuilder\/oci\/docker\.ts$/, noEngine]]

const leaveOut: Plugin = {
  name: 'leave-out',
  load(id) {
    const code = standIns.find(([module]) => module.test(id))?.[1]
    return code === undefined ? null : { code, moduleType: 'js' }
  },
}

/** One file of the bundle. */
export interface BundleFile {
  readonly name: string
  readonly code: string
}

/**
 * The dispatcher with all roles and the commands that need nothing but a cluster, as ES modules that need no package: a
 * role loads its own chunks only. The same sources give the same bytes.
 */
export async function bundleFramework(): Promise<readonly BundleFile[]> {
  const { output } = await build({
    cwd: join(import.meta.dirname, '../..'),
    input: Object.fromEntries(Object.entries(entries).map(([name, file]) => [name, join(import.meta.dirname, '..', file)])),
    platform: 'node',
    tsconfig: false,
    write: false,
    plugins: [leaveOut],
    output: { format: 'esm', minify: true, entryFileNames: '[name].mjs', chunkFileNames: '[name]-[hash].mjs' },
    logLevel: 'warn',
  })
  return output.flatMap((part) => (part.type === 'chunk' ? [{ name: part.fileName, code: part.code }] : []))
}
