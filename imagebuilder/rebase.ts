import { createReadStream } from 'node:fs'
import { Failure } from '#base/errors.ts'
import { factsOf, imageConfig, imageManifest, layerDescriptor, type AddedLayer, type StoredDocument } from './config.ts'
import { placeInRegistry, tryMount, type KnownBlob, type Placement } from './oci/destination.ts'
import { parseReference, type ImageReference } from './oci/reference.ts'
import { Repository } from './oci/registry.ts'
import { Session, type RegistryAccess } from './oci/session.ts'
import { readImage, registrySource, repositorySource, type BaseImage, type ImageSource } from './oci/source.ts'
import { mediaTypes, type Descriptor, type HistoryEntry, type Platform } from './oci/types.ts'
import type { SupervisorLayer } from './supervisor.ts'

export interface RebaseOptions {
  /** Where the new base image is; the rebaser closes it. Default: each image's own base, as its annotations name it. */
  readonly base?: ImageSource
  /** A new supervisor; default: the one that the image has. */
  readonly supervisor?: SupervisorLayer
  /** Appended to the tag. Default: nothing, the tag moves to the new image. */
  readonly suffix?: string
  readonly access?: RegistryAccess
  readonly signal?: AbortSignal
}

export interface RebasedImage {
  /** Name of the new image. */
  readonly image: string
  readonly digest: string
  /** Digest of the image that it was made of. */
  readonly from: string
  /** False when the image had this base and this supervisor already: nothing was written. */
  readonly changed: boolean
  /** What became of each layer that the image did not have. */
  readonly layers: readonly { readonly digest: string; readonly size: number; readonly placement: Placement }[]
}

/** What one image is made of, read back from it. */
interface Release extends BaseImage {
  readonly supervisor: AddedLayer
  readonly package: AddedLayer
  readonly entrypoint: readonly string[]
}

/**
 * Puts a new base image or a new supervisor under images that were built here, at their registry: the package's layer
 * stays, so neither packages nor downloads are needed. The result is the image, to the byte, that a build of the same
 * package on that base and with that supervisor gives. Layers that the image's repository lacks are mounted from the
 * base's repository or from that of an image that was rebased before; only where a registry will not, bytes move, once a
 * registry.
 */
export class Rebaser {
  readonly #options: RebaseOptions
  readonly #sessions = new Map<string, Session>()
  readonly #bases = new Map<string, Promise<BaseImage>>()
  readonly #opened: ImageSource[] = []
  /** By registry and digest, the repository that has a new layer. */
  readonly #homes = new Map<string, Promise<string>>()

  constructor(options: RebaseOptions) {
    this.#options = options
  }

