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
  /** The parts may share their memory with those of the next member. */
  pack(block: Buffer): Promise<Buffer[]>
  /** To be called when nothing is packed, and all that was is delivered. */
  close(): void
}
