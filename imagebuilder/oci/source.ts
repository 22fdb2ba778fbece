import type { Readable } from 'node:stream'
import { Failure } from '#base/errors.ts'
import { manifestName, formatReference, type ImageReference } from './reference.ts'
import { openRepository, type RawManifest, type Repository } from './registry.ts'
import type { RegistryAccess } from './session.ts'
import { isIndex, type Descriptor, type ImageConfig, type Index, type Manifest, type Platform } from './types.ts'

/** Where images are read from: a registry or an OCI layout. */
export interface ImageSource {
  /** For errors and annotations, e.g. `registry.example/tars/base:1`. */
  readonly name: string
  /** The repository whose blobs can be mounted, when the source is a registry. */
  readonly repository?: { readonly registry: string; readonly name: string }
  /** The manifest or index that the name stands for, or one that it lists, by digest. */
  manifest(digest?: string, signal?: AbortSignal): Promise<RawManifest>
  /** A blob's bytes; the stream fails when they do not match the digest. */
  blob(descriptor: Descriptor, signal?: AbortSignal): Promise<AsyncIterable<Buffer>>
  close(): void
}

/** One image of one platform, read as far as an image on top of it needs. */
export interface BaseImage {
  readonly source: ImageSource
  /** Digest of the manifest of this platform. */
  readonly digest: string
  readonly manifest: Manifest
  readonly config: ImageConfig
}

const maximumConfig = 8 << 20

/** An image in a registry as a source. */
export function registrySource(reference: ImageReference, access: RegistryAccess): ImageSource {
  const { repository, close } = openRepository(reference.registry, reference.repository, 'pull', access)
  return { ...repositorySource(repository, reference), close }
}

/** An image in a repository that is open already, and stays open. */
export function repositorySource(repository: Repository, reference: ImageReference): ImageSource {
  return {
    name: formatReference(reference),
    repository: { registry: reference.registry, name: reference.repository },
    manifest: (digest, signal) => repository.manifest(digest ?? manifestName(reference), signal),
    blob: async (descriptor, signal) => (await repository.blob(descriptor, signal)) as AsyncIterable<Buffer> & Readable,
    close: () => {},
  }
}

/**
 * Reads manifest and configuration; of a manifest list, those of `platform`.
 * @param platform undefined: whatever the image is for; of a manifest list, the first
 * @throws IMAGE_PLATFORM, IMAGE_INVALID
 */
export async function readImage(source: ImageSource, platform: Platform | undefined, signal?: AbortSignal): Promise<BaseImage> {
  const raw = await source.manifest(undefined, signal)
  const document = parse<Manifest | Index>(raw.body, source.name)
  if (!isIndex(raw.mediaType, document)) return complete(source, { digest: raw.digest, manifest: document }, platform, signal)
  const { digest } = choose(document, platform, source.name)
  const child = await source.manifest(digest, signal)
  return complete(source, { digest, manifest: parse<Manifest>(child.body, source.name) }, platform, signal)
}

async function complete(source: ImageSource, { digest, manifest }: Pick<BaseImage, 'digest' | 'manifest'>, platform: Platform | undefined, signal: AbortSignal | undefined): Promise<BaseImage> {
  if (!Array.isArray(manifest.layers) || typeof manifest.config?.digest !== 'string') throw invalid(source.name, 'its manifest has no config and layers (schema 1 images are not taken)')
  const config = parse<ImageConfig>(await readBlob(source, manifest.config, signal), source.name)
  const diffIds = config.rootfs?.diff_ids
  if (!Array.isArray(diffIds) || diffIds.length !== manifest.layers.length) throw invalid(source.name, 'its configuration does not list its layers')
  if (platform === undefined) return { source, digest, manifest, config }
  if (config.os !== platform.os || config.architecture !== platform.architecture) throw platformFailure(source.name, platform, [`${config.os}/${config.architecture}`])
  return { source, digest, manifest, config }
}

function choose(index: Index, platform: Platform | undefined, name: string): Descriptor {
  if (platform === undefined) return index.manifests[0] ?? noImages(name)
  const matches = index.manifests.filter((one) => one.platform === undefined || (one.platform.os === platform.os && one.platform.architecture === platform.architecture))
  const exact = matches.find((one) => one.platform?.variant === platform.variant)
  const found = exact ?? matches[0]
  if (found === undefined) throw platformFailure(name, platform, index.manifests.map((one) => `${one.platform?.os}/${one.platform?.architecture}`))
  return found
}

function noImages(name: string): never {
  throw invalid(name, 'its list of images is empty')
}

function platformFailure(name: string, platform: Platform, has: readonly string[]): Failure {
  return new Failure('IMAGE_PLATFORM', `image ${name} is not for ${platform.os}/${platform.architecture}; it is for ${[...new Set(has)].join(', ')}`, { remedy: 'choose another base image or another platform', context: { image: name } })
}

/** A small blob as a whole. */
async function readBlob(source: ImageSource, descriptor: Descriptor, signal: AbortSignal | undefined): Promise<Buffer> {
  if (descriptor.size > maximumConfig) throw invalid(source.name, `its configuration has ${descriptor.size} bytes`)
  const parts: Buffer[] = []
  for await (const part of await source.blob(descriptor, signal)) parts.push(part)
  return Buffer.concat(parts)
}

function invalid(name: string, why: string): Failure {
  return new Failure('IMAGE_INVALID', `image ${name} cannot be used: ${why}`, { remedy: 'push the image again with a current tool', context: { image: name } })
}

function parse<T>(body: Buffer, name: string): T {
  try {
    return JSON.parse(body.toString('utf8')) as T
  } catch (cause) {
    throw new Failure('IMAGE_INVALID', `image ${name} has a document that is not JSON`, { cause, remedy: 'push the image again', context: { image: name } })
  }
}
