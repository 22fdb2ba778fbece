import { createHash } from 'node:crypto'
import { describe, Failure } from '#base/errors.ts'
import { isReadableLayer, layerTar } from './oci/layer-content.ts'
import type { BaseImage } from './oci/source.ts'
import type { Descriptor } from './oci/types.ts'
import { readTar } from './package/tar-reader.ts'

/** What is wrong with one layer. */
export interface Fault {
  readonly layer: string
  readonly fault: string
}

/**
 * Reads every layer of an image to its end: its bytes must be those that the manifest names, in number and digest, what
 * they unpack to those that the configuration names (OCI image-spec "Layer DiffID"), and that a tar. Manifest and
 * configuration were checked when the image was read.
 * @returns nothing for a sound image
 */
export async function validateImage(image: BaseImage, signal: AbortSignal): Promise<readonly Fault[]> {
  const faults: Fault[] = []
  for (const [index, layer] of image.manifest.layers.entries()) {
    const fault = await faultOf(image, layer, image.config.rootfs.diff_ids[index] ?? '', signal)
    if (fault !== undefined) faults.push({ layer: layer.digest, fault })
  }
  return faults
}

async function faultOf({ source }: BaseImage, layer: Descriptor, diffId: string, signal: AbortSignal): Promise<string | undefined> {
  // Foreign layers are not in the registry.
  if (layer.urls !== undefined) return undefined
  if (!isReadableLayer(layer.mediaType)) return `its type ${layer.mediaType} is not known`
  const hash = createHash('sha256')
  let size = 0
  const counted = async function* (): AsyncGenerator<Buffer> {
    for await (const piece of await source.blob(layer, signal)) {
      size += piece.length
      yield piece
    }
  }
  const hashed = async function* (): AsyncGenerator<Buffer> {
    for await (const piece of layerTar(counted(), layer.mediaType)) {
      hash.update(piece)
      yield piece
    }
  }
  try {
    for await (const { header } of readTar(hashed())) void header
  } catch (error) {
    if (signal.aborted) throw signal.reason
    return error instanceof Failure ? describe(error) : `it cannot be unpacked: ${describe(error)}`
  }
  const found = `sha256:${hash.digest('hex')}`
  if (size !== layer.size) return `it has ${size} bytes, and the manifest says ${layer.size}`
  return found === diffId ? undefined : `it unpacks to ${found}, and the configuration says ${diffId}`
}
