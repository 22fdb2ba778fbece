import type { KeyObject } from 'node:crypto'
import { imageConfig, imageIndex, imageManifest, type AddedLayer, type ImageFacts, type StoredDocument } from './config.ts'
import type { StoredManifest } from './oci/destination.ts'
import type { BaseImage } from './oci/source.ts'
import { attach } from './oci/referrers.ts'
import type { Repository } from './oci/registry.ts'
import type { Descriptor } from './oci/types.ts'
import { billType } from './sbom/bill.ts'
import { signImage } from './signing/sign.ts'

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
  publish(manifest: StoredManifest, signal?: AbortSignal): Promise<unknown>
  publishPart?(manifest: StoredManifest, signal?: AbortSignal): Promise<unknown>
}

/** What stands beside an image, for a registry. */
export interface Attachments {
  /** The bill of materials. */
  readonly bill?: Buffer | undefined
  /** Signs the image. */
  readonly signingKey?: KeyObject | undefined
}

/** Writes what refers to an image before the image's name is, so that whoever sees the one finds the other. */
export async function attachAll(repository: Repository, subject: Descriptor, { bill, signingKey }: Attachments, signal?: AbortSignal): Promise<void> {
  if (bill !== undefined) await attach(repository, subject, { type: billType, content: bill }, signal)
  if (signingKey !== undefined) await signImage(repository, subject.digest, signingKey, signal)
}

/** Writes the name of a release last: one image as it is, several as a list. @returns what the name stands for */
export async function publishImages(images: readonly ReleaseImage[], facts: Omit<ImageFacts, 'entrypoint'>, to: Publisher, signal?: AbortSignal, attaching?: (subject: Descriptor) => Promise<void>): Promise<Descriptor> {
  const top = topOf(images, facts)
  if (images.length > 1) for (const { manifest } of images) await to.publishPart?.({ mediaType: manifest.descriptor.mediaType, body: manifest.body }, signal)
  await attaching?.(top.descriptor)
  await to.publish({ mediaType: top.descriptor.mediaType, body: top.body }, signal)
  return top.descriptor
}

/** The manifest of one image, or the list of several. */
export function topOf(images: readonly ReleaseImage[], facts: Omit<ImageFacts, 'entrypoint'>): StoredDocument {
  const [first, ...others] = images
  if (first === undefined) throw new TypeError('a release without an image')
  return others.length === 0 ? first.manifest : imageIndex(images.map(({ manifest, base }) => ({ descriptor: manifest.descriptor, platform: base.platform })), facts)
}
