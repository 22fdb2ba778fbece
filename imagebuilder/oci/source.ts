import { Failure } from '#base/errors.ts'
import { manifestName, formatReference, type ImageReference } from './reference.ts'
import { openRepository, type RawManifest, type Repository } from './registry.ts'
import type { KnownConfigs, RegistryAccess } from './session.ts'
import { whole } from './transport.ts'
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
  readonly configs?: KnownConfigs
  close(): void
}

/** One image of one platform, read as far as an image on top of it needs. */
export interface BaseImage {
  readonly source: ImageSource
  /** Digest of the manifest of this platform. */
  readonly digest: string
  readonly manifest: Manifest
  readonly config: ImageConfig
  readonly platform: Platform
}

const maximumConfig = 8 << 20
/** Larger configurations are not kept, nor more of them. */
const [keptBytes, mostKept] = [64 << 10, 256]

/** Tries for what is temporary at a mirror: there is another place to ask. */
const mirrorTries = 2

/**
 * An image in a registry as a source. Mirrors of the registry are asked before it, in their order, each image and blob
 * of the first that has it.
 */
export function registrySource(reference: ImageReference, access: RegistryAccess): ImageSource {
  const mirrors = (access.mirrors?.(reference.registry) ?? []).map((mirror) => openRepository(mirror, reference.repository, 'pull', { ...access, attempts: mirrorTries }))
  const origin = openRepository(reference.registry, reference.repository, 'pull', access)
  const rest = [...mirrors, origin]
  let present = rest.shift() ?? origin
  const ask = async <T>(question: (source: ImageSource) => Promise<T>): Promise<T> => {
    for (;;) {
      const asked = present
      try {
        return await question(repositorySource(asked.repository, reference))
      } catch (error) {
        if (asked === origin || !(error instanceof Failure)) throw error
        // Others may have gone on meanwhile.
        if (asked === present) present = rest.shift() ?? origin
      }
    }
  }
  return {
    name: formatReference(reference),
    get repository() {
      return { registry: present.repository.registry, name: reference.repository }
    },
    manifest: (digest, signal) => ask((source) => source.manifest(digest, signal)),
    blob: (descriptor, signal) => ask((source) => source.blob(descriptor, signal)),
    ...(access.configs && { configs: access.configs }),
    close: () => [...mirrors, origin].forEach((place) => place.close()),
  }
}

/** An image in a repository that is open already, and stays open. */
export function repositorySource(repository: Repository, reference: ImageReference): ImageSource {
  return {
    name: formatReference(reference),
    repository: { registry: reference.registry, name: reference.repository },
    manifest: (digest, signal) => repository.manifest(digest ?? manifestName(reference), signal),
    blob: (descriptor, signal) => repository.blob(descriptor, signal),
    close: () => {},
  }
}

/** What stands behind a name: an image, or a list of images of several platforms. */
export interface Named {
  readonly raw: RawManifest
  readonly document: Manifest | Index
}

/** @param digest of an image that a list names; default: what the source's own name stands for @throws IMAGE_INVALID */
export async function readManifest(source: ImageSource, digest?: string, signal?: AbortSignal): Promise<Named> {
  const raw = await source.manifest(digest, signal)
  return { raw, document: parse<Manifest | Index>(raw.body, source.name) }
}

/**
 * Reads manifest and configuration; of a manifest list, those of `platform`.
 * @param platform undefined: whatever the image is for; of a manifest list, the first
 * @throws IMAGE_PLATFORM, IMAGE_INVALID
 */
export async function readImage(source: ImageSource, platform: Platform | undefined, signal?: AbortSignal): Promise<BaseImage> {
  const { raw, document } = await readManifest(source, undefined, signal)
  if (!isIndex(raw.mediaType, document)) return checked(await completeImage(source, raw.digest, document, signal), platform === undefined ? [] : [platform])
  const { digest } = platform === undefined ? (document.manifests[0] ?? noImages(source.name)) : choosePlatform(source, document, platform)
  return readChild(source, digest, signal)
}

/**
 * Reads the images of these platforms: of a manifest list all that it has of them, and at least one; else the image, which
 * must be for one of them.
 * @param every each of the platforms must be there
 * @throws IMAGE_PLATFORM, IMAGE_INVALID
 */
