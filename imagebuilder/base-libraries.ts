import { isReadableLayer, layerTar } from './oci/layer-content.ts'
import type { BaseImage } from './oci/source.ts'
import type { Descriptor } from './oci/types.ts'
import { readTar } from './package/tar-reader.ts'

/** Names of the libraries in a layer, by its digest: a layer is read once in the life of this process. */
const known = new Map<string, Promise<ReadonlySet<string>>>()
const mostKnown = 512

/**
 * Which of these loaders and libraries no layer of the base image brings, wherever it has them. Nothing is said to lack
 * in an image with a layer that cannot be read: a foreign one, or one of a type of its own.
 * @param names file names, such as `libz.so.1`
 * @throws REGISTRY_*, DIGEST_* as reading the layers does
 */
export async function lackingLibraries(base: BaseImage, names: readonly string[], signal: AbortSignal): Promise<readonly string[]> {
  const { layers } = base.manifest
  if (layers.some(({ urls, mediaType }) => urls !== undefined || !isReadableLayer(mediaType))) return []
  let lacking = names
  for (const layer of layers.toReversed()) {
    if (lacking.length === 0) break
    const has = await librariesOf(base, layer, signal)
    lacking = lacking.filter((name) => !has.has(name))
  }
  return lacking
}

async function librariesOf(base: BaseImage, layer: Descriptor, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const present = known.get(layer.digest)
  // Whoever reads it may be told to stop, which is no reason for us.
  if (present !== undefined) return present.catch(() => librariesOf(base, layer, signal))
  const reading = readLibraries(base, layer, signal)
  known.set(layer.digest, reading)
  reading.catch(() => known.delete(layer.digest))
  for (const digest of known.keys()) if (known.size > mostKnown) known.delete(digest)
  return reading
}

async function readLibraries(base: BaseImage, layer: Descriptor, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const names = new Set<string>()
  const bytes = await base.source.blob(layer, signal)
  for await (const { header } of readTar(layerTar(bytes, layer.mediaType))) {
    const name = header.name.split('/').at(-1) ?? ''
    if (/\.so(\.|$)/.test(name)) names.add(name)
  }
  return names
}
