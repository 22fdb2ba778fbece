/** Bounds on what a package may unpack to, against archives made to exhaust the builder or the node. */
export interface PackageLimits {
  /** Bytes of all files together. */
  readonly maxUnpackedBytes: number
  /** Entries of any type. */
  readonly maxEntries: number
  /** Unpacked ÷ packed bytes, judged once more than `ratioFloorBytes` came out. */
  readonly maxRatio: number
  readonly ratioFloorBytes: number
  /** Bytes of one path. */
  readonly maxPathBytes: number
  /** Bytes of all paths, those of folders that only paths of files bring among them, and of all link targets. */
  readonly maxPathsBytes: number
}

export const defaultLimits: PackageLimits = Object.freeze({
  maxUnpackedBytes: 8 * 2 ** 30,
  maxEntries: 500_000,
  maxRatio: 200,
  ratioFloorBytes: 64 * 2 ** 20,
  maxPathBytes: 4096,
  maxPathsBytes: 64 * 2 ** 20,
})
