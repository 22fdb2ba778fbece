import type { ImageDestination, KnownBlob, Placement } from './oci/destination.ts'
import type { RawManifest } from './oci/registry.ts'
import { choosePlatform, readManifest, type ImageSource } from './oci/source.ts'
import { hostPlatform, isIndex, mediaTypes, type Descriptor, type Manifest, type Platform } from './oci/types.ts'

export interface CopiedImage {
  readonly image: string
  readonly digest: string
  readonly layers: readonly { readonly digest: string; readonly size: number; readonly placement: Placement }[]
}

export interface CopyOptions {
  /** Only this one of a list of images. Default: the whole list where the destination takes one, else this machine's. */
  readonly platform?: Platform
  readonly signal?: AbortSignal
}

/**
 * Copies an image as it is, byte for byte: a list of images with all of them. What the destination has is not sent; the
 * name is written last.
 * @throws IMAGE_*, REGISTRY_*, LAYOUT_*, ARCHIVE_*, DOCKER_*
 */
export async function copyImage(source: ImageSource, destination: ImageDestination, { platform, signal }: CopyOptions = {}): Promise<CopiedImage> {
  const placed = new Map<string, CopiedImage['layers'][number]>()
  const blobs = (manifest: Manifest): Promise<void> => placeBlobs(source, manifest, destination, placed, signal)
  const { raw, document } = await readManifest(source, undefined, signal)
  const top = isIndex(raw.mediaType, document) && (platform !== undefined || destination.publishPart === undefined) ? await readManifest(source, choosePlatform(source, document, platform ?? hostPlatform()).digest, signal) : { raw, document }
  if (isIndex(top.raw.mediaType, top.document)) {
    for (const { digest } of top.document.manifests) {
      const child = await readManifest(source, digest, signal)
      await blobs(child.document as Manifest)
      await destination.publishPart?.(typed(child.raw), signal)
    }
  } else await blobs(top.document)
  await destination.publish(typed(top.raw), signal)
  return { image: destination.image, digest: top.raw.digest, layers: [...placed.values()] }
}

async function placeBlobs(source: ImageSource, { config, layers }: Manifest, destination: ImageDestination, placed: Map<string, CopiedImage['layers'][number]>, signal: AbortSignal | undefined): Promise<void> {
  const place = (descriptor: Descriptor): Promise<Placement> => {
    const { repository } = source
    const mountFrom = repository !== undefined && repository.registry === destination.registry ? [repository.name] : []
    const blob: KnownBlob = { descriptor, what: `blob ${descriptor.digest}`, mountFrom, open: () => source.blob(descriptor, signal) }
    return destination.place(blob, signal)
  }
  for (const layer of layers) {
    // Foreign layers are in no registry.
    if (layer.urls !== undefined || placed.has(layer.digest)) continue
    placed.set(layer.digest, { digest: layer.digest, size: layer.size, placement: await place(layer) })
  }
  await place(config)
}

/** A manifest without a type of its own, as some layouts have, is one of OCI. */
const typed = ({ mediaType, body }: RawManifest): { mediaType: string; body: Buffer } => ({ mediaType: mediaType === '' ? mediaTypes.ociManifest : mediaType, body })
