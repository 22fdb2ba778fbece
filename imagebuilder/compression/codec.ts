/** How layers are compressed. */
export interface Codec {
  readonly name: 'gzip' | 'zstd'
  /** Of a layer. */
  readonly mediaType: string
  packer(): Packer
  /** A member that holds the block as it is. */
  stored(block: Buffer): Buffer[]
}

/** Makes one member after the other. */
export interface Packer {
  pack(block: Buffer): Promise<Buffer[]>
  close(): void
}
