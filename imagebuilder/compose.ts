import { createReadStream } from 'node:fs'
import type { LayerFile } from './layer.ts'
import { layerDescriptor } from './config.ts'
import { digestOf } from './oci/digest.ts'
import type { ImageDestination } from './oci/destination.ts'
import { openDestination, type ImageLocation } from './oci/location.ts'
import type { DockerOptions } from './oci/docker.ts'
import type { RegistryAccess } from './oci/session.ts'
import { hostPlatform, mediaTypes, type Descriptor, type ImageConfig, type Manifest, type Platform } from './oci/types.ts'

export interface ComposeOptions {
  /** Bottom first. */
  readonly layers: readonly (LayerFile & { readonly createdBy?: string })[]
  /** Env, Entrypoint, Cmd, WorkingDir, User, Labels … of the image. */
  readonly config?: NonNullable<ImageConfig['config']>
  readonly annotations?: Readonly<Record<string, string>>
  readonly destination: ImageLocation
  readonly access?: RegistryAccess
  /** Of the Docker engine, where that is the destination. */
  readonly docker?: DockerOptions
  /** Default: linux on the architecture of this machine. */
  readonly platform?: Platform
  readonly signal?: AbortSignal
}

/** An image as it was written. */
export interface ComposedImage {
  /** Its name at the destination. */
  readonly image: string
  /** Of its manifest. */
  readonly digest: string
}

/** A fixed time: two compositions of the same layers are the same image. */
const created = '1970-01-01T00:00:00Z'

/** Makes an image of layers alone, FROM scratch: how base images come to be. @returns its name and manifest digest */
export async function composeImage(options: ComposeOptions): Promise<ComposedImage> {
  const destination = await openDestination(options.destination, options.access ?? {}, options.docker)
  try {
    const document: ImageConfig = {
      ...(options.platform ?? hostPlatform()),
      created,
      config: options.config ?? {},
      rootfs: { type: 'layers', diff_ids: options.layers.map((layer) => layer.diffId) },
      history: options.layers.map((layer) => ({ created, created_by: layer.createdBy ?? 'tarsk8s' })),
    }
    const config = Buffer.from(JSON.stringify(document))
    const descriptor: Descriptor = { mediaType: mediaTypes.ociConfig, digest: digestOf(config), size: config.length }
    for (const layer of options.layers) await placeLayer(destination, layer, options.signal)
    await destination.place({ descriptor, what: 'the image configuration', content: config, open: async () => [config] }, options.signal)
    const manifest: Manifest = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config: descriptor, layers: options.layers.map(layerDescriptor), ...(options.annotations === undefined ? {} : { annotations: options.annotations }) }
    const body = Buffer.from(JSON.stringify(manifest))
    await destination.publish({ mediaType: mediaTypes.ociManifest, body }, options.signal)
    return { image: destination.image, digest: digestOf(body) }
  } finally {
    await destination.close()
  }
}

async function placeLayer(destination: ImageDestination, layer: LayerFile, signal: AbortSignal | undefined): Promise<void> {
  const open = async (): Promise<AsyncIterable<Buffer>> => createReadStream(layer.path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>
  await destination.place({ descriptor: layerDescriptor(layer), what: `layer ${layer.path}`, open }, signal)
}
