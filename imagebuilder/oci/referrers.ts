// Artifacts that refer to an image (image-spec 1.1 "Guidelines for Artifact Usage", distribution-spec 1.1 "Referrers").
import { Failure } from '#base/errors.ts'
import { digestHex, digestOf } from './digest.ts'
import type { Repository } from './registry.ts'
import { whole } from './transport.ts'
import { mediaTypes, type Descriptor, type Index, type Manifest } from './types.ts'

const emptyConfig = Buffer.from('{}')
/** Bytes of an artifact that is read. */
const largestContent = 64 << 20

export interface Artifact {
  /** Media type of its content, and its artifactType. */
  readonly type: string
  readonly content: Buffer
  readonly annotations?: Readonly<Record<string, string>>
}

/** Attaches an artifact to an image, which need not be there yet. @returns the artifact's digest */
export async function attach(repository: Repository, subject: Descriptor, artifact: Artifact, signal?: AbortSignal): Promise<string> {
  const [config, content] = [emptyConfig, artifact.content].map((bytes) => ({ digest: digestOf(bytes), size: bytes.length }))
  const { type: artifactType, annotations } = artifact
  await repository.putBlob(digestOf(emptyConfig), emptyConfig, 'uploading an empty configuration', signal)
  await repository.putBlob(digestOf(artifact.content), artifact.content, `uploading an artifact of type ${artifactType}`, signal)
  const manifest = {
    schemaVersion: 2, mediaType: mediaTypes.ociManifest, artifactType, config: { mediaType: mediaTypes.ociEmpty, ...config }, layers: [{ mediaType: artifactType, ...content }],
    subject: { mediaType: subject.mediaType, digest: subject.digest, size: subject.size }, ...(annotations === undefined ? {} : { annotations }),
  }
  const body = Buffer.from(JSON.stringify(manifest))
  const digest = digestOf(body)
  const listed = await repository.putManifest(digest, mediaTypes.ociManifest, body, signal)
  if (!listed) await listByTag(repository, subject, { mediaType: mediaTypes.ociManifest, digest, size: body.length, artifactType, ...(annotations === undefined ? {} : { annotations }) }, signal)
  return digest
}

/** The content of the artifact of a type that is attached to an image; undefined where there is none. @throws IMAGE_INVALID when it is larger than any */
export async function attachedContent(repository: Repository, subject: string, type: string, signal?: AbortSignal): Promise<Buffer | undefined> {
  const listed = (await repository.referrers(subject, signal)) ?? (await tagged<Index>(repository, `sha256-${digestHex(subject)}`, signal))
  const found = listed?.manifests.find(({ artifactType }) => artifactType === type)
  if (found === undefined) return undefined
  const { layers } = JSON.parse((await repository.manifest(found.digest, signal)).body.toString('utf8')) as Manifest
  const [layer] = layers
  const content = layer && await whole(await repository.blob(layer, signal), largestContent)
  if (content === undefined) throw new Failure('IMAGE_INVALID', `what is attached to ${subject} as ${type} has no content, or more than ${largestContent} bytes`, { remedy: 'remove it from the registry, and build the image anew' })
  return content
}

/** A registry that lists no referrers itself has the list under a tag ("Referrers Tag Schema"). */
async function listByTag(repository: Repository, subject: Descriptor, entry: Descriptor, signal: AbortSignal | undefined): Promise<void> {
  const tag = `sha256-${digestHex(subject.digest)}`
  const old = await tagged<Index>(repository, tag, signal)
  const manifests = [...(old?.manifests ?? []).filter(({ digest }) => digest !== entry.digest), entry]
  await repository.putManifest(tag, mediaTypes.ociIndex, Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests } satisfies Index)), signal)
}

/** What a tag stands for; undefined where it is not there. */
export async function tagged<T extends Index | Manifest>(repository: Repository, tag: string, signal?: AbortSignal): Promise<T | undefined> {
  try {
    return JSON.parse((await repository.manifest(tag, signal)).body.toString('utf8')) as T
  } catch (error) {
    if (error instanceof Failure && error.code === 'IMAGE_NOT_FOUND') return undefined
    throw error
  }
}
