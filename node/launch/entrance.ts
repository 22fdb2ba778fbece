import { Failure } from '#base/errors.ts'
import { isAbsolute, join } from 'node:path'
import type { LaunchInput } from './plan.ts'

/** How many names of the package folder an error shows. */
const SHOWN = 8

/**
 * The script to run: what the key /tars/application/server<entrance> names, else the first of `defaults` that is there;
 * relative ones in the package folder.
 * @throws Failure LAUNCH_NO_ENTRY naming every place that was looked at
 */
export function findEntrance({ setting, paths, files }: LaunchInput, defaults: readonly string[]): string {
  const named = setting('entrance') ?? ''
  const candidates = (named === '' ? defaults : [named]).map((path) => (isAbsolute(path) ? path : join(paths.binDir, path)))
  const found = candidates.find((path) => files.isFile(path))
  if (found !== undefined) return found
  const what = named === '' ? 'no script to run' : 'the script that the key /tars/application/server<entrance> names is missing'
  throw new Failure('LAUNCH_NO_ENTRY', `${what}; looked for ${candidates.join(', ')}; the package holds ${shown(files.list(paths.binDir))}`, {
    remedy: named === '' ? 'pack it under one of these names, or name it by the key entrance of the profile' : 'correct the profile or the package',
  })
}

function shown(names: readonly string[]): string {
  if (names.length === 0) return 'nothing'
  return names.slice(0, SHOWN).join(', ') + (names.length > SHOWN ? `, and ${names.length - SHOWN} more` : '')
}
