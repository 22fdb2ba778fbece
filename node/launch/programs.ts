import { Failure } from '#base/errors.ts'
import type { LaunchInput } from './plan.ts'

/** What a shell searches where the image sets no PATH. */
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Every file that a program's name may stand for, in the order of PATH. */
export function onPath(name: string, { env }: Pick<LaunchInput, 'env'>): string[] {
  return (env['PATH'] || DEFAULT_PATH).split(':').filter((folder) => folder !== '').map((folder) => `${folder}/${name}`)
}

/**
 * The first of the candidates that can be executed.
 * @param name what the error calls it
 * @throws Failure LAUNCH_NO_INTERPRETER naming every place that was looked at
 */
export function findProgram(name: string, candidates: readonly string[], { files }: Pick<LaunchInput, 'files'>, remedy = `use a base image that brings ${name}`): string {
  const found = candidates.find((path) => files.isExecutable(path))
  if (found !== undefined) return found
  throw new Failure('LAUNCH_NO_INTERPRETER', `no executable "${name}"; looked for ${candidates.join(', ')}`, { remedy })
}

/**
 * The interpreter that a key of /tars/application/server names, by path or by a name for PATH; without the key, the
 * first of the candidates.
 * @throws Failure LAUNCH_NO_INTERPRETER: one that was named is not replaced by another
 */
export function findInterpreter(key: string, name: string, candidates: readonly string[], input: LaunchInput): string {
  const named = input.setting(key) ?? ''
  if (named === '') return findProgram(name, candidates, input)
  return findProgram(named, named.includes('/') ? [named] : onPath(named, input), input, `the key /tars/application/server<${key}> names it: correct the profile, or use a base image that brings it`)
}
