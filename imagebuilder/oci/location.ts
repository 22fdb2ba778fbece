import { resolve } from 'node:path'
import { Failure } from '#base/errors.ts'
import { registryDestination, type ImageDestination } from './destination.ts'
import { archiveDestination, archiveSource } from './docker-archive.ts'
import { dockerDestination, type DockerOptions } from './docker.ts'
import { isLayout, layoutDestination, layoutSource } from './layout.ts'
import { parseReference, type ImageReference } from './reference.ts'
import type { RegistryAccess } from './session.ts'
import { registrySource, type ImageSource } from './source.ts'

/** A place of an image: a registry, an OCI layout folder, a docker-archive, or a Docker engine. */
export type ImageLocation =
  | { readonly type: 'registry'; readonly reference: ImageReference }
  | { readonly type: 'layout'; readonly dir: string; readonly tag?: string }
  | { readonly type: 'archive'; readonly file: string; readonly name?: string }
  | { readonly type: 'docker'; readonly name: string }

/**
 * `oci:<folder>[:tag]` and `docker-archive:<file>[:name[:tag]]` (relative to `cwd`), `docker:<name>[:tag]`, or an image
 * reference (the transports of containers-transports(5)).
 * @throws IMAGE_REFERENCE_INVALID
 */
export function parseLocation(text: string, cwd = '.'): ImageLocation {
  if (text.startsWith('docker:')) return { type: 'docker', name: dockerName(text.slice('docker:'.length)) }
  if (text.startsWith('docker-archive:')) return parseArchive(text, cwd)
  if (!text.startsWith('oci:')) return { type: 'registry', reference: parseReference(text) }
  const path = text.slice('oci:'.length)
  const colon = path.lastIndexOf(':')
  const tagged = colon > path.lastIndexOf('/')
  const dir = tagged ? path.slice(0, colon) : path
  if (dir === '') throw new Failure('IMAGE_REFERENCE_INVALID', `"${text}" names no folder`, { remedy: 'write oci:<folder>[:tag]' })
  return tagged ? { type: 'layout', dir: resolve(cwd, dir), tag: path.slice(colon + 1) } : { type: 'layout', dir: resolve(cwd, dir) }
}

/** An image in a registry, whatever else its name could mean: for names that others send, who have no folders and files here. @throws IMAGE_REFERENCE_INVALID */
export const inRegistry = (text: string): ImageLocation => ({ type: 'registry', reference: parseReference(text) })

/** Docker's names have a tag always. */
function dockerName(name: string): string {
  parseReference(name)
  return name.lastIndexOf(':') > name.lastIndexOf('/') ? name : `${name}:latest`
}

function parseArchive(text: string, cwd: string): ImageLocation {
  const path = text.slice('docker-archive:'.length)
  const colon = path.indexOf(':')
  const file = colon < 0 ? path : path.slice(0, colon)
  if (file === '') throw new Failure('IMAGE_REFERENCE_INVALID', `"${text}" names no file`, { remedy: 'write docker-archive:<file>[:name[:tag]]' })
  return { type: 'archive', file: resolve(cwd, file), ...(colon < 0 ? {} : { name: dockerName(path.slice(colon + 1)) }) }
}

/** As {@link parseLocation}, and a bare path of an existing layout folder is one too. */
export async function parseBase(text: string, cwd = '.'): Promise<ImageLocation> {
  return !text.startsWith('oci:') && (await isLayout(resolve(cwd, text))) ? { type: 'layout', dir: resolve(cwd, text) } : parseLocation(text, cwd)
}

/** Opens an image for reading. @throws IMAGE_REFERENCE_INVALID for a Docker engine, which gives no layers away */
export function openSource(location: ImageLocation, access: RegistryAccess): ImageSource {
  if (location.type === 'registry') return registrySource(location.reference, access)
  if (location.type === 'layout') return layoutSource(location.dir, location.tag)
  if (location.type === 'archive') return archiveSource(location.file, location.name)
  throw new Failure('IMAGE_REFERENCE_INVALID', 'an image cannot be read from a Docker engine', { remedy: 'write it to a file by "docker save", and give docker-archive:<file>' })
}

/** Opens a place for writing. */
export async function openDestination(location: ImageLocation, access: RegistryAccess, docker: DockerOptions = {}): Promise<ImageDestination> {
  if (location.type === 'registry') return registryDestination(location.reference, access)
  if (location.type === 'archive') return archiveDestination(location.file, location.name)
  return location.type === 'layout' ? layoutDestination(location.dir, location.tag ?? 'latest') : dockerDestination(location.name, docker)
}
