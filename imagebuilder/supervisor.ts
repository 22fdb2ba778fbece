import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Failure } from '#base/errors.ts'
import type { LayerFile } from './layer.ts'
import { hostPlatform } from './oci/types.ts'

/** The layer with tarsnode, of one architecture. */
export interface SupervisorLayer extends LayerFile {
  readonly entrypoint: readonly string[]
  /** e.g. `amd64` */
  readonly architecture: string
}

/**
 * Reads the description of the supervisor's layers: `{path, digest, diffId, size, entrypoint, architecture}`, or a list of
 * such, one an architecture; `path` may be relative to the file, and the architecture is by default this machine's.
 * @throws SUPERVISOR_INVALID
 */
export async function readSupervisors(file: string): Promise<readonly SupervisorLayer[]> {
  const refuse = (why: string, cause?: unknown): never => {
    throw new Failure('SUPERVISOR_INVALID', `supervisor layer ${file}: ${why}`, { cause, remedy: 'give the JSON file that describes the layer, as "tarsk8s up" writes it' })
  }
  const text = await readFile(file, 'utf8').catch((cause: unknown) => refuse('cannot be read', cause))
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch (cause) {
    return refuse('is not JSON', cause)
  }
  const layers = (Array.isArray(document) ? document : [document]) as Partial<SupervisorLayer>[]
  if (layers.length === 0) return refuse('describes no layer')
  return layers.map(({ path, digest, diffId, size, entrypoint, architecture = hostPlatform().architecture }) => {
    if (path === undefined || digest === undefined || diffId === undefined || size === undefined) return refuse('lacks one of path, digest, diffId and size')
    if (!Array.isArray(entrypoint) || entrypoint.length === 0) return refuse('lacks the entrypoint')
    return { path: resolve(file, '..', path), digest, diffId, size, entrypoint, architecture }
  })
}
