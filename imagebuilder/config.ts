import { digestOf } from './oci/digest.ts'
import type { BaseImage } from './oci/source.ts'
import { mediaTypes, type Descriptor, type HistoryEntry, type ImageConfig, type Index, type Manifest, type Platform } from './oci/types.ts'

/** A layer on top of the base, as the configuration has it. */
export interface AddedContent {
  readonly diffId: string
  /** For the image's history. */
  readonly createdBy: string
}

export interface AddedLayer extends AddedContent {
  readonly digest: string
  readonly size: number
  /** Default: gzip. */
  readonly mediaType?: string
}

export interface ImageFacts {
  readonly app: string
  readonly server: string
  readonly serverType: string
  readonly builder: string
  readonly entrypoint: readonly string[]
  /** Free labels, which are annotations too; they cannot replace the ones of this project. */
  readonly labels?: Readonly<Record<string, string>>
}

/** A document as it is stored: bytes and the descriptor that names them. */
export interface StoredDocument {
  readonly descriptor: Descriptor
  readonly body: Buffer
}

/** Times would make two builds of one package differ; the base's own is the newest that does not. */
const epoch = '1970-01-01T00:00:00Z'

function setEnv(env: readonly string[], name: string, value: string): string[] {
  return [...env.filter((entry) => !entry.startsWith(`${name}=`)), `${name}=${value}`]
}

const titleKey = 'org.opencontainers.image.title'
const baseDigestKey = 'org.opencontainers.image.base.digest'
const baseNameKey = 'org.opencontainers.image.base.name'
const factKeys = { app: 'tars.io/ServerApp', server: 'tars.io/ServerName', serverType: 'tars.io/ServerType', builder: 'tars.io/Builder' } as const
const ownKeys = new Set<string>([titleKey, baseDigestKey, baseNameKey, ...Object.values(factKeys)])

/** What the image says of itself: annotations of its manifest, and labels of its configuration (image-spec "Pre-Defined Annotation Keys"). */
function annotationsOf(base: BaseImage, facts: ImageFacts): Record<string, string> {
  return {
    ...releaseAnnotations(facts),
    [baseDigestKey]: base.digest,
    ...(base.source.repository === undefined ? {} : { [baseNameKey]: base.source.name }),
  }
}

function releaseAnnotations(facts: Omit<ImageFacts, 'entrypoint'>): Record<string, string> {
  return {
    ...facts.labels,
    [titleKey]: `${facts.app}.${facts.server}`,
    [factKeys.app]: facts.app,
    [factKeys.server]: facts.server,
    [factKeys.serverType]: facts.serverType,
    [factKeys.builder]: facts.builder,
  }
}

/** The base image as an image tells it; digests of images that stand in a list are those of the platform's. */
export function recordedBase({ annotations = {} }: Manifest): { readonly name?: string | undefined; readonly digest?: string | undefined } {
  return { name: annotations[baseNameKey], digest: annotations[baseDigestKey] }
}

/** The facts as an image tells them in its annotations; undefined for one that was not built here. */
export function factsOf({ annotations = {} }: Manifest): Omit<ImageFacts, 'entrypoint'> | undefined {
  const [app, server, serverType, builder] = [factKeys.app, factKeys.server, factKeys.serverType, factKeys.builder].map((key) => annotations[key])
  if (app === undefined || server === undefined || serverType === undefined || builder === undefined) return undefined
  return { app, server, serverType, builder, labels: Object.fromEntries(Object.entries(annotations).filter(([key]) => !ownKeys.has(key))) }
}

/**
 * The configuration of the image: the base's, with ENV ServerType, the supervisor as entry point and no CMD, the labels of
 * the release, and the new layers. It holds nothing that differs between two builds of the same inputs.
 */
export function imageConfig(base: BaseImage, layers: readonly AddedContent[], facts: ImageFacts): StoredDocument {
  const { Cmd: _cmd, ...settings } = base.config.config ?? {}
  const created = base.config.created ?? epoch
  const history = (layer: AddedContent): HistoryEntry => ({ created, created_by: layer.createdBy })
  const document: ImageConfig = {
    ...base.config,
    created,
    config: { ...settings, Env: setEnv(settings.Env ?? [], 'ServerType', facts.serverType), Entrypoint: [...facts.entrypoint], Labels: { ...base.config.config?.Labels, ...annotationsOf(base, facts) } },
    rootfs: { type: 'layers', diff_ids: [...base.config.rootfs.diff_ids, ...layers.map((layer) => layer.diffId)] },
    history: [...(base.config.history ?? base.manifest.layers.map(() => ({ created, created_by: 'base' }))), ...layers.map(history)],
  }
  return stored(mediaTypes.ociConfig, document)
}

const ociTypes: Readonly<Record<string, string>> = { [mediaTypes.dockerLayer]: mediaTypes.ociLayer, [mediaTypes.dockerLayerGzip]: mediaTypes.ociLayerGzip }

/** The OCI manifest; Docker's layer types of a base become their OCI twins, whose bytes are the same. */
export function imageManifest(base: BaseImage, config: Descriptor, layers: readonly AddedLayer[], facts: ImageFacts): StoredDocument {
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config,
    layers: [...base.manifest.layers.map((layer) => ({ ...layer, mediaType: ociTypes[layer.mediaType] ?? layer.mediaType })), ...layers.map(layerDescriptor)],
    annotations: annotationsOf(base, facts),
  }
  return stored(mediaTypes.ociManifest, manifest)
}

/** The list of one release's images, a platform each. */
export function imageIndex(images: readonly { readonly descriptor: Descriptor; readonly platform: Platform }[], facts: Omit<ImageFacts, 'entrypoint'>): StoredDocument {
  const index: Index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: images.map(({ descriptor, platform }) => ({ ...descriptor, platform })), annotations: releaseAnnotations(facts) }
  return stored(mediaTypes.ociIndex, index)
}

export function layerDescriptor(layer: Pick<AddedLayer, 'digest' | 'size' | 'mediaType'>): Descriptor {
  return { mediaType: layer.mediaType ?? mediaTypes.ociLayerGzip, digest: layer.digest, size: layer.size }
}

function stored(mediaType: string, document: unknown): StoredDocument {
  const body = Buffer.from(JSON.stringify(document))
  return { descriptor: { mediaType, digest: digestOf(body), size: body.length }, body }
}
