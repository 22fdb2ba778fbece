import type { KeyObject } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { Failure } from '#base/errors.ts'
import { imageConfig, layerDescriptor, type ImageFacts, type StoredDocument } from './config.ts'
import type { BuildMembers } from './member-cache.ts'
import type { Codec } from './compression/codec.ts'
import { checkApp, checkServer } from './names.ts'
import type { ImageDestination, KnownBlob, Placement } from './oci/destination.ts'
import { openDestination, openSource, type ImageLocation } from './oci/location.ts'
import type { DockerOptions } from './oci/docker.ts'
import type { RegistryAccess } from './oci/session.ts'
import { formatPlatform, readImages, type BaseImage, type ImageSource } from './oci/source.ts'
import { hostPlatform, type Descriptor, type Platform } from './oci/types.ts'
import type { Arrival } from './package/arrival.ts'
import type { PackageSource } from './package/entry.ts'
import { defaultLimits, type PackageLimits } from './package/limits.ts'
import { openPackage } from './package/open.ts'
import type { ServerType } from './package/preflight.ts'
import { lackingLibraries } from './base-libraries.ts'
import { pushPackageLayer, type PackageContent, type PackageLayer } from './package-layer.ts'
import { attachAll, composeRelease, publishImages, type ReleaseImage } from './release.ts'
import type { SupervisorLayer } from './supervisor.ts'

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
  /** When it is still being written. */
  readonly arrival?: Arrival
  /** Waited for before anything can be seen at the destination; a failure is the build's. */
  readonly confirmed?: () => Promise<unknown>
  readonly app: string
  readonly server: string
  readonly serverType: ServerType
  readonly base: ImageLocation
  /** The supervisor's layers, one an architecture. */
  readonly supervisors: readonly SupervisorLayer[]
  readonly destination: ImageLocation
  /** Credentials and trust for every registry that is involved. */
  readonly access?: RegistryAccess
  /** The same for reading the base image, where it differs. */
  readonly baseAccess?: RegistryAccess
  /** The name was sent without its upper case: the executable or jar may be spelled otherwise. */
  readonly anyCase?: boolean
  /** Scripts that a php or python server may be started from by the key entrance of its profile, besides the usual ones. */
  readonly entrances?: readonly string[]
  readonly docker?: DockerOptions
  /**
   * Each of them must be there. Default: all for which the base image and a supervisor are there and the package can run:
   * an executable runs on its own architecture alone.
   */
  readonly platforms?: readonly Platform[]
  readonly limits?: Partial<PackageLimits>
  readonly labels?: Readonly<Record<string, string>>
  /** Repositories of the destination registry that may have the supervisor's layer already. */
  readonly mountFrom?: readonly string[]
  /** Attaches a bill of materials to the image; at registries only. */
  readonly sbom?: boolean
  /** Signs the image; at registries only. */
  readonly signingKey?: KeyObject
  /** Of the package's layer. Default: gzip, which every runtime and registry takes; zstd needs containerd 1.5, Docker 23 or CRI-O. */
  readonly codec?: Codec
  /** Compressed members of earlier builds. */
  readonly members?: BuildMembers
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: BuildProgress) => void
  /** Hears in sentences what the build found out and did. */
  readonly onNote?: (note: string) => void
}

export interface BuiltImage {
  /** Name at the destination, with its tag. */
  readonly image: string
  /** Digest of the manifest, or of the list of images: the same for the same package, base and supervisor. */
  readonly digest: string
  /** Bytes of all layers, compressed. */
  readonly size: number
  /** One image each, e.g. `linux/amd64`. */
  readonly platforms: readonly { readonly platform: string; readonly digest: string; readonly baseDigest: string }[]
  readonly package: PackageLayer
  /** What became of each layer, base first. */
  readonly layers: readonly { readonly digest: string; readonly size: number; readonly placement: Placement | 'built' }[]
}

