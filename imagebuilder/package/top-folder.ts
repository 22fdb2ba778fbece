import { posix } from 'node:path'

/**
 * Release packages usually hold one folder with everything in it (`Server/…`); that one folder is stripped. Whether there
 * is exactly one is known only at the end, so the first pass assumes what the first entry suggests, and the caller starts
 * again without stripping when a later entry contradicts it.
 */
export class TopFolder {
  readonly #kept: ReadonlySet<string>
  readonly #enabled: boolean
  #name: string | undefined
  #decided = false

  /** @param kept folders that belong to the layout of the type and are never stripped, e.g. `WEB-INF` */
  constructor(kept: readonly string[], enabled: boolean) {
    this.#kept = new Set(kept)
    this.#enabled = enabled
  }

  /** The folder that was stripped, if any. */
  get name(): string | undefined {
    return this.#name
  }

  /** The parts below the top folder. @throws TopFolderContradicted */
  strip(parts: readonly string[], isDirectory: boolean): readonly string[] {
    const first = parts[0]
    if (!this.#enabled || first === undefined) return parts
    const below = parts.length > 1 || isDirectory
    if (!this.#decided) {
      this.#decided = true
      if (below && !this.#kept.has(first)) this.#name = first
    }
    if (this.#name === undefined) return parts
    if (first !== this.#name || !below) throw new TopFolderContradicted()
    return parts.slice(1)
  }
}

/** Not an error of the package: the pass must be made again without stripping. */
export class TopFolderContradicted extends Error {
  override readonly name = 'TopFolderContradicted'
}

const layouts: Readonly<Record<string, readonly string[]>> = { 'java-war': ['WEB-INF', 'META-INF'], php: ['src'], python: ['src'] }

/** Folders that a package of this server type has at its root by its layout, or by what it may be started from. */
export function keptFolders(serverType: string, entrances: readonly string[] = []): readonly string[] {
  const above = entrances.map((path) => posix.normalize(path).split('/')).filter(({ length }) => length > 1)
  return [...(layouts[serverType] ?? []), ...above.map(([first = '']) => first)]
}
