import { resolve } from 'node:path'
import { Failure } from '#base/errors.ts'
import type { ImageDestination } from './destination.ts'
import { registryDestination } from './destination.ts'
import { dockerDestination, type DockerOptions } from './docker.ts'
import { isLayout, layoutDestination, layoutSource } from './layout.ts'
import { parseReference, type ImageReference } from './reference.ts'
import type { RegistryAccess } from './session.ts'
import { registrySource, type ImageSource } from './source.ts'

/** A place of an image: a registry, an OCI layout folder, or a Docker engine. */
export type ImageLocation =
  | { readonly type: 'registry'; readonly reference: ImageReference }
  | { readonly type: 'layout'; readonly dir: string; readonly tag?: string }
  | { readonly type: 'docker'; readonly name: string }

/** `oci:<folder>[:tag]` (relative to `cwd`), `docker:<name>[:tag]`, or an image reference. @throws IMAGE_REFERENCE_INVALID */
export function parseLocation(text: string, cwd = '.'): ImageLocation {
  if (text.startsWith('docker:')) {
    const name = text.slice('docker:'.length)
    parseReference(name)
    return { type: 'docker', name: name.lastIndexOf(':') > name.lastIndexOf('/') ? name : `${name}:latest` }
  }
  if (!text.startsWith('oci:')) return { type: 'registry', reference: parseReference(text) }
  const path = text.slice('oci:'.length)
  const colon = path.lastIndexOf(':')
  const tagged = colon > path.lastIndexOf('/')
  const dir = tagged ? path.slice(0, colon) : path
  if (dir === '') throw new Failure('IMAGE_REFERENCE_INVALID', `"${text}" names no folder`, { remedy: 'write oci:<folder>[:tag]' })
  return tagged ? { type: 'layout', dir: resolve(cwd, dir), tag: path.slice(colon + 1) } : { type: 'layout', dir: resolve(cwd, dir) }
}

/** As {@link parseLocation}, and a bare path of an existing layout folder is one too. */
export async function parseBase(text: string, cwd = '.'): Promise<ImageLocation> {
  return !text.startsWith('oci:') && (await isLayout(resolve(cwd, text))) ? { type: 'layout', dir: resolve(cwd, text) } : parseLocation(text, cwd)
}

/** Opens an image for reading. @throws IMAGE_REFERENCE_INVALID for a Docker engine, which gives no layers away */
export function openSource(location: ImageLocation, access: RegistryAccess): ImageSource {
  if (location.type === 'registry') return registrySource(location.reference, access)
  if (location.type === 'layout') return layoutSource(location.dir, location.tag)
  throw new Failure('IMAGE_REFERENCE_INVALID', 'a base image cannot be read from a Docker engine', { remedy: 'push it to a registry or save it as an OCI layout' })
}

/** Opens a place for writing. */
export async function openDestination(location: ImageLocation, access: RegistryAccess, docker: DockerOptions = {}): Promise<ImageDestination> {
  if (location.type === 'registry') return registryDestination(location.reference, access)
  return location.type === 'layout' ? layoutDestination(location.dir, location.tag ?? 'latest') : dockerDestination(location.name, docker)
}