/** Recorded in images as what made them. */
export const builderName = 'tarsk8s-imagebuilder/1'

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
  const source = await openPackage(options.package, options.serverType, options.server, options.arrival, options.signal)
  const base = openSource(options.base, options.baseAccess ?? access)
  const abort = new AbortController()
  const signal = options.signal === undefined ? abort.signal : AbortSignal.any([abort.signal, options.signal])
  const destination = await openDestination(options.destination, access, options.docker)
  try {
    const report = (phase: BuildProgress['phase'], at = { read: 0, size: source.size, pushed: 0 }): void => options.onProgress?.({ phase, ...at })
    report('base')
    if (destination.repository === undefined && (options.sbom === true || options.signingKey !== undefined)) throw new Failure('ATTACH_NOWHERE', `${destination.image} is in no registry, where a bill of materials or a signature could stand beside it`, { remedy: 'build to a registry, or without them' })
    const limits = { ...defaultLimits, ...options.limits }
    // The package is on its way while the base is read: it must be known when the package is, and not before.
    const parts = readParts(base, options, destination, signal)
    const [built, placed] = await allOrNone(abort, [
      pushPackageLayer(source, destination, {
        serverType: options.serverType, server: options.server, anyCase: options.anyCase ?? false, entrances: options.entrances ?? [], limits, signal, bill: options.sbom ?? false, members: options.members, codec: options.codec,
        platforms: async () => ({ architectures: (await parts).map(({ image }) => image.platform.architecture), everyArchitecture: options.platforms !== undefined }),
        lacking: async (names, architecture) => lackingOf(await parts, architecture, names, signal), onProgress: (at) => report('package', at),
        onContent: async (layer) => {
          for (const { descriptor, body } of configsOf(await parts, layer, options)) await destination.place({ descriptor, what: 'the image configuration', content: body, open: async () => [body] }, signal)
        },
      }),
      parts.then((all) => {
        for (const { image } of all) options.onNote?.(`base image ${image.source.name} for ${formatPlatform(image.platform)} is ${image.digest}`)
        return placeAll(all.flatMap((part) => knownLayers(part, options)), destination, signal, options.onNote)
      }),
    ])
    options.onNote?.(`package: ${built.files} files${built.topFolder === undefined ? '' : ` below ${built.topFolder}/`}, ${built.unpacked} bytes, ${built.size} compressed`)
    await options.confirmed?.()
    report('publish', { read: source.size, size: source.size, pushed: built.size })
    return await publish({ source, images: compose(await parts, built, options), built, placed, options, destination, signal })
  } finally {
    base.close()
    await destination.close()
  }
}

/** What the image of one platform stands on. */
interface Part {
  readonly image: BaseImage
  readonly supervisor: SupervisorLayer
}

/** @throws IMAGE_PLATFORM, SUPERVISOR_PLATFORM */
async function readParts(base: ImageSource, { platforms, supervisors }: BuildOptions, destination: ImageDestination, signal: AbortSignal): Promise<readonly Part[]> {
  const own = supervisors.map(({ architecture }): Platform => ({ os: 'linux', architecture }))
  const images = await readImages(base, platforms ?? own, platforms !== undefined, signal)
  const parts = images.map((image): Part => {
    const supervisor = supervisors.find(({ architecture }) => architecture === image.platform.architecture)
    if (supervisor === undefined) throw new Failure('SUPERVISOR_PLATFORM', `there is no supervisor layer for ${formatPlatform(image.platform)}; there is one for ${supervisors.map(({ architecture }) => architecture).join(', ')}`, { remedy: 'choose another platform, or give the layer of this one' })
    return { image, supervisor }
  })
  if (destination.publishPart !== undefined || parts.length === 1) return parts
  if (platforms !== undefined) throw new Failure('IMAGE_PLATFORM', `${destination.image} can be of one platform only`, { remedy: 'give one platform, or build to a registry or an OCI layout' })
  const { architecture } = hostPlatform()
  return [parts.find(({ image }) => image.platform.architecture === architecture) ?? parts[0]].filter((part) => part !== undefined)
}

