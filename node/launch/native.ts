import { Failure } from '#base/errors.ts'
import { join } from 'node:path'
import type { LaunchInput, LaunchPlan } from './plan.ts'

/** cpp, go, nodejs-pkg: the executable named like the server, or else the first `*Server` below bin. */
export function planNative(input: LaunchInput): LaunchPlan {
  const { paths, server, env } = input
  const file = findEntry(input)
  const libraries = [paths.binDir, join(paths.binDir, 'lib'), env['LD_LIBRARY_PATH'] ?? ''].filter((folder) => folder !== '')
  return {
    file,
    argv: [server, `--config=${paths.confFile}`],
    cwd: paths.binDir,
    env: { ...env, LD_LIBRARY_PATH: libraries.join(':') },
  }
}

/** Folders below bin that are searched for a `*Server`. */
const SEARCH_DEPTH = 4

function findEntry({ paths, server, files }: LaunchInput): string {
  const named = join(paths.binDir, server)
  if (files.isFile(named)) {
    if (files.isExecutable(named) || files.makeExecutable(named)) return named
    throw new Failure('LAUNCH_NOT_EXECUTABLE', `${named} is not executable and cannot be made so`, { remedy: 'pack the executable with mode 0755' })
  }
  const found = searchServer(paths.binDir, files, SEARCH_DEPTH)
  if (found !== undefined) return found
  throw new Failure('LAUNCH_NO_ENTRY', `no executable ${named}, and no executable file named *Server in ${paths.binDir} or below`, { remedy: `pack the executable as ${server}` })
}

function searchServer(folder: string, files: LaunchInput['files'], depth: number): string | undefined {
  const names = files.list(folder)
  const here = names.map((name) => join(folder, name)).find((path) => path.endsWith('Server') && files.isFile(path) && files.isExecutable(path))
  if (here !== undefined || depth === 0) return here
  for (const name of names) {
    const path = join(folder, name)
    const found = files.isDirectory(path) ? searchServer(path, files, depth - 1) : undefined
    if (found !== undefined) return found
  }
  return undefined
}
