/** Documents of the OCI image format (image-spec 1.1) and their Docker twins (Image Manifest V2, Schema 2). */

export const mediaTypes = {
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar',
  ociLayerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  ociLayerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  ociEmpty: 'application/vnd.oci.empty.v1+json',
  dockerIndex: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar',
  dockerLayerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
} as const

/** What a puller says it can read; the order is the preference. */
export const manifestAccept = [mediaTypes.ociManifest, mediaTypes.ociIndex, mediaTypes.dockerManifest, mediaTypes.dockerIndex].join(', ')

export interface Platform {
  readonly architecture: string
  readonly os: string
  readonly variant?: string
}

const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64', arm: 'arm', ppc64: 'ppc64le', s390x: 's390x', riscv64: 'riscv64' }

/** Linux on the architecture of this machine. */
export function hostPlatform(): Platform {
  return { os: 'linux', architecture: architectures[process.arch] ?? process.arch }
}

/** Names content by its digest (OCI "descriptor"). */
export interface Descriptor {
  readonly mediaType: string
  /** `sha256:<hex>` */
  readonly digest: string
  /** Bytes. */
  readonly size: number
  readonly annotations?: Readonly<Record<string, string>>
  readonly platform?: Platform
  readonly artifactType?: string
  /** Foreign layers are fetched from here and are never in the registry. */
  readonly urls?: readonly string[]
}

export interface Manifest {
  readonly schemaVersion: 2
  readonly mediaType?: string
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
  readonly annotations?: Readonly<Record<string, string>>
}

export interface Index {
  readonly schemaVersion: 2
  readonly mediaType?: string
  readonly manifests: readonly Descriptor[]
  readonly annotations?: Readonly<Record<string, string>>
}

export interface HistoryEntry {
  readonly created?: string
  readonly created_by?: string
  readonly comment?: string
  readonly empty_layer?: boolean
}

/** The image configuration; fields this project does not use are kept as they are. */
export interface ImageConfig extends Platform {
  readonly created?: string
  readonly config?: {
    readonly Env?: readonly string[]
    readonly Entrypoint?: readonly string[] | null
    readonly Cmd?: readonly string[] | null
    readonly WorkingDir?: string
    readonly User?: string
    readonly Labels?: Readonly<Record<string, string>> | null
    readonly [field: string]: unknown
  }
  readonly rootfs: { readonly type: 'layers'; readonly diff_ids: readonly string[] }
  readonly history?: readonly HistoryEntry[]
  readonly [field: string]: unknown
}

/** True for a manifest list, by its media type or, where that is missing, by its shape. */
export function isIndex(mediaType: string, document: Manifest | Index): document is Index {
  if (mediaType === mediaTypes.ociIndex || mediaType === mediaTypes.dockerIndex) return true
  return 'manifests' in document && !('config' in document)
}
