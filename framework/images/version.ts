import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '#base/errors.ts'

/** Of the repository (package.json): what images and charts are tagged with when nothing else is said. */
export async function ownVersion(): Promise<string> {
  return (JSON.parse(await readFile(join(import.meta.dirname, '../../package.json'), 'utf8')) as { readonly version: string }).version
}

/** Semantic Versioning 2.0.0 without build metadata, whose "+" no image tag can have. */
const semantic = /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$/

/**
 * A version serves as tag of images, release id of the framework's servers and version of the charts.
 * @throws Failure VERSION_INVALID
 */
export function checkVersion(version: string): string {
  if (semantic.test(version) && version.length <= 63) return version
  throw new Failure('VERSION_INVALID', `"${version}" is no version`, { remedy: 'give one as 1.2.3 or 1.2.3-rc.1' })
}
