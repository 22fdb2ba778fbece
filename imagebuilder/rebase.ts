import type { KeyObject } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { Failure } from '#base/errors.ts'
import { factsOf, layerDescriptor, recordedBase, type AddedLayer, type ImageFacts } from './config.ts'
import type { Credential } from './oci/auth.ts'
import { placeInRegistry, tryMount, type KnownBlob, type Placement } from './oci/destination.ts'
import { digestOf } from './oci/digest.ts'
import { formatReference, parseReference, type ImageReference } from './oci/reference.ts'
import { attachedContent } from './oci/referrers.ts'
import { Repository } from './oci/registry.ts'
import { Session, type RegistryAccess } from './oci/session.ts'
import { completeImage, formatPlatform, readChild, readImage, readManifest, registrySource, repositorySource, type BaseImage, type ImageSource } from './oci/source.ts'
import { isIndex, type Descriptor, type HistoryEntry } from './oci/types.ts'
import { attachAll, composeRelease, publishImages, topOf, type ReleaseImage } from './release.ts'
import { billType } from './sbom/bill.ts'
import type { SupervisorLayer } from './supervisor.ts'

export interface RebaseOptions {
  /** Where the new base image is; the rebaser closes it. Default: each image's own base, as its annotations name it. */
  readonly base?: ImageSource
  /** New supervisors, one an architecture; default: the one that the image has. */
  readonly supervisors?: readonly SupervisorLayer[]
  /** Appended to the tag. Default: nothing, the tag moves to the new image. */
  readonly suffix?: string
  /** Attaches the bill of materials of an image to its new image, too. */
  readonly sbom?: boolean
  /** Signs the new images. */
  readonly signingKey?: KeyObject
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
  readonly facts: Omit<ImageFacts, 'entrypoint'>
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
  /** By registry, and by who one is there. */
  readonly #sessions = new Map<string, Map<Credential | undefined, Session>>()
  readonly #bases = new Map<string, Promise<BaseImage>>()
  readonly #opened: ImageSource[] = []
  /** By registry and digest, the repository that has a new layer. */
  readonly #homes = new Map<string, Promise<string>>()

  constructor(options: RebaseOptions) {
    this.#options = options
  }

