import { createHash, randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Failure } from '#base/errors.ts'
import { makeFolders } from '#base/folders.ts'
import { copyInto, type ImageDestination } from './destination.ts'
import { digestHex, digestMismatch, digestOf, verifying } from './digest.ts'
import type { RawManifest } from './registry.ts'
import type { ImageSource } from './source.ts'
import { mediaTypes, type Descriptor, type Index } from './types.ts'
import type { BlobWriter } from './upload.ts'

const refName = 'org.opencontainers.image.ref.name'
const emptyIndex: Index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] }

function blobPath(dir: string, digest: string): string {
  return join(dir, 'blobs', 'sha256', digestHex(digest))
}

/** True when the folder is an OCI image layout (image-spec 1.1 "Image Layout"). */
export async function isLayout(dir: string): Promise<boolean> {
  return stat(join(dir, 'oci-layout')).then((found) => found.isFile(), () => false)
}

async function readIndex(dir: string): Promise<Index> {
  try {
    return JSON.parse(await readFile(join(dir, 'index.json'), 'utf8')) as Index
  } catch (cause) {
    throw new Failure('LAYOUT_INVALID', `${dir} is not an OCI image layout`, { cause, remedy: 'give a folder with oci-layout, index.json and blobs/', context: { dir } })
  }
}

/** The manifest with this tag; without a tag, the only one there is. */
function select(index: Index, dir: string, tag: string | undefined): Descriptor {
  const named = index.manifests.filter((one) => tag === undefined || one.annotations?.[refName] === tag)
  const [found] = named
  if (found !== undefined && (named.length === 1 || tag !== undefined)) return found
  const tags = index.manifests.map((one) => one.annotations?.[refName] ?? one.digest).join(', ')
  throw new Failure('IMAGE_NOT_FOUND', `layout ${dir} has ${tag === undefined ? `${index.manifests.length} images` : `no image tagged "${tag}"`}: ${tags || 'it is empty'}`, { remedy: 'name the image: oci:<folder>:<tag>', context: { dir } })
}

/** An image in an OCI layout folder as a source. */
export function layoutSource(dir: string, tag?: string): ImageSource {
  const name = `oci:${dir}${tag === undefined ? '' : `:${tag}`}`
  const blob = async (descriptor: Descriptor): Promise<AsyncIterable<Buffer>> => {
    const path = blobPath(dir, descriptor.digest)
    await stat(path).catch((cause: unknown) => Promise.reject(new Failure('LAYOUT_INVALID', `layout ${dir} lacks blob ${descriptor.digest}`, { cause, remedy: 'write the layout again' })))
    const file = createReadStream(path, { highWaterMark: 256 << 10 })
    const checked = verifying(descriptor.digest, `blob ${descriptor.digest} of ${dir}`)
    file.on('error', (error) => checked.destroy(error))
    return file.pipe(checked)
  }
  return {
    name,
    blob,
    close: () => {},
    async manifest(digest): Promise<RawManifest> {
      const descriptor = digest === undefined ? select(await readIndex(dir), dir, tag) : { digest, size: 0, mediaType: '' }
      const parts: Buffer[] = []
      for await (const part of await blob(descriptor)) parts.push(part)
      const body = Buffer.concat(parts)
      const own = (JSON.parse(body.toString('utf8')) as { mediaType?: string }).mediaType
      return { mediaType: own ?? descriptor.mediaType, digest: descriptor.digest, body }
    },
  }
}

/** Writes an image into an OCI layout folder, beside the images it has; one with the same tag is replaced. */
export async function layoutDestination(dir: string, tag: string): Promise<ImageDestination> {
  const blobs = join(dir, 'blobs', 'sha256')
  try {
    makeFolders(blobs)
  } catch (cause) {
    throw new Failure('LAYOUT_WRITE', `the folder ${blobs} of the image layout cannot be made`, { cause, remedy: 'give a folder that can be written to', context: { dir } })
  }
  const startBlob = (): Promise<BlobWriter> => LayoutBlob.open(dir)
  return {
    image: `oci:${dir}:${tag}`,
    startBlob,
    async place(blob) {
      const present = await stat(blobPath(dir, blob.descriptor.digest)).then((found) => found.size === blob.descriptor.size, () => false)
      if (present) return 'present'
      await copyInto(await startBlob(), blob)
      return 'copied'
    },
    async publish({ mediaType, body }) {
      const digest = digestOf(body)
      await writeWhole(blobPath(dir, digest), body)
      await writeWhole(join(dir, 'oci-layout'), Buffer.from('{"imageLayoutVersion":"1.0.0"}'))
      const index = (await stat(join(dir, 'index.json')).catch(() => undefined)) === undefined ? emptyIndex : await readIndex(dir)
      const others = index.manifests.filter((one) => one.annotations?.[refName] !== tag)
      const manifests = [...others, { mediaType, digest, size: body.length, annotations: { [refName]: tag } }]
      await writeWhole(join(dir, 'index.json'), Buffer.from(JSON.stringify({ ...index, manifests }, null, 2)))
    },
    publishPart: ({ body }) => writeWhole(blobPath(dir, digestOf(body)), body),
    close: async () => {},
  }
}

async function writeWhole(path: string, content: Buffer): Promise<void> {
  const draft = join(dirname(path), `.${randomUUID()}.part`)
  await writeFile(draft, content)
  await rename(draft, path)
}

/** A blob file that takes its name when it is whole and right. */
class LayoutBlob implements BlobWriter {
  readonly #dir: string
  readonly #draft: string
  readonly #file: Awaited<ReturnType<typeof open>>
  readonly #hash = createHash('sha256')

  private constructor(dir: string, draft: string, file: Awaited<ReturnType<typeof open>>) {
    this.#dir = dir
    this.#draft = draft
    this.#file = file
  }

  static async open(dir: string): Promise<LayoutBlob> {
    const draft = join(dir, 'blobs', `.${randomUUID()}.part`)
    return new LayoutBlob(dir, draft, await open(draft, 'w'))
  }

  async write(chunk: Buffer): Promise<void> {
    this.#hash.update(chunk)
    await this.#file.writeFile(chunk)
  }

  async commit(digest: string): Promise<void> {
    const found = `sha256:${this.#hash.digest('hex')}`
    if (found !== digest) throw digestMismatch(`a blob written to ${this.#dir}`, digest, found)
    await this.#file.close()
    await rename(this.#draft, blobPath(this.#dir, digest))
  }

  async abort(): Promise<void> {
    await this.#file.close().catch(() => {})
    await rm(this.#draft, { force: true })
  }
}
