import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { Failure } from '#base/errors.ts'
import type { ImageStore, LayerDescriptor } from './store.ts'

/** The part of an image's config that running it needs (OCI image spec, "Image Configuration"). */
export interface ImageConfig {
  readonly User?: string
  readonly Env?: readonly string[]
  readonly Entrypoint?: readonly string[] | null
  readonly Cmd?: readonly string[] | null
  readonly WorkingDir?: string
  readonly StopSignal?: string
}

/** An image that is ready to run. */
export interface LocalImage {
  /** The reference by which it was asked for. */
  readonly reference: string
  /** `<repository>@<manifest digest>` */
  readonly id: string
  readonly config: ImageConfig
  /** Folders of its layers, uppermost first. */
  readonly layers: readonly string[]
}

/** Where images come from: one repository of a registry, already resolved from a reference. */
export interface ImageSource {
  /** `registry/repository`, for names of digests. */
  readonly repository: string
  /** The manifest (or index) that the reference's tag or digest names. */
  manifest(digest?: string): Promise<{ readonly bytes: Buffer; readonly digest: string }>
  blob(descriptor: LayerDescriptor): Promise<Readable>
}

interface Descriptor extends LayerDescriptor {
  readonly platform?: { readonly os?: string; readonly architecture?: string; readonly variant?: string }
}

interface Manifest {
  readonly manifests?: readonly Descriptor[]
  readonly config?: Descriptor
  readonly layers?: readonly Descriptor[]
}

interface ConfigFile {
  readonly os?: string
  readonly architecture?: string
  readonly config?: ImageConfig
  readonly rootfs?: { readonly diff_ids?: readonly string[] }
}

const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64', ia32: '386', arm: 'arm', riscv64: 'riscv64' }

/**
 * Fetches an image's manifest, config and layers, verified by digest, and unpacks what is not there yet.
 * @throws IMAGE_*: a manifest or layer that is not what it says, no variant for this machine
 */
export async function pullImage(reference: string, source: ImageSource, store: ImageStore): Promise<LocalImage> {
  const { manifest, digest } = await findManifest(reference, source)
  if (manifest.config === undefined || manifest.layers === undefined) throw unusable(reference, 'its manifest has no config or no layers')
  const { config } = manifest
  const file = (await store.document(config.digest, () => source.blob(config))) as ConfigFile
  checkPlatform(reference, file)
  const diffIds = file.rootfs?.diff_ids ?? []
  if (diffIds.length !== manifest.layers.length) throw unusable(reference, `its config lists ${diffIds.length} layers and its manifest ${manifest.layers.length}`)
  const layers: string[] = []
  let chainId = ''
  for (const [index, layer] of manifest.layers.entries()) {
    const diffId = diffIds[index] ?? ''
    chainId = chainId === '' ? diffId : `sha256:${createHash('sha256').update(`${chainId} ${diffId}`).digest('hex')}`
    layers.unshift(await store.layer(layer, diffId, chainId, layers, () => source.blob(layer)))
  }
  return { reference, id: `${source.repository}@${digest}`, config: file.config ?? {}, layers }
}

async function findManifest(reference: string, source: ImageSource): Promise<{ manifest: Manifest; digest: string }> {
  const top = await source.manifest()
  const document = parse(reference, top.bytes)
  if (document.manifests === undefined) return { manifest: document, digest: top.digest }
  const architecture = architectures[process.arch] ?? process.arch
  const fitting = document.manifests.find(({ platform }) => platform?.os === 'linux' && platform.architecture === architecture)
  if (fitting === undefined) {
    const offered = document.manifests.map(({ platform }) => `${platform?.os ?? '?'}/${platform?.architecture ?? '?'}`).join(', ')
    throw unusable(reference, `it has no variant for linux/${architecture}, only ${offered}`)
  }
  const { bytes } = await source.manifest(fitting.digest)
  return { manifest: parse(reference, bytes), digest: top.digest }
}

function checkPlatform(reference: string, { os = 'linux', architecture }: ConfigFile): void {
  const mine = architectures[process.arch] ?? process.arch
  if (os !== 'linux' || (architecture !== undefined && architecture !== '' && architecture !== mine)) throw unusable(reference, `it is made for ${os}/${architecture ?? ''}, and this machine is linux/${mine}`)
}

function parse(reference: string, bytes: Buffer): Manifest {
  try {
    return JSON.parse(bytes.toString('utf8')) as Manifest
  } catch (error) {
    throw unusable(reference, 'its manifest is not JSON', error)
  }
}

function unusable(reference: string, why: string, cause?: unknown): Failure {
  return new Failure('IMAGE_UNUSABLE', `image ${reference} cannot be run: ${why}`, { remedy: 'build and push the image again for this machine', cause })
}
