import { createReadStream } from 'node:fs'
import { imageConfig, imageManifest, layerDescriptor, type AddedLayer, type ImageFacts } from './config.ts'
import type { LayerFile } from './layer.ts'
import type { BuildMembers } from './member-cache.ts'
import { checkApp, checkServer } from './names.ts'
import type { ImageDestination, KnownBlob, Placement } from './oci/destination.ts'
import { openDestination, openSource, type ImageLocation } from './oci/location.ts'
import type { DockerOptions } from './oci/docker.ts'
import type { RegistryAccess } from './oci/session.ts'
import { readImage, type BaseImage } from './oci/source.ts'
import type { Platform } from './oci/types.ts'
import { defaultLimits, type PackageLimits } from './package/limits.ts'
import { openPackage } from './package/open.ts'
import type { ServerType } from './package/preflight.ts'
import { lackingLibraries } from './base-libraries.ts'
import { pushPackageLayer, type PackageLayer } from './package-layer.ts'

export interface BuildProgress {
  /** `base`: reading the base image; `package`: streaming the package; `publish`: writing the manifest. */
  readonly phase: 'base' | 'package' | 'publish'
  /** Bytes of the package read so far, and all of them. */
  readonly read: number
  readonly size: number
  /** Compressed bytes handed to the destination. */
  readonly pushed: number
}

export interface BuildOptions {
  /** The package file. */
  readonly package: string
  readonly app: string
  readonly server: string
  readonly serverType: ServerType
  readonly base: ImageLocation
  /** The supervisor's layer and the entry point of the image. */
  readonly supervisor: LayerFile & { readonly entrypoint: readonly string[] }
  readonly destination: ImageLocation
  /** Credentials and trust for every registry that is involved. */
  readonly access?: RegistryAccess
  /** The same for reading the base image, where it differs. */
  readonly baseAccess?: RegistryAccess
  /** The name was sent without its upper case: the executable or jar may be spelled otherwise. */
  readonly anyCase?: boolean
  readonly docker?: DockerOptions
  /** Default: linux on the architecture of this machine. */
  readonly platform?: Platform
  readonly limits?: Partial<PackageLimits>
  readonly labels?: Readonly<Record<string, string>>
  /** Repositories of the destination registry that may have the supervisor's layer already. */
  readonly mountFrom?: readonly string[]
  /** Compressed members of earlier builds. */
  readonly members?: BuildMembers
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: BuildProgress) => void
}

export interface BuiltImage {
  /** Name at the destination, with its tag. */
  readonly image: string
  /** Digest of the manifest: the same for the same package, base and supervisor. */
  readonly digest: string
  /** Bytes of all layers, compressed. */
  readonly size: number
  readonly baseDigest: string
  readonly package: PackageLayer
  /** What became of each layer, base first. */
  readonly layers: readonly { readonly digest: string; readonly size: number; readonly placement: Placement | 'built' }[]
}

/** Recorded in images as what made them. */
export const builderName = 'tarsk8s-imagebuilder/1'

const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64', arm: 'arm', ppc64: 'ppc64le', s390x: 's390x', riscv64: 'riscv64' }

export function hostPlatform(): Platform {
  return { os: 'linux', architecture: architectures[process.arch] ?? process.arch }
}

/**
 * Builds an image of a release package on a base image: base layers, the supervisor's layer, one layer of the package.
 * The package is streamed once; base and supervisor move only when the destination lacks them; the manifest is written
 * last, so a failed build changes nothing that a puller sees.
 * @throws PACKAGE_*, IMAGE_*, REGISTRY_*, DIGEST_*, NAME_INVALID; the signal's reason when it aborts
 */