export async function readImages(source: ImageSource, platforms: readonly Platform[], every: boolean, signal?: AbortSignal): Promise<readonly BaseImage[]> {
  const { raw, document } = await readManifest(source, undefined, signal)
  if (!isIndex(raw.mediaType, document)) {
    const image = await completeImage(source, raw.digest, document, signal)
    if (every) for (const platform of platforms) checked(image, [platform])
    return [checked(image, platforms)]
  }
  const found = platforms.map((platform) => choose(document, platform))
  const present = found.filter((one) => one !== undefined)
  if (present.length === 0 || (every && present.length < platforms.length)) notFor(source.name, platforms.filter((_, index) => found[index] === undefined), platformsOf(document))
  return Promise.all([...new Set(present.map(({ digest }) => digest))].map((digest) => readChild(source, digest, signal)))
}

/** An image that a list names. */
export async function readChild(source: ImageSource, digest: string, signal: AbortSignal | undefined): Promise<BaseImage> {
  const { document } = await readManifest(source, digest, signal)
  return completeImage(source, digest, document as Manifest, signal)
}

/** Reads the configuration to a manifest. @throws IMAGE_INVALID */
export async function completeImage(source: ImageSource, digest: string, manifest: Manifest, signal: AbortSignal | undefined): Promise<BaseImage> {
  if (!Array.isArray(manifest.layers) || typeof manifest.config?.digest !== 'string') throw invalid(source.name, 'its manifest has no config and layers (schema 1 images are not taken)')
  const config = parse<ImageConfig>(await readConfig(source, manifest.config, signal), source.name)
  const diffIds = config.rootfs?.diff_ids
  if (!Array.isArray(diffIds) || diffIds.length !== manifest.layers.length) throw invalid(source.name, 'its configuration does not list its layers')
  const platform = { os: config.os, architecture: config.architecture, ...(config.variant === undefined ? {} : { variant: config.variant }) }
  return { source, digest, manifest, config, platform }
}

/** @throws IMAGE_PLATFORM when the image is for none of the platforms, of which no one means any */
function checked(image: BaseImage, platforms: readonly Platform[]): BaseImage {
  const { os, architecture } = image.platform
  if (platforms.length > 0 && !platforms.some((one) => one.os === os && one.architecture === architecture)) notFor(image.source.name, platforms, [formatPlatform(image.platform)])
  return image
}

/** @throws IMAGE_PLATFORM */
export function choosePlatform(source: ImageSource, index: Index, platform: Platform): Descriptor {
  return choose(index, platform) ?? notFor(source.name, [platform], platformsOf(index))
}

function choose(index: Index, platform: Platform): Descriptor | undefined {
  const matches = index.manifests.filter((one) => one.platform === undefined || (one.platform.os === platform.os && one.platform.architecture === platform.architecture))
  return matches.find((one) => one.platform?.variant === platform.variant) ?? matches[0]
}

const platformsOf = (index: Index): string[] => index.manifests.map(({ platform }) => (platform === undefined ? 'any' : formatPlatform(platform)))

/** `linux/arm64`, `linux/arm/v7` */
export function formatPlatform({ os, architecture, variant }: Platform): string {
  return `${os}/${architecture}${variant === undefined ? '' : `/${variant}`}`
}

function noImages(name: string): never {
  throw invalid(name, 'its list of images is empty')
}

function notFor(name: string, platforms: readonly Platform[], has: readonly string[]): never {
  const wanted = platforms.map((platform) => formatPlatform(platform)).join(', ')
  throw new Failure('IMAGE_PLATFORM', `image ${name} is not for ${wanted}; it is for ${[...new Set(has)].join(', ')}`, { remedy: 'choose another base image or another platform', context: { image: name } })
}

async function readConfig(source: ImageSource, descriptor: Descriptor, signal: AbortSignal | undefined): Promise<Buffer> {
  const known = source.configs?.get(descriptor.digest)
  if (known !== undefined) return known
  // Whatever its descriptor says: what is downloaded is checked at its end only.
  const config = await whole(await source.blob(descriptor, signal), maximumConfig)
  if (config === undefined) throw invalid(source.name, `its configuration has more than ${maximumConfig} bytes`)
  if (config.length <= keptBytes) source.configs?.set(descriptor.digest, config)
  for (const digest of source.configs?.keys() ?? []) if ((source.configs?.size ?? 0) > mostKept) source.configs?.delete(digest)
  return config
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
