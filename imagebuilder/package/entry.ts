/** One entry of a release package, as the archive tells it: nothing here has been checked. */
export interface PackageEntry {
  /** Name as written in the archive. */
  readonly name: string
  readonly type: 'file' | 'directory' | 'symlink' | 'link' | 'unsupported'
  /** What the archive calls an unsupported entry, e.g. `character device`. */
  readonly kind: string
  /** Permission bits; undefined when the archive carries none (zip made on Windows). */
  readonly mode: number | undefined
  /** Bytes of content. */
  readonly size: number
  /** Target of a link. */
  readonly target: string
  /** The content of a file, to be read before the next entry is asked for; each piece is good until the next is. */
  readonly content: AsyncIterable<Buffer>
}

/** An opened package. */
export interface PackageSource {
  /** e.g. `gzip-compressed tar` */
  readonly description: string
  /** Bytes of the package file. */
  readonly size: number
  /** Entries in the order of the archive; may be called again for another pass. @throws PACKAGE_DAMAGED */
  entries(signal?: AbortSignal): AsyncIterable<PackageEntry>
  /** Bytes of the package file read so far, for progress. */
  consumed(): number
}

export async function* noContent(): AsyncGenerator<Buffer> {
  // Nothing.
}