  /**
   * A list of images is rebased image by image.
   * @param asTag of the new image; default: the tag that it has, with the suffix
   * @throws REBASE_FOREIGN, REBASE_BASE, IMAGE_PLATFORM, SUPERVISOR_PLATFORM, IMAGE_*, REGISTRY_*
   */
  async rebase(reference: ImageReference, asTag?: string): Promise<RebasedImage> {
    const { signal, suffix = '' } = this.#options
    const repository = new Repository(this.#session(reference), reference.repository, 'pull,push')
    const named = await readEvery(repositorySource(repository, reference), signal)
    const olds = named.images.map((image) => releaseOf(image))
    const images = await Promise.all(olds.map((old) => this.#compose(old)))
    const facts = olds[0]?.facts
    if (facts === undefined) throw foreign(formatReference(reference))
    const { digest } = topOf(images, facts).descriptor
    const tag = asTag ?? (reference.tag === '' ? digest : `${reference.tag}${suffix}`)
    const image = `${reference.registry}/${reference.repository}${tag === digest ? '@' : ':'}${tag}`
    if (digest === named.digest && (asTag !== undefined || suffix === '')) return { image: formatReference(reference), digest, from: named.digest, changed: false, layers: [] }
    const layers = await this.#place(repository, olds, images)
    for (const { config } of images) await repository.putBlob(config.descriptor.digest, config.body, 'uploading the image configuration', signal)
    await publishImages(images, facts, {
      publishPart: ({ mediaType, body }) => repository.putManifest(digestOf(body), mediaType, body, signal),
      publish: ({ mediaType, body }) => repository.putManifest(tag, mediaType, body, signal),
    }, signal, async (subject) => {
      const bill = this.#options.sbom === true ? await attachedContent(repository, named.digest, billType, signal) : undefined
      await attachAll(repository, subject, { bill, signingKey: this.#options.signingKey }, signal)
    })
    return { image, digest, from: named.digest, changed: digest !== named.digest, layers }
  }

  close(): void {
    for (const sessions of this.#sessions.values()) for (const session of sessions.values()) session.close()
    for (const source of this.#opened) source.close()
    this.#options.base?.close()
  }

  #session({ registry, repository }: ImageReference): Session {
    const { access } = this.#options
    const credential = access?.credentials?.(registry, repository)
    const sessions = this.#sessions.get(registry) ?? new Map<Credential | undefined, Session>()
    const session = sessions.get(credential) ?? new Session(registry, access, repository)
    this.#sessions.set(registry, sessions.set(credential, session))
    return session
  }

  async #compose(old: Release): Promise<ReleaseImage> {
    const supervisor = this.#supervisor(old)
    const own: AddedLayer = supervisor === undefined ? old.supervisor : { ...supervisor, createdBy: old.supervisor.createdBy }
    return composeRelease(await this.#base(old), [own, old.package], { ...old.facts, entrypoint: supervisor?.entrypoint ?? old.entrypoint })
  }

  #supervisor({ platform, source }: BaseImage): SupervisorLayer | undefined {
    const { supervisors } = this.#options
    const found = supervisors?.find(({ architecture }) => architecture === platform.architecture)
    if (supervisors !== undefined && found === undefined) throw new Failure('SUPERVISOR_PLATFORM', `image ${source.name} is for ${formatPlatform(platform)}, and there is no supervisor layer for that`, { remedy: 'give the layer of this platform' })
    return found
  }

  /** The new base for the platform of an image; each is read once. */
  #base({ manifest, platform, source }: Release): Promise<BaseImage> {
    const { base, access = {}, signal } = this.#options
    const { name, digest } = recordedBase(manifest)
    if (base === undefined && name === undefined) throw new Failure('REBASE_BASE', `image ${source.name} does not say what its base image is called`, { remedy: 'give --base' })
    const key = `${base === undefined ? `${name}@${digest}` : ''} ${formatPlatform(platform)}`
    const known = this.#bases.get(key)
    if (known !== undefined) return known
    const read = readImage(base ?? this.#open(name ?? '', digest, access), platform, signal)
    this.#bases.set(key, read)
    return read
  }

  #open(name: string, digest: string | undefined, access: RegistryAccess): ImageSource {
    const reference = parseReference(name)
    const source = registrySource({ ...reference, ...(digest === undefined ? {} : { digest }) }, access)
    this.#opened.push(source)
    return source
  }

  async #place(repository: Repository, olds: readonly Release[], images: readonly ReleaseImage[]): Promise<RebasedImage['layers']> {
    const { signal } = this.#options
    const has = new Set(olds.flatMap(({ manifest }) => manifest.layers.map((layer) => layer.digest)))
    const placed: { digest: string; size: number; placement: Placement }[] = []
    for (const { base } of images) {
      const blobs = base.manifest.layers.map((descriptor): KnownBlob => ({ descriptor, what: `base layer ${descriptor.digest}`, open: () => base.source.blob(descriptor, signal) }))
      const supervisor = this.#supervisor(base)
      if (supervisor !== undefined) blobs.push({ descriptor: layerDescriptor(supervisor), what: 'the supervisor layer', open: async () => createReadStream(supervisor.path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer> })
      for (const blob of blobs) {
        const { digest, size } = blob.descriptor
        if (has.has(digest) || blob.descriptor.urls !== undefined) continue
        has.add(digest)
        placed.push({ digest, size, placement: await this.#placeLayer(repository, blob, base) })
      }
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

/** The images behind a name; what is in a list and is no image, such as an attestation, is left out. */
async function readEvery(source: ImageSource, signal: AbortSignal | undefined): Promise<{ readonly digest: string; readonly images: readonly BaseImage[] }> {
  const { raw, document } = await readManifest(source, undefined, signal)
  if (!isIndex(raw.mediaType, document)) return { digest: raw.digest, images: [await completeImage(source, raw.digest, document, signal)] }
  const children = document.manifests.filter(({ platform }) => platform !== undefined && platform.os !== 'unknown')
  return { digest: raw.digest, images: await Promise.all(children.map(({ digest }) => readChild(source, digest, signal))) }
}

/** @throws REBASE_FOREIGN */
function releaseOf(image: BaseImage): Release {
  const { manifest, config } = image
  const at = manifest.layers.length - 2
  const history = (config.history ?? []).filter((entry) => entry.empty_layer !== true)
  const [supervisor, ofPackage] = [at, at + 1].map((index) => layerAt(image, history, index))
  const facts = factsOf(manifest)
  if (facts === undefined || supervisor?.createdBy !== 'tarsnode' || ofPackage === undefined) throw foreign(image.source.name)
  return { ...image, facts, supervisor, package: ofPackage, entrypoint: config.config?.Entrypoint ?? [] }
}

const foreign = (image: string): Failure => new Failure('REBASE_FOREIGN', `image ${image} was not built by tarsk8s, or another tool has made it anew since`, { remedy: 'build it from its release package', context: { image } })

function layerAt({ manifest, config }: BaseImage, history: readonly HistoryEntry[], index: number): AddedLayer | undefined {
  const layer: Descriptor | undefined = manifest.layers[index]
  const diffId = config.rootfs.diff_ids[index]
  if (layer === undefined || diffId === undefined) return undefined
  return { digest: layer.digest, diffId, size: layer.size, mediaType: layer.mediaType, createdBy: history[index]?.created_by ?? '' }
}
