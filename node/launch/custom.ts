import { Failure } from '#base/errors.ts'
import { splitArgv } from './argv.ts'
import type { LaunchInput, LaunchPlan } from './plan.ts'
import { findProgram, onPath } from './programs.ts'

const ARGV = 'environment variable ServerLauncherArgv'

/** custom, not-tars: what the image says in ServerLauncherFile and ServerLauncherArgv (the first word is argv[0]). */
export function planCustom(input: LaunchInput): LaunchPlan {
  const { env, paths, files } = input
  const named = env['ServerLauncherFile']
  if (named === undefined || named === '') {
    throw new Failure('LAUNCH_NO_LAUNCHER', 'environment variable ServerLauncherFile is not set', { remedy: 'set ServerLauncherFile, and ServerLauncherArgv when it takes arguments, in the image' })
  }
  const file = named.includes('/') ? named : findProgram(named, onPath(named, input), input, 'ServerLauncherFile names it: correct it in the image')
  if (!files.isExecutable(file)) throw new Failure('LAUNCH_NO_ENTRY', `ServerLauncherFile names ${file}, which is missing or not executable`, { remedy: 'name an executable file' })
  const argv = splitArgv(env['ServerLauncherArgv'] ?? '', ARGV)
  return { file, argv: argv.length === 0 ? [named] : argv, cwd: paths.binDir, env }
}
