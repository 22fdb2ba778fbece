import { Failure } from '#base/errors.ts'
import type { PackageLimits } from './limits.ts'

/** Counts what comes out of a package and refuses it as soon as a limit is passed. */
export class Budget {
  readonly #limits: PackageLimits
  readonly #packed: number
  #entries = 0
  #bytes = 0
  #pathsBytes = 0

  /** @param packed bytes of the package file */
  constructor(limits: PackageLimits, packed: number) {
    this.#limits = limits
    this.#packed = packed
  }

  get bytes(): number {
    return this.#bytes
  }

  /** One more entry that announces `size` bytes: what is announced is refused before it is read. @throws PACKAGE_TOO_LARGE, PACKAGE_BOMB */
  entry(size: number): void {
    this.#entries++
    if (this.#entries > this.#limits.maxEntries) refuse('PACKAGE_TOO_LARGE', `has more than ${this.#limits.maxEntries} entries`, 'pack fewer files')
    this.#check(this.#bytes + size)
    this.#bytes += size
  }

  /** A path of the layer, or a link's target: all are kept in memory to the end, and cost next to nothing in the package. @throws PACKAGE_TOO_LARGE */
  path(path: string): void {
    const { maxPathsBytes } = this.#limits
    this.#pathsBytes += Buffer.byteLength(path)
    if (this.#pathsBytes > maxPathsBytes) refuse('PACKAGE_TOO_LARGE', `has too many paths, or too long ones: its paths have more than ${maxPathsBytes} bytes`, 'pack fewer files, or in fewer folders')
  }

  #check(bytes: number): void {
    const { maxUnpackedBytes, maxRatio, ratioFloorBytes } = this.#limits
    if (bytes > maxUnpackedBytes) refuse('PACKAGE_TOO_LARGE', `unpacks to more than ${maxUnpackedBytes} bytes`, 'make the package smaller, or raise TARSIMAGE_MAX_UNPACKED of the builder')
    if (bytes > ratioFloorBytes && bytes > maxRatio * this.#packed) refuse('PACKAGE_BOMB', `unpacks to more than ${maxRatio} times its ${this.#packed} bytes`, 'if this is meant, raise TARSIMAGE_MAX_RATIO of the builder')
  }
}

function refuse(code: string, what: string, remedy: string): never {
  throw new Failure(code, `the package ${what}`, { remedy })
}
