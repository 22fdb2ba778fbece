import { Failure } from '#base/errors.ts'

/** What the unpacked layer has at a path so far. */
export type TreeEntry = { readonly kind: 'directory' } | { readonly kind: 'file' } | { readonly kind: 'link'; readonly target: string }

/** Looks a path up in the layers below; undefined when they have nothing there. */
export type LookBelow = (path: string) => TreeEntry | undefined

const maxLinks = 40

/**
 * The paths of a layer while it is unpacked, so that no link is ever followed by the operating system: paths are
 * resolved here, with the container's root as their root, as the container itself would (path_resolution(7)).
 * Paths are relative and without `.`; `''` is the root.
 */
export class LayerTree {
  readonly #entries = new Map<string, TreeEntry>([['', { kind: 'directory' }]])
  readonly #below: LookBelow
  /** Folders that the archive uses without having an entry for them. */
  readonly implied = new Set<string>()

  constructor(below: LookBelow) {
    this.#below = below
  }

  /** What this layer itself has at `path`. */
  get(path: string): TreeEntry | undefined {
    return this.#entries.get(path)
  }

  set(path: string, entry: TreeEntry): void {
    this.#entries.set(path, entry)
    this.implied.delete(path)
  }

  /** Forgets `path` and all below it. */
  remove(path: string): void {
    this.#entries.delete(path)
    const prefix = `${path}/`
    for (const key of this.#entries.keys()) if (key.startsWith(prefix)) this.#entries.delete(key)
  }

  /**
   * Where `path` really is: links of its folders followed, the last part not.
   * @returns the path and the folders that must be made first, outermost first
   * @throws IMAGE_LAYER_PATH when a folder of it is a file, or links go round in a circle
   */
  resolve(path: string): { readonly path: string; readonly missing: readonly string[] } {
    const missing = new Set<string>()
    let left = path.split('/')
    let at = ''
    for (let links = 0; left.length > 1; ) {
      const [part = '', ...rest] = left
      const next = step(at, part)
      const link = next === at || part === '..' ? undefined : this.#linkAt(next, path)
      if (link === undefined) {
        if (this.#entries.get(next) === undefined) missing.add(next)
        at = next
        left = rest
        continue
      }
      if (++links > maxLinks) throw pathFailure(path, `more than ${maxLinks} links on the way`)
      at = link.startsWith('/') ? '' : at
      left = [...link.split('/'), ...rest]
    }
    return { path: step(at, left[0] ?? ''), missing: [...missing] }
  }

  /** Where the link at `folder` points; undefined for a folder and for what is yet to be made. */
  #linkAt(folder: string, path: string): string | undefined {
    const entry = this.#entries.get(folder) ?? this.#fromBelow(folder)
    if (entry?.kind === 'file') throw pathFailure(path, `${folder} is a file, not a folder`)
    return entry?.kind === 'link' ? entry.target : undefined
  }

  #fromBelow(path: string): TreeEntry | undefined {
    const entry = this.#below(path)
    return entry?.kind === 'file' ? undefined : entry
  }
}

/** One part of a path further; nothing is above the root. */
function step(at: string, part: string): string {
  if (part === '' || part === '.') return at
  if (part === '..') return parent(at)
  return at === '' ? part : `${at}/${part}`
}

/**
 * An archive entry's name as a clean relative path.
 * @throws IMAGE_LAYER_PATH for a name that climbs out by `..`, or has a NUL
 */
export function cleanEntryName(name: string): string {
  const parts = name.split('/').filter((part) => part !== '' && part !== '.')
  if (parts.includes('..') || name.includes('\0')) throw pathFailure(name, 'a layer may not name paths outside of its root')
  return parts.join('/')
}

export function parent(path: string): string {
  return path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : ''
}

export function pathFailure(path: string, why: string): Failure {
  return new Failure('IMAGE_LAYER_PATH', `the layer's entry ${JSON.stringify(path)} was refused: ${why}`, { remedy: 'rebuild the image', context: { path } })
}
