import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BlobStore } from './blobs.ts'
import { OciError } from './errors.ts'
import { foldersWith, ifThere, namesIn, readText, remove, sizeOf, writeAtomic } from './files.ts'
import { checkDigest, checkTag, isDigest } from './names.ts'

export interface StoredManifest {
  readonly digest: string
  readonly mediaType: string
  readonly body: Buffer
}

interface Described {
  readonly mediaType?: string
  readonly digest: string
  readonly size: number
  readonly urls?: readonly string[]
}

interface Document {
  readonly schemaVersion?: number
  readonly mediaType?: string
  readonly artifactType?: string
  readonly config?: Described
  readonly layers?: readonly Described[]
  readonly manifests?: readonly Described[]
  readonly subject?: Described
  readonly annotations?: Readonly<Record<string, string>>
}

const indexTypes = new Set(['application/vnd.oci.image.index.v1+json', 'application/vnd.docker.distribution.manifest.list.v2+json'])

/** Manifests of a repository: `_manifests/<hex>` (type line, then the bytes), `_tags/<tag>`, `_referrers/<subject>/<hex>`. */
export class ManifestStore {
  readonly #root: string
  readonly #blobs: BlobStore

  constructor(root: string, blobs: BlobStore) {
    this.#root = join(root, 'repositories')
    this.#blobs = blobs
  }

  /** @throws MANIFEST_UNKNOWN */
  async get(repository: string, reference: string): Promise<StoredManifest> {
    const digest = isDigest(reference) ? reference : await this.#tagged(repository, reference)
    const file = digest === undefined ? undefined : await ifThere(readFile(this.#path(repository, digest)))
    if (file === undefined || digest === undefined) throw new OciError('MANIFEST_UNKNOWN', `${repository} has no manifest ${reference}`, { reference })
    const line = file.indexOf(0x0a)
    return { digest, mediaType: file.toString('utf8', 0, line), body: file.subarray(line + 1) }
  }

  /** Stores a manifest and points the tag at it. @returns its digest and its subject's, if any */
  async put(repository: string, reference: string, mediaType: string, body: Buffer): Promise<{ digest: string; subject: string | undefined }> {
    const digest = `sha256:${createHash('sha256').update(body).digest('hex')}`
    if (isDigest(reference) && reference !== digest) throw new OciError('DIGEST_INVALID', `the manifest has digest ${digest}, not ${reference}`)
    if (!isDigest(reference)) checkTag(reference)
    const document = parse(body)
    const type = mediaType === '' ? (document.mediaType ?? '') : mediaType
    if (type === '') throw new OciError('MANIFEST_INVALID', 'the Content-Type header is missing')
    await this.#checkParts(repository, type, document)
    await writeAtomic(this.#path(repository, digest), Buffer.concat([Buffer.from(`${type}\n`), body]), this.#blobs.temporary)
    const subject = document.subject?.digest
    if (subject !== undefined) await this.#refer(repository, subject, { digest, type, size: body.length, document })
    if (!isDigest(reference)) await writeAtomic(join(this.#root, repository, '_tags', reference), digest, this.#blobs.temporary)
    return { digest, subject }
  }

  /** Removes a tag, or a manifest with every tag that points at it. @throws MANIFEST_UNKNOWN */
  async delete(repository: string, reference: string): Promise<void> {
    const unknown = (): OciError => new OciError('MANIFEST_UNKNOWN', `${repository} has no manifest ${reference}`, { reference })
    if (!isDigest(reference)) {
      if (!(await remove(join(this.#root, repository, '_tags', checkTag(reference))))) throw unknown()
      return
    }
    const { body } = await this.get(repository, reference)
    for (const tag of await this.#allTags(repository)) {
      if ((await this.#tagged(repository, tag)) === reference) await remove(join(this.#root, repository, '_tags', tag))
    }
    const subject = parse(body).subject?.digest
    if (subject !== undefined) await remove(this.#referrer(repository, subject, reference))
    if (!(await remove(this.#path(repository, reference)))) throw unknown()
  }

  /** @throws NAME_UNKNOWN */
  async tags(repository: string): Promise<string[]> {
    const tags = await this.#allTags(repository)
    if (tags.length === 0 && (await namesIn(join(this.#root, repository, '_manifests'))).length === 0) throw new OciError('NAME_UNKNOWN', `there is no repository ${repository}`)
    return tags
  }

  /** Names of the repositories that hold at least one manifest. */
  async repositories(): Promise<string[]> {
    const found: string[] = []
    for (const name of await foldersWith(this.#root, '_manifests')) {
      if ((await namesIn(join(this.#root, name, '_manifests'))).length > 0) found.push(name)
    }
    return found
  }

  /** Descriptors of the manifests whose subject this is. */
  async referrers(repository: string, subject: string): Promise<(Described & { artifactType?: string })[]> {
    const folder = join(this.#root, repository, '_referrers', checkDigest(subject))
    const texts = await Promise.all((await namesIn(folder)).map((name) => readText(join(folder, name))))
    return texts.filter((text) => text !== undefined).map((text) => JSON.parse(text) as Described)
  }

  #path(repository: string, digest: string): string {
    return join(this.#root, repository, '_manifests', checkDigest(digest))
  }

  #referrer(repository: string, subject: string, digest: string): string {
    return join(this.#root, repository, '_referrers', checkDigest(subject), checkDigest(digest))
  }

  #allTags(repository: string): Promise<string[]> {
    return namesIn(join(this.#root, repository, '_tags'))
  }

  #tagged(repository: string, tag: string): Promise<string | undefined> {
    return readText(join(this.#root, repository, '_tags', checkTag(tag)))
  }

  /** A manifest is taken only when everything it names is here, so a pull never finds a hole. */
  async #checkParts(repository: string, type: string, document: Document): Promise<void> {
    const isList = indexTypes.has(type)
    const size = (digest: string): Promise<number | undefined> => (isList ? sizeOf(this.#path(repository, digest)) : this.#blobs.size(repository, digest))
    const missing: string[] = []
    for (const { digest } of isList ? (document.manifests ?? []) : partsOf(document)) {
      if ((await size(digest)) === undefined) missing.push(digest)
    }
    if (missing.length > 0) throw new OciError('MANIFEST_BLOB_UNKNOWN', `the manifest names ${missing.join(', ')}, which ${repository} does not have`, { missing })
  }

  async #refer(repository: string, subject: string, of: { digest: string; type: string; size: number; document: Document }): Promise<void> {
    const { document } = of
    const artifactType = document.artifactType ?? document.config?.mediaType
    const descriptor = { mediaType: of.type, digest: of.digest, size: of.size, ...(artifactType === undefined ? {} : { artifactType }), ...(document.annotations === undefined ? {} : { annotations: document.annotations }) }
    await writeAtomic(this.#referrer(repository, subject, of.digest), JSON.stringify(descriptor), this.#blobs.temporary)
  }
}

/** What must be in the repository for the manifest; foreign layers come from elsewhere. */
function partsOf({ config, layers = [] }: Document): Described[] {
  return [...(config === undefined ? [] : [config]), ...layers].filter((part) => part.urls === undefined)
}

function parse(body: Buffer): Document {
  let document: unknown
  try {
    document = JSON.parse(body.toString('utf8'))
  } catch {
    throw new OciError('MANIFEST_INVALID', 'the manifest is not JSON')
  }
  if (typeof document !== 'object' || document === null || !('schemaVersion' in document) || document.schemaVersion !== 2) throw new OciError('MANIFEST_INVALID', 'schemaVersion must be 2')
  return document as Document
}
