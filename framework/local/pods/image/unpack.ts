import { mkdir } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import type { Readable, Writable } from 'node:stream'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { extract } from 'tar-stream'
import { Failure } from '#base/errors.ts'
import { LayersBelow } from './below.ts'
import { LayerWriter } from './layer-writer.ts'

export interface UnpackOptions {
  /** The layer as it comes from the registry: tar, gzip or zstd by `mediaType`. */
  readonly content: Readable
  readonly mediaType: string
  /** sha256 of the uncompressed tar, from the image's config (OCI image spec, "rootfs.diff_ids"). */
  readonly diffId: string
  /** An empty or missing folder. */
  readonly target: string
  /** Unpacked layers under this one, uppermost first. */
  readonly below: readonly string[]
  /** Most bytes that the uncompressed tar may have. Default 32 GiB. */
  readonly maxBytes?: number
  /** Overlay attributes are written as `user.*`, for mounts in a user namespace. */
  readonly userNamespace: boolean
  readonly signal?: AbortSignal
}

/** What a layer's folder means, kept beside it. */
export interface UnpackedLayer {
  /** Folders that the archive had no entry for: what is below decides what they are. */
  readonly implied: readonly string[]
  /** True when the result would differ on other layers below. */
  readonly dependsOnBelow: boolean
  /** Device files and other entries that containers get from the runner instead. */
  readonly skipped: number
}

const defaultMaxBytes = 32 * 2 ** 30
/** A piece is a trip to another thread and back: few large ones. */
const pieceBytes = 2 ** 18

/**
 * Unpacks one layer as an overlay lower folder: whiteouts become overlay whiteouts, opaque folders get the overlay
 * attribute, hard links stay links, owners are kept when root (OCI image spec, "Image Layer Filesystem Changeset").
 * @throws IMAGE_LAYER_PATH, IMAGE_LAYER_CORRUPT, IMAGE_LAYER_TOO_LARGE; the caller removes `target` then
 */
export async function unpackLayer(options: UnpackOptions): Promise<UnpackedLayer> {
  await mkdir(options.target, { recursive: true, mode: 0o755 })
  const hash = createHash('sha256')
  const writer = new LayerWriter(options.target, new LayersBelow(options.below), options.userNamespace)
  const tar = extract()
  tar.on('entry', (header, content, next) => {
    writer.write(header, content as unknown as Readable).then(() => next(), next)
  })
  const signal = options.signal === undefined ? {} : { signal: options.signal }
  try {
    await pipeline([options.content, ...decompressor(options.mediaType), meter(hash, options), tar as unknown as Writable], signal)
  } catch (error) {
    throw asFailure(error, options)
  }
  if (`sha256:${hash.digest('hex')}` !== options.diffId) throw corrupt(options, 'its uncompressed bytes have another digest than the image says')
  await writer.finish()
  return { implied: [...writer.implied], dependsOnBelow: writer.dependsOnBelow, skipped: writer.skipped }
}

function decompressor(mediaType: string): Transform[] {
  if (/gzip$/.test(mediaType)) return [createGunzip({ chunkSize: pieceBytes })]
  if (/zstd$/.test(mediaType)) return [createZstdDecompress({ chunkSize: pieceBytes })]
  if (/tar$/.test(mediaType)) return []
  throw new Failure('IMAGE_LAYER_UNSUPPORTED', `a layer of type ${mediaType} cannot be unpacked`, { remedy: 'use tar layers, plain or with gzip or zstd' })
}

function meter(hash: ReturnType<typeof createHash>, options: UnpackOptions): Transform {
  const { maxBytes = defaultMaxBytes } = options
  let bytes = 0
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      bytes += chunk.length
      hash.update(chunk)
      if (bytes <= maxBytes) done(null, chunk)
      else done(new Failure('IMAGE_LAYER_TOO_LARGE', `layer ${options.diffId} has more than ${maxBytes} bytes uncompressed`, { remedy: 'use a smaller image' }))
    },
  })
}

function asFailure(error: unknown, options: UnpackOptions): unknown {
  if (error instanceof Failure || options.signal?.aborted === true) return error
  const code = (error as { code?: unknown }).code
  const isDataError = typeof code !== 'string' || code.startsWith('Z_') || code.startsWith('ZSTD') || code === 'ERR_STREAM_PREMATURE_CLOSE'
  return isDataError ? corrupt(options, 'it is not a readable archive', error) : error
}

function corrupt(options: UnpackOptions, why: string, cause?: unknown): Failure {
  return new Failure('IMAGE_LAYER_CORRUPT', `layer ${options.diffId} was refused: ${why}`, { remedy: 'push the image again', cause })
}