export async function buildImage(options: BuildOptions): Promise<BuiltImage> {
  checkApp('app', options.app)
  checkServer('server', options.server)
  const access = options.access ?? {}
  const source = await openPackage(options.package, options.serverType, options.server)
  const base = openSource(options.base, options.baseAccess ?? access)
  const abort = new AbortController()
  const signal = options.signal === undefined ? abort.signal : AbortSignal.any([abort.signal, options.signal])
  const destination = await openDestination(options.destination, access, options.docker)
  try {
    const report = (phase: BuildProgress['phase'], at = { read: 0, size: source.size, pushed: 0 }): void => options.onProgress?.({ phase, ...at })
    report('base')
    const image = await readImage(base, options.platform ?? hostPlatform(), signal)
    const expectation = { serverType: options.serverType, server: options.server, anyCase: options.anyCase ?? false, architecture: image.config.architecture }
    const limits = { ...defaultLimits, ...options.limits }
    const [built, placed] = await allOrNone(abort, [
      pushPackageLayer(source, destination, { ...expectation, limits, signal, members: options.members, lacking: (names) => lackingLibraries(image, names, signal), onProgress: (at) => report('package', at) }),
      placeAll(knownLayers(image, options), destination, signal),
    ])
    report('publish', { read: source.size, size: source.size, pushed: built.size })
    return await publish({ image, built, placed, options, destination, signal })
  } finally {
    base.close()
    await destination.close()
  }
}

/** Waits for both; when one fails the other is told to stop, and has stopped, before the failure is thrown. */
async function allOrNone<A, B>(abort: AbortController, work: readonly [Promise<A>, Promise<B>]): Promise<[A, B]> {
  let first: { readonly error: unknown } | undefined
  const guarded = work.map((one: Promise<A | B>) =>
    one.catch((error: unknown) => {
      first ??= { error }
      abort.abort(error)
    }),
  )
  const results = await Promise.all(guarded)
  if (first !== undefined) throw (first as { readonly error: unknown }).error
  return results as [A, B]
}

/** Base layers and the supervisor's: known by digest before the build. */
function knownLayers(image: BaseImage, options: BuildOptions): KnownBlob[] {
  const target = options.destination.type === 'registry' ? options.destination.reference.registry : undefined
  const from = image.source.repository
  const baseMounts = from !== undefined && from.registry === target ? [from.name] : []
  const base = image.manifest.layers.map((descriptor) => ({ descriptor, what: `base layer ${descriptor.digest}`, mountFrom: baseMounts, open: () => image.source.blob(descriptor, options.signal) }))
  const { supervisor } = options
  const own = { descriptor: layerDescriptor(supervisor), what: 'the supervisor layer', mountFrom: [...baseMounts, ...(options.mountFrom ?? [])], open: async () => createReadStream(supervisor.path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer> }
  return [...base, own].filter((blob) => blob.descriptor.urls === undefined)
}

/** One after the other: the package's stream has the bandwidth, and most of these are only looked up. */
async function placeAll(blobs: readonly KnownBlob[], destination: ImageDestination, signal: AbortSignal): Promise<Map<string, Placement>> {
  const placed = new Map<string, Placement>()
  for (const blob of blobs) {
    if (!placed.has(blob.descriptor.digest)) placed.set(blob.descriptor.digest, await destination.place(blob, signal))
  }
  return placed
}

interface Parts {
  readonly image: BaseImage
  readonly built: PackageLayer
  readonly placed: ReadonlyMap<string, Placement>
  readonly options: BuildOptions
  readonly destination: ImageDestination
  readonly signal: AbortSignal
}

async function publish({ image, built, placed, options, destination, signal }: Parts): Promise<BuiltImage> {
  const facts: ImageFacts = { app: options.app, server: options.server, serverType: options.serverType, builder: builderName, entrypoint: options.supervisor.entrypoint, ...(options.labels === undefined ? {} : { labels: options.labels }) }
  const added: AddedLayer[] = [
    { ...options.supervisor, createdBy: 'tarsnode' },
    { ...built, createdBy: `release package of ${options.app}.${options.server}` },
  ]
  const config = imageConfig(image, added, facts)
  const manifest = imageManifest(image, config.descriptor, added, facts)
  await destination.place({ descriptor: config.descriptor, what: 'the image configuration', open: async () => [config.body] }, signal)
  await destination.publish({ mediaType: manifest.descriptor.mediaType, body: manifest.body }, signal)
  const layers = [...image.manifest.layers, layerDescriptor(options.supervisor), layerDescriptor(built)]
  return {
    image: destination.image,
    digest: manifest.descriptor.digest,
    size: layers.reduce((sum, layer) => sum + layer.size, 0),
    baseDigest: image.digest,
    package: built,
    layers: layers.map(({ digest, size }) => ({ digest, size, placement: placed.get(digest) ?? 'built' })),
  }
}
