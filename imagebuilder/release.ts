import { imageConfig, imageIndex, imageManifest, type AddedLayer, type ImageFacts, type StoredDocument } from './config.ts'
import type { StoredManifest } from './oci/destination.ts'
import type { BaseImage } from './oci/source.ts'
import type { Descriptor } from './oci/types.ts'

/** One platform's image of a release, ready to be stored. */
export interface ReleaseImage {
  readonly base: BaseImage
  readonly config: StoredDocument
  readonly manifest: StoredDocument
}

/** Base, and these layers on it. */
export function composeRelease(base: BaseImage, added: readonly AddedLayer[], facts: ImageFacts): ReleaseImage {
  const config = imageConfig(base, added, facts)
  return { base, config, manifest: imageManifest(base, config.descriptor, added, facts) }
}

/** Where manifests go: see ImageDestination. */
interface Publisher {
  publish(manifest: StoredManifest, signal?: AbortSignal): Promise<void>
  publishPart?(manifest: StoredManifest, signal?: AbortSignal): Promise<void>
}

/** Writes the name of a release last: one image as it is, several as a list. @returns what the name stands for */
export async function publishImages(images: readonly ReleaseImage[], facts: Omit<ImageFacts, 'entrypoint'>, to: Publisher, signal?: AbortSignal): Promise<Descriptor> {
  const top = topOf(images, facts)
  if (images.length > 1) for (const { manifest } of images) await to.publishPart?.({ mediaType: manifest.descriptor.mediaType, body: manifest.body }, signal)
  await to.publish({ mediaType: top.descriptor.mediaType, body: top.body }, signal)
  return top.descriptor
}

/** The manifest of one image, or the list of several. */
export function topOf(images: readonly ReleaseImage[], facts: Omit<ImageFacts, 'entrypoint'>): StoredDocument {
  const [first, ...others] = images
  if (first === undefined) throw new TypeError('a release without an image')
  return others.length === 0 ? first.manifest : imageIndex(images.map(({ manifest, base }) => ({ descriptor: manifest.descriptor, platform: base.platform })), facts)
}
