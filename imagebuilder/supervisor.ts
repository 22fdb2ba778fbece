import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { Failure } from '#base/errors.ts'
import type { LayerFile } from './layer.ts'

export type SupervisorLayer = LayerFile & { readonly entrypoint: readonly string[] }

/** Reads the description of the supervisor's layer: `{path, digest, diffId, size, entrypoint}`; `path` may be relative to the file. @throws SUPERVISOR_INVALID */
export async function readSupervisor(file: string): Promise<SupervisorLayer> {
  const refuse = (why: string, cause?: unknown): never => {
    throw new Failure('SUPERVISOR_INVALID', `supervisor layer ${file}: ${why}`, { cause, remedy: 'give the JSON file that describes the layer, as "tarsk8s up" writes it' })
  }
  const text = await readFile(file, 'utf8').catch((cause: unknown) => refuse('cannot be read', cause))
  let layer: Partial<SupervisorLayer>
  try {
    layer = JSON.parse(text) as Partial<SupervisorLayer>
  } catch (cause) {
    return refuse('is not JSON', cause)
  }
  const { path, digest, diffId, size, entrypoint } = layer
  if (path === undefined || digest === undefined || diffId === undefined || size === undefined) return refuse('lacks one of path, digest, diffId and size')
  if (!Array.isArray(entrypoint) || entrypoint.length === 0) return refuse('lacks the entrypoint')
  return { path: resolve(file, '..', path), digest, diffId, size, entrypoint }
}
