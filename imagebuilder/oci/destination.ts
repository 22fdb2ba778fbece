import { Failure } from '#base/errors.ts'
import { retry } from '#base/retry.ts'
import { digestOf } from './digest.ts'
import type { ImageReference } from './reference.ts'
import { openRepository, type Repository } from './registry.ts'
import type { RegistryAccess } from './session.ts'
import type { Descriptor } from './types.ts'
import type { BlobWriter } from './upload.ts'

/** How a blob came to be at the destination. */
export type Placement = 'present' | 'mounted' | 'copied'

/** A blob whose digest is known, and how to get its bytes should they be needed. */
export interface KnownBlob {
  readonly descriptor: Descriptor
  /** For errors, e.g. `the supervisor layer`. */
  readonly what: string
  /** Repositories of the same registry that have it. */
  readonly mountFrom?: readonly string[]
  open(): Promise<AsyncIterable<Buffer> | Iterable<Buffer>>
  /** All of it, where it is small and hardly there yet: it is sent without asking. */
  readonly content?: Buffer
}

/** A manifest, or a list of images. */
export interface StoredManifest {
  readonly mediaType: string
  readonly body: Buffer
}

/** Where an image goes. Nothing of it can be seen there before putManifest. */
export interface ImageDestination {
  /** The image's name there, for people and for TImage releases. */
  readonly image: string
  /** Registry host when it is one: blobs of its other repositories can be mounted. */
  readonly registry?: string
  /** The repository, when it is one: what refers to an image lies beside it. */
  readonly repository?: Repository
  /** Puts a blob there unless it is there already. */
  place(blob: KnownBlob, signal?: AbortSignal): Promise<Placement>
  /** Begins a blob whose digest is known at its end. */
  startBlob(what: string, signal?: AbortSignal): Promise<BlobWriter>
  /** Makes the image visible; the manifest's blobs must all be there. */
  publish(manifest: StoredManifest, signal?: AbortSignal): Promise<unknown>
  /** Stores an image under its digest alone, for the list of images that is published next; missing where there are no lists. */
  publishPart?(manifest: StoredManifest, signal?: AbortSignal): Promise<unknown>
  /** Releases connections and drafts; after publish or instead of it. */
  close(): Promise<void>
}

/** A repository of a registry, under a tag. */
export function registryDestination(reference: ImageReference, access: RegistryAccess): ImageDestination {
  const { repository, session } = openRepository(reference.registry, reference.repository, 'pull,push', access)
  return {
    image: `${reference.registry}/${reference.repository}:${reference.tag}`,
    registry: reference.registry,
    repository,
    place: (blob, signal) => placeInRegistry(repository, blob, signal),
    startBlob: async (what, signal) => repository.startUpload(`uploading ${what}`, signal),
    publish: (manifest, signal) => repository.putManifest(reference.tag === '' ? digestOf(manifest.body) : reference.tag, manifest.mediaType, manifest.body, signal),
    publishPart: (manifest, signal) => repository.putManifest(digestOf(manifest.body), manifest.mediaType, manifest.body, signal),
    close: async () => session.close(),
  }
}

/** Puts a blob into a repository: it is there, or is mounted from another one, or its bytes are sent. */
export async function placeInRegistry(repository: Repository, blob: KnownBlob, signal: AbortSignal | undefined): Promise<Placement> {
  const { digest } = blob.descriptor
  if (blob.content !== undefined) {
    const { content, what } = blob
    await retry(() => repository.putBlob(digest, content, `uploading ${what}`, signal), { attempts: uploadTries, baseMs: 200, when: isUploadLost, ...(signal && { signal }) })
    return 'copied'
  }
  if (await repository.hasBlob(digest, signal)) return 'present'
  for (const from of blob.mountFrom ?? []) {
    if (from !== repository.name && (await tryMount(repository, digest, from, signal))) return 'mounted'
  }
  await retry(() => copyInto(repository.startUpload(`uploading ${blob.what}`, signal), blob), { attempts: uploadTries, baseMs: 200, when: isUploadLost, ...(signal && { signal }) })
  return 'copied'
}

/** A registry that forgot an unfinished upload gets the blob again from its beginning, so often at most. */
export const uploadTries = 4

/** distribution 2 forgets an upload whose chunk was cut, and any registry those of before its restart. */
export const isUploadLost = (error: unknown): boolean => error instanceof Failure && error.code === 'REGISTRY_UPLOAD_LOST'

/** Mounts a blob. A registry that refuses a mount may still take the bytes. */
export async function tryMount(repository: Repository, digest: string, from: string, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    return await repository.mount(digest, from, signal)
  } catch (error) {
    if (error instanceof Failure && ['REGISTRY_DENIED', 'REGISTRY_NOT_FOUND', 'REGISTRY_REFUSED'].includes(error.code)) return false
    throw error
  }
}

/** Writes the whole blob; a failure leaves nothing of it. */
export async function copyInto(writer: BlobWriter, blob: KnownBlob): Promise<void> {
  try {
    for await (const chunk of await blob.open()) await writer.write(chunk)
    await writer.commit(blob.descriptor.digest)
  } catch (error) {
    await writer.abort()
    throw error
  }
}