  /** @throws REBASE_FOREIGN, REBASE_BASE, IMAGE_PLATFORM, IMAGE_*, REGISTRY_* */
  async rebase(reference: ImageReference): Promise<RebasedImage> {
    const { signal, suffix = '' } = this.#options
    const repository = new Repository(this.#session(reference.registry), reference.repository, 'pull,push')
    const source = repositorySource(repository, reference)
    const old = releaseOf(await readImage(source, undefined, signal))
    const base = await this.#base(old)
    const { config, manifest } = compose(old, base, this.#options.supervisor)
    const target = { ...reference, tag: reference.tag === '' ? '' : `${reference.tag}${suffix}` }
    const image = `${reference.registry}/${reference.repository}${target.tag === '' ? `@${manifest.descriptor.digest}` : `:${target.tag}`}`
    const result = { image, digest: manifest.descriptor.digest, from: old.digest }
    if (result.digest === old.digest && suffix === '') return { ...result, changed: false, layers: [] }
    const layers = await this.#place(repository, old, base)
    await repository.putBlob(config.descriptor.digest, config.body, 'uploading the image configuration', signal)
    await repository.putManifest(target.tag === '' ? manifest.descriptor.digest : target.tag, manifest.descriptor.mediaType, manifest.body, signal)
    return { ...result, changed: result.digest !== old.digest, layers }
  }

  close(): void {
    for (const session of this.#sessions.values()) session.close()
    for (const source of this.#opened) source.close()
    this.#options.base?.close()
  }

  #session(registry: string): Session {
    const session = this.#sessions.get(registry) ?? new Session(registry, this.#options.access)
    this.#sessions.set(registry, session)
    return session
  }

  /** The new base for the platform of an image; each is read once. */
  #base({ manifest, config, source }: Release): Promise<BaseImage> {
    const { base, access = {}, signal } = this.#options
    const platform: Platform = { os: config.os, architecture: config.architecture, ...(config.variant === undefined ? {} : { variant: config.variant }) }
    const recorded = manifest.annotations?.['org.opencontainers.image.base.name']
    if (base === undefined && recorded === undefined) throw new Failure('REBASE_BASE', `image ${source.name} does not say what its base image is called`, { remedy: 'give --base' })
    const key = `${recorded ?? ''} ${platform.os}/${platform.architecture}/${platform.variant ?? ''}`
    const known = this.#bases.get(key)
    if (known !== undefined) return known
    const read = readImage(base ?? this.#open(recorded ?? '', manifest.annotations?.['org.opencontainers.image.base.digest'], access), platform, signal)
    this.#bases.set(key, read)
    return read
  }

  #open(name: string, digest: string | undefined, access: RegistryAccess): ImageSource {
    const reference = parseReference(name)
    const source = registrySource({ ...reference, ...(digest === undefined ? {} : { digest }) }, access)
    this.#opened.push(source)
    return source
  }

  async #place(repository: Repository, old: Release, base: BaseImage): Promise<RebasedImage['layers']> {
    const { supervisor, signal } = this.#options
    const has = new Set(old.manifest.layers.map((layer) => layer.digest))
    const blobs = base.manifest.layers.map((descriptor): KnownBlob => ({ descriptor, what: `base layer ${descriptor.digest}`, open: () => base.source.blob(descriptor, signal) }))
    if (supervisor !== undefined) blobs.push({ descriptor: layerDescriptor(supervisor), what: 'the supervisor layer', open: async () => createReadStream(supervisor.path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer> })
    const placed: { digest: string; size: number; placement: Placement }[] = []
    for (const blob of blobs) {
      const { digest, size } = blob.descriptor
      if (has.has(digest) || blob.descriptor.urls !== undefined) continue
      has.add(digest)
      placed.push({ digest, size, placement: await this.#placeLayer(repository, blob, base) })
    }
    return placed
  }

  /** The first image of a registry brings a layer there; the others wait for it, and mount it from there. */
  async #placeLayer(repository: Repository, blob: KnownBlob, base: BaseImage): Promise<Placement> {
    const key = `${repository.registry} ${blob.descriptor.digest}`
    const known = this.#homes.get(key)
    const from = base.source.repository
    if (known !== undefined) return this.#from(await known.catch(() => undefined), repository, blob)
    const placing = this.#from(from?.registry === repository.registry ? from.name : undefined, repository, blob)
    const home = placing.then(() => repository.name)
    home.catch(() => {})
    this.#homes.set(key, home)
    return placing
  }

  async #from(home: string | undefined, repository: Repository, blob: KnownBlob): Promise<Placement> {
    const { signal } = this.#options
    if (home !== undefined && home !== repository.name && (await tryMount(repository, blob.descriptor.digest, home, signal))) return 'mounted'
    return placeInRegistry(repository, blob, signal)
  }
}

/** @throws REBASE_FOREIGN */
function releaseOf(image: BaseImage): Release {
  const { manifest, config } = image
  const at = manifest.layers.length - 2
  const history = (config.history ?? []).filter((entry) => entry.empty_layer !== true)
  const [supervisor, ofPackage] = [at, at + 1].map((index) => layerAt(image, history, index))
  if (factsOf(manifest) === undefined || supervisor?.createdBy !== 'tarsnode' || ofPackage === undefined) {
    throw new Failure('REBASE_FOREIGN', `image ${image.source.name} was not built by tarsk8s, or another tool has made it anew since`, { remedy: 'build it from its release package', context: { image: image.source.name } })
  }
  return { ...image, supervisor, package: ofPackage, entrypoint: config.config?.Entrypoint ?? [] }
}

function layerAt({ manifest, config }: BaseImage, history: readonly HistoryEntry[], index: number): AddedLayer | undefined {
  const layer: Descriptor | undefined = manifest.layers[index]
  const diffId = config.rootfs.diff_ids[index]
  if (layer === undefined || diffId === undefined) return undefined
  return { digest: layer.digest, diffId, size: layer.size, mediaType: layer.mediaType, createdBy: history[index]?.created_by ?? '' }
}

function compose(old: Release, base: BaseImage, supervisor: SupervisorLayer | undefined): { readonly config: StoredDocument; readonly manifest: StoredDocument } {
  const told = factsOf(old.manifest)
  if (told === undefined) throw new TypeError('an image that does not tell its facts is no release')
  const facts = { ...told, entrypoint: supervisor?.entrypoint ?? old.entrypoint }
  const own: AddedLayer = supervisor === undefined ? old.supervisor : { ...supervisor, mediaType: mediaTypes.ociLayerGzip, createdBy: old.supervisor.createdBy }
  const added = [own, old.package]
  const config = imageConfig(base, added, facts)
  return { config, manifest: imageManifest(base, config.descriptor, added, facts) }
}