/** What the base lacks on an architecture, or on any of them. */
async function lackingOf(parts: readonly Part[], architecture: string | undefined, names: readonly string[], signal: AbortSignal): Promise<readonly string[]> {
  const lacking = new Set<string>()
  for (const { image } of parts) {
    if (architecture !== undefined && image.platform.architecture !== architecture) continue
    for (const name of await lackingLibraries(image, names, signal)) lacking.add(name)
  }
  return [...lacking]
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
function knownLayers({ image, supervisor }: Part, options: BuildOptions): KnownBlob[] {
  const target = options.destination.type === 'registry' ? options.destination.reference.registry : undefined
  const from = image.source.repository
  const baseMounts = from !== undefined && from.registry === target ? [from.name] : []
  const base = image.manifest.layers.map((descriptor) => ({ descriptor, what: `base layer ${descriptor.digest}`, mountFrom: baseMounts, open: () => image.source.blob(descriptor, options.signal) }))
  const own = { descriptor: layerDescriptor(supervisor), what: 'the supervisor layer', mountFrom: [...baseMounts, ...(options.mountFrom ?? [])], open: async () => createReadStream(supervisor.path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer> }
  return [...base, own].filter((blob) => blob.descriptor.urls === undefined)
}

/** One after the other: the package's stream has the bandwidth, and most of these are only looked up. */
async function placeAll(blobs: readonly KnownBlob[], destination: ImageDestination, signal: AbortSignal, note: BuildOptions['onNote']): Promise<Map<string, Placement>> {
  const placed = new Map<string, Placement>()
  for (const blob of blobs) {
    const { digest } = blob.descriptor
    if (placed.has(digest)) continue
    const placement = await destination.place(blob, signal)
    placed.set(digest, placement)
    note?.(`${blob.what} ${placement}`)
  }
  return placed
}

/** The image of one platform, and what it stands on. */
type PartImage = ReleaseImage & Part

const releaseOf = (options: BuildOptions): Omit<ImageFacts, 'entrypoint'> => ({ app: options.app, server: options.server, serverType: options.serverType, builder: builderName, ...(options.labels === undefined ? {} : { labels: options.labels }) })

/** What the package runs on. */
const runnable = (parts: readonly Part[], { architecture }: PackageContent): readonly Part[] => parts.filter(({ image }) => architecture === undefined || architecture === image.platform.architecture)

/** What an image of the package is made of, above its base. */
function additions<L extends PackageContent>({ supervisor }: Part, layer: L, options: BuildOptions): { readonly added: readonly [SupervisorLayer & { createdBy: string }, L & { createdBy: string }]; readonly facts: ImageFacts } {
  return {
    added: [{ ...supervisor, createdBy: 'tarsnode' }, { ...layer, createdBy: `release package of ${options.app}.${options.server}` }],
    facts: { ...releaseOf(options), entrypoint: supervisor.entrypoint },
  }
}

/** Configurations, one an image. */
function configsOf(parts: readonly Part[], layer: PackageContent, options: BuildOptions): StoredDocument[] {
  return runnable(parts, layer).map((part) => {
    const { added, facts } = additions(part, layer, options)
    return imageConfig(part.image, added, facts)
  })
}

/** One image for each platform that the package runs on. */
function compose(parts: readonly Part[], layer: PackageLayer, options: BuildOptions): PartImage[] {
  return runnable(parts, layer).map((part) => {
    const { added, facts } = additions(part, layer, options)
    return { ...part, ...composeRelease(part.image, added, facts) }
  })
}

interface Ready {
  readonly source: PackageSource
  readonly images: readonly PartImage[]
  readonly built: PackageLayer
  readonly placed: ReadonlyMap<string, Placement>
  readonly options: BuildOptions
  readonly destination: ImageDestination
  readonly signal: AbortSignal
}

/** What refers to the images, and their manifests; the name is written last. */
async function publish({ source, images, built, placed, options, destination, signal }: Ready): Promise<BuiltImage> {
  const release = releaseOf(options)
  const { bill, ...layer } = built
  if (bill !== undefined && source.description === 'jar') await bill.addJar(options.package)
  const attaching = async (subject: Descriptor): Promise<void> => {
    if (destination.repository !== undefined) await attachAll(destination.repository, subject, { bill: bill?.document(release), signingKey: options.signingKey }, signal)
  }
  const top = await publishImages(images, release, destination, signal, attaching)
  const layers = [...new Map(images.flatMap(({ image, supervisor }) => [...image.manifest.layers, layerDescriptor(supervisor)]).map((one) => [one.digest, one])).values(), layerDescriptor(built)]
  return {
    image: destination.image,
    digest: top.digest,
    size: layers.reduce((sum, one) => sum + one.size, 0),
    platforms: images.map(({ manifest, base }) => ({ platform: formatPlatform(base.platform), digest: manifest.descriptor.digest, baseDigest: base.digest })),
    package: layer,
    layers: layers.map(({ digest, size }) => ({ digest, size, placement: placed.get(digest) ?? 'built' })),
  }
}
