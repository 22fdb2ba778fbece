// The docker-archive: what `docker save` writes and `docker load` takes (docker image-spec v1.2 "Combined Image JSON +
// Filesystem Changeset Format").
import { createHash, randomUUID } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join, posix } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { Failure } from '#base/errors.ts'
import { readTar } from '../package/tar-reader.ts'
import { tarEnd, tarHeader, tarPadding } from '../tar.ts'
import type { ImageDestination } from './destination.ts'
import { digestHex, digestOf } from './digest.ts'
import { layoutDestination } from './layout.ts'
import type { RawManifest } from './registry.ts'
import type { ImageSource } from './source.ts'
import { mediaTypes, type Descriptor, type Manifest } from './types.ts'

/** Takes the finished archive. */
type Deliver = (archive: AsyncIterable<Buffer>, signal?: AbortSignal) => Promise<void>

/**
 * A destination of one image whose blobs are gathered in a temporary layout and then delivered as one archive, which has
 * the layers before the list of them.
 * @param image what the destination is called
 * @param name RepoTags of the archive; undefined: none
 */
export async function gatheredArchive(image: string, name: string | undefined, workspace: string | undefined, deliver: Deliver): Promise<ImageDestination> {
  const dir = await mkdtemp(join(workspace ?? tmpdir(), 'tarsk8s-docker-'))
  const layout = await layoutDestination(dir, 'image')
  return {
    image,
    place: (blob, signal) => layout.place(blob, signal),
    startBlob: (what, signal) => layout.startBlob(what, signal),
    publish: async ({ body }, signal) => deliver(archive(name, dir, JSON.parse(body.toString('utf8')) as Manifest), signal),
    close: () => rm(dir, { recursive: true, force: true }),
  }
}

/** Writes a docker-archive file; it appears whole or not at all. */
export function archiveDestination(file: string, name?: string): Promise<ImageDestination> {
  return gatheredArchive(`docker-archive:${file}${name === undefined ? '' : `:${name}`}`, name, undefined, async (bytes, signal) => {
    const draft = join(dirname(file), `.${basename(file)}.${randomUUID()}.part`)
    try {
      await pipeline(bytes, createWriteStream(draft), ...(signal === undefined ? [] : [{ signal }]))
      await rename(draft, file)
    } catch (cause) {
      await rm(draft, { force: true })
      if (signal?.aborted === true) throw signal.reason
      throw new Failure('ARCHIVE_WRITE', `the docker-archive ${file} cannot be written`, { cause, remedy: 'check the folder, its rights and the space left' })
    }
  })
}

async function* archive(name: string | undefined, dir: string, manifest: Manifest): AsyncGenerator<Buffer> {
  const blob = (digest: string): string => join(dir, 'blobs', 'sha256', digestHex(digest))
  const config = `${digestHex(manifest.config.digest)}.json`
  const layers = [...new Set(manifest.layers.map((layer) => layer.digest))]
  const index = [{ Config: config, RepoTags: name === undefined ? [] : [name], Layers: manifest.layers.map((layer) => `${digestHex(layer.digest)}.tar.gz`) }]
  yield* member(config, await readFile(blob(manifest.config.digest)))
  for (const digest of layers) {
    const { size } = await stat(blob(digest))
    yield tarHeader({ path: `${digestHex(digest)}.tar.gz`, type: 'file', mode: 0o644, size })
    yield* createReadStream(blob(digest), { highWaterMark: 256 << 10 }) as AsyncIterable<Buffer>
    yield tarPadding(size)
  }
  yield* member('manifest.json', Buffer.from(JSON.stringify(index)))
  yield tarEnd
}

function* member(path: string, content: Buffer): Generator<Buffer> {
  yield tarHeader({ path, type: 'file', mode: 0o644, size: content.length })
  yield content
  yield tarPadding(content.length)
}

/** A part of the archive file. */
interface Extent {
  readonly start: number
  readonly size: number
}

/** A blob as it is given out. */
type Blob = () => AsyncIterable<Buffer>

/** What manifest.json lists of one image. */
interface Listed {
  readonly Config: string
  readonly RepoTags?: readonly string[] | null
  readonly Layers: readonly string[]
}

/**
 * An image in a docker-archive as a source. Its manifest is made up, for the archive has none. A layer that is not
 * compressed, as "docker save" leaves them, is given out compressed, for few tools take others from a registry; it is so
 * each time it is read, which costs no room.
 * @param name which of its images; undefined: the only one
 */
export function archiveSource(file: string, name?: string): ImageSource {
  const blobs = new Map<string, Blob>()
  let made: Promise<RawManifest> | undefined
  return {
    name: `docker-archive:${file}${name === undefined ? '' : `:${name}`}`,
    manifest: () => (made ??= makeManifest(file, name, blobs)),
    async blob({ digest }) {
      const blob = blobs.get(digest)
      if (blob === undefined) throw invalid(file, `it lacks blob ${digest}`)
      return blob()
    },
    close: () => {},
  }
}

