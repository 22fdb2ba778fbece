import type { ElfHead } from '#base/elf-head.ts'
import { Failure } from '#base/errors.ts'

/** What stands under a path of the package. */
export type NodeKind = 'file' | 'executable' | 'directory' | 'symlink'

/** A file whose first bytes were looked at, because a server may be started from it. */
export interface Candidate {
  readonly path: string
  readonly executable: boolean
  /** What follows `#!` in the first line of a script. */
  readonly script: string | undefined
  readonly elf: ElfHead | undefined
  /** File names of the loader and libraries that it is linked with; undefined when they cannot be told. */
  readonly linked: readonly string[] | undefined
}

/** Every path that the package brings, as it will be below the root; filled by the one pass over it. */
export class Inventory {
  readonly #kinds = new Map<string, NodeKind>()
  readonly #links = new Map<string, string>()
  readonly candidates: Candidate[] = []
  fileCount = 0

  kind(path: string): NodeKind | undefined {
    return this.#kinds.get(path)
  }

  /** Symbolic links and their targets. */
  get links(): ReadonlyMap<string, string> {
    return this.#links
  }

  get paths(): IterableIterator<string> {
    return this.#kinds.keys()
  }

  /** The folders above `parts` that no entry has brought yet, top first. @throws PACKAGE_DUPLICATE when one is no folder */
  missingParents(parts: readonly string[], entry: string): string[] {
    if (parts.length === 1 || this.#kinds.get(parts.slice(0, -1).join('/')) === 'directory') return []
    const missing: string[] = []
    for (let length = 1; length < parts.length; length++) {
      const path = parts.slice(0, length).join('/')
      const kind = this.#kinds.get(path)
      if (kind === undefined) missing.push(path)
      else if (kind !== 'directory') conflict(entry, `"${path}" is a ${kind === 'symlink' ? 'link' : 'file'} and not a folder`)
    }
    return missing
  }

  /** Records a path. @returns false for a folder that is known already @throws PACKAGE_DUPLICATE */
  add(path: string, kind: NodeKind, target?: string): boolean {
    const known = this.#kinds.get(path)
    if (known === 'directory' && kind === 'directory') return false
    if (known !== undefined) conflict(path, 'it is in the package twice')
    this.#kinds.set(path, kind)
    if (target !== undefined) this.#links.set(path, target)
    if (kind === 'file' || kind === 'executable') this.fileCount++
    return true
  }
}

function conflict(entry: string, why: string): never {
  throw new Failure('PACKAGE_DUPLICATE', `package entry "${entry}" contradicts an earlier one: ${why}`, { remedy: 'pack again from a clean folder, without appending', context: { entry } })
}