const invalid = (file: string, why: string, cause?: unknown): Failure =>
  new Failure('ARCHIVE_INVALID', `${file} is no docker-archive: ${why}`, { ...(cause === undefined ? {} : { cause }), remedy: 'give a file as "docker save" writes it, not compressed', context: { file } })

function read(file: string, { start, size }: Extent): AsyncIterable<Buffer> {
  return size === 0 ? (async function* none() {})() : (createReadStream(file, { start, end: start + size - 1, highWaterMark: 256 << 10 }) as AsyncIterable<Buffer>)
}

async function makeManifest(file: string, name: string | undefined, blobs: Map<string, Blob>): Promise<RawManifest> {
  const members = await membersOf(file)
  const find = (path: string): Extent => members.get(posix.normalize(path)) ?? fail(`it lacks ${path}`)
  const fail = (why: string): never => {
    throw invalid(file, why)
  }
  const listed = select(await json<readonly Listed[]>(file, find('manifest.json')), file, name)
  const describe = async (mediaType: string, blob: Blob): Promise<Descriptor> => {
    const hash = createHash('sha256')
    let size = 0
    for await (const piece of blob()) {
      hash.update(piece)
      size += piece.length
    }
    const digest = `sha256:${hash.digest('hex')}`
    blobs.set(digest, blob)
    return { mediaType, digest, size }
  }
  const config = await describe(mediaTypes.ociConfig, () => read(file, find(listed.Config)))
  const layers: Descriptor[] = []
  for (const path of listed.Layers) {
    const extent = find(path)
    const compressed = await compression(file, extent)
    layers.push(await describe(compressed ?? mediaTypes.ociLayerGzip, () => (compressed === undefined ? gzipped(read(file, extent)) : read(file, extent))))
  }
  const body = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers } satisfies Manifest))
  return { mediaType: mediaTypes.ociManifest, digest: digestOf(body), body }
}

/** Where the files of the archive are. Old engines write a layer that is there twice as a link to the first. */
async function membersOf(file: string): Promise<Map<string, Extent>> {
  const members = new Map<string, Extent>()
  const links = new Map<string, string>()
  try {
    for await (const { header, start } of readTar(createReadStream(file, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>)) {
      const path = posix.normalize(header.name)
      if (header.flag === '0') members.set(path, { start, size: header.size })
      else if (header.flag === '2') links.set(path, posix.join(posix.dirname(path), header.target))
      else if (header.flag === '1') links.set(path, posix.normalize(header.target))
    }
  } catch (cause) {
    throw invalid(file, 'it cannot be read as a tar', cause)
  }
  for (const [path, target] of links) {
    const extent = members.get(target)
    if (extent !== undefined) members.set(path, extent)
  }
  return members
}

function select(listed: readonly Listed[], file: string, name: string | undefined): Listed {
  const named = listed.filter((one) => name === undefined || one.RepoTags?.includes(name) === true)
  const [found] = named
  if (found !== undefined && named.length === 1) return found
  const has = listed.flatMap((one) => one.RepoTags ?? []).join(', ') || `${listed.length} without names`
  throw new Failure('IMAGE_NOT_FOUND', `docker-archive ${file} has ${name === undefined ? `${listed.length} images` : `no image "${name}"`}: ${has}`, { remedy: 'name the image: docker-archive:<file>:<name>:<tag>', context: { file } })
}

async function json<T>(file: string, { start, size }: Extent): Promise<T> {
  const parts: Buffer[] = []
  for await (const part of read(file, { start, size })) parts.push(part)
  try {
    return JSON.parse(Buffer.concat(parts).toString('utf8')) as T
  } catch (cause) {
    throw invalid(file, 'its manifest.json is not JSON', cause)
  }
}

const magics: readonly (readonly [hex: string, mediaType: string])[] = [['1f8b', mediaTypes.ociLayerGzip], ['28b52ffd', mediaTypes.ociLayerZstd]]

/** The type of a layer that is compressed. */
async function compression(file: string, { start }: Extent): Promise<string | undefined> {
  const head = Buffer.alloc(4)
  const handle = await open(file, 'r')
  await handle.read(head, 0, head.length, start).finally(() => handle.close())
  return magics.find(([hex]) => head.toString('hex').startsWith(hex))?.[1]
}

function gzipped(tar: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  const packer = createGzip({ chunkSize: 256 << 10 })
  pipeline(tar, packer).catch((error: Error) => packer.destroy(error))
  return packer as AsyncIterable<Buffer>
}
