import { parseElf, scriptHeadBytes, scriptLine } from '#base/elf-head.ts'
import { Failure } from '#base/errors.ts'
import type { LayerStream } from '../layer-stream.ts'
import { Budget } from './budget.ts'
import { ElfLinks } from './elf-links.ts'
import type { PackageEntry, PackageSource } from './entry.ts'
import { Inventory } from './inventory.ts'
import type { PackageLimits } from './limits.ts'
import { entryParts, findEscapingLink, refuseLink, staysWithin } from './path.ts'
import type { TopFolder } from './top-folder.ts'

/** Linux makes no symbolic link to more (PATH_MAX, with its NUL). Bytes. */
const longestTarget = 4095

/** Looks at the content of a file on its way; each piece is good until the next comes. */
export interface Observer {
  see(piece: Buffer): void
  /** The file was seen to its end. */
  end?(): void
}

export interface RewriteOptions {
  /** Folder of the image that the package's root becomes, e.g. `usr/local/server/bin`. */
  readonly root: string
  readonly limits: PackageLimits
  readonly topFolder: TopFolder
  /** True for a file that the server may be started from; its head is examined. */
  readonly isCandidate: (path: string) => boolean
  /** Who looks at a file of the package, beside us. */
  readonly observe?: ((path: string, size: number) => Observer | undefined) | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Streams a package into a layer: paths moved below the root, owners and times dropped, modes 0755 or 0644 by the
 * executable bit, order as in the package. Nothing is unpacked to disk.
 * @throws PACKAGE_* for whatever must not get into an image; TopFolderContradicted to start again
 */
export async function rewritePackage(source: PackageSource, layer: LayerStream, options: RewriteOptions): Promise<Inventory> {
  const rewriter = new Rewriter(layer, options, new Budget(options.limits, source.size))
  await writeRoot(layer, options.root)
  for await (const entry of source.entries(options.signal)) await rewriter.add(entry)
  return rewriter.finish()
}

/** The folders down to the root, so that they are there and readable whatever the base brings. */
export async function writeRoot(layer: LayerStream, root: string): Promise<void> {
  const parts = root.split('/')
  for (let length = 1; length <= parts.length; length++) await layer.entry({ path: parts.slice(0, length).join('/'), type: 'directory', mode: 0o755, size: 0 })
}

class Rewriter {
  readonly #layer: LayerStream
  readonly #options: RewriteOptions
  readonly #budget: Budget
  readonly #inventory = new Inventory()

  constructor(layer: LayerStream, options: RewriteOptions, budget: Budget) {
    this.#layer = layer
    this.#options = options
    this.#budget = budget
  }

  async add(entry: PackageEntry): Promise<void> {
    this.#budget.entry(entry.size)
    const named = entryParts(entry.name, this.#options.limits.maxPathBytes)
    if (isOfMac(named, entry)) {
      const { head, content } = await peek(entry.content, appleDouble.length)
      if (entry.type === 'directory' || head.equals(appleDouble)) return
      return this.#add(named, { ...entry, content })
    }
    return this.#add(named, entry)
  }

  async #add(named: readonly string[], entry: PackageEntry): Promise<void> {
    const isDirectory = entry.type === 'directory'
    const parts = this.#options.topFolder.strip(named, isDirectory)
    if (entry.type === 'unsupported') refuseKind(entry)
    if (parts.length === 0) return isDirectory ? undefined : refuseRoot(entry)
    for (const parent of this.#inventory.missingParents(parts, entry.name)) await this.#directory(parent)
    const path = parts.join('/')
    this.#budget.path(entry.target)
    if (isDirectory) await this.#directory(path)
    else if (entry.type === 'file') await this.#file(path, entry)
    else if (entry.type === 'symlink') await this.#symlink(parts, entry)
    else await this.#hardLink(path, entry)
  }

  /** @throws PACKAGE_LINK_ESCAPES for a chain of links, PACKAGE_EMPTY */
  finish(): Inventory {
    const escaping = findEscapingLink(this.#inventory.links)
    if (escaping !== undefined) refuseLink(escaping.link, escaping.target, this.#options.root)
    if (this.#inventory.fileCount === 0) throw new Failure('PACKAGE_EMPTY', 'the package has no files', { remedy: 'pack the built server' })
    return this.#inventory
  }

  #place(path: string): string {
    return `${this.#options.root}/${path}`
  }

  async #directory(path: string): Promise<void> {
    this.#budget.path(path)
    if (this.#inventory.add(path, 'directory')) await this.#layer.entry({ path: this.#place(path), type: 'directory', mode: 0o755, size: 0 })
  }

  async #file(path: string, entry: PackageEntry): Promise<void> {
    let { content } = entry
    let executable = ((entry.mode ?? 0) & 0o111) !== 0
    if (entry.mode === undefined || this.#options.isCandidate(path)) {
      const peeked = await peek(content, scriptHeadBytes)
      content = peeked.content
      const elf = parseElf(peeked.head)
      const script = scriptLine(peeked.head)
      // A zip made on Windows has no modes, and tarsnode may not be allowed to set one in the container.
      executable ||= elf !== undefined || script !== undefined
      if (this.#options.isCandidate(path)) {
        const links = new ElfLinks()
        if (elf !== undefined) content = seenBy(links, content)
        this.#inventory.candidates.push({ path, executable, script, elf, get linked() { return links.names() } })
      }
    }
    this.#budget.path(path)
    this.#inventory.add(path, executable ? 'executable' : 'file')
    const observer = this.#options.observe?.(path, entry.size)
    if (observer !== undefined) content = seenBy(observer, content)
    await this.#layer.entry({ path: this.#place(path), type: 'file', mode: executable ? 0o755 : 0o644, size: entry.size }, content)
  }

  async #symlink(parts: readonly string[], entry: PackageEntry): Promise<void> {
    const path = parts.join('/')
    if (Buffer.byteLength(entry.target) > longestTarget) throw new Failure('PACKAGE_PATH_INVALID', `package link "${path}" has a target of ${Buffer.byteLength(entry.target)} bytes; at most ${longestTarget} are taken`, { remedy: 'shorten the path', context: { link: path } })
    if (!staysWithin(parts, entry.target)) refuseLink(path, entry.target, this.#options.root)
    this.#budget.path(path)
    this.#inventory.add(path, 'symlink', entry.target)
    await this.#layer.entry({ path: this.#place(path), type: 'symlink', mode: 0o777, size: 0, target: entry.target })
  }

  /** A hard link names another entry by its path in the archive, which must have come before. */
  async #hardLink(path: string, entry: PackageEntry): Promise<void> {
    const target = this.#linkedFile(path, entry)
    const kind = this.#inventory.kind(target)
    if (kind !== 'file' && kind !== 'executable') {
      throw new Failure('PACKAGE_LINK_DANGLING', `package hard link "${path}" points to "${entry.target}", which is no file of the package before it`, { remedy: 'pack the file itself ("tar --hard-dereference")', context: { link: path, target: entry.target } })
    }
    this.#budget.path(path)
    this.#inventory.add(path, kind)
    await this.#layer.entry({ path: this.#place(path), type: 'link', mode: kind === 'executable' ? 0o755 : 0o644, size: 0, target: this.#place(target) })
  }

  #linkedFile(path: string, entry: PackageEntry): string {
    try {
      return this.#options.topFolder.strip(entryParts(entry.target, this.#options.limits.maxPathBytes), false).join('/')
    } catch (error) {
      if (!(error instanceof Failure)) throw error
      return refuseLink(path, entry.target, this.#options.root)
    }
  }
}

/**
 * Packers of macOS put a file beside each that has attributes there (RFC 1740, AppleDouble), zips of the Finder all of them
 * into one folder. Elsewhere they are of no use, and beside the one top folder they would be a second.
 */
const appleDouble = Buffer.from('00051607', 'hex')

function isOfMac(parts: readonly string[], { type }: PackageEntry): boolean {
  return (type === 'file' && parts.at(-1)?.startsWith('._') === true) || (type === 'directory' && parts[0] === '__MACOSX')
}

function refuseKind(entry: PackageEntry): never {
  throw new Failure('PACKAGE_ENTRY_TYPE', `package entry "${entry.name}" is a ${entry.kind}; only files, folders and links can be released`, { remedy: 'leave it out of the package', context: { entry: entry.name, kind: entry.kind } })
}

function refuseRoot(entry: PackageEntry): never {
  throw new Failure('PACKAGE_PATH_INVALID', `package entry "${entry.name}" would replace the root folder`, { remedy: 'pack again from a clean folder', context: { entry: entry.name } })
}

async function* seenBy(observer: Observer, content: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  for await (const piece of content) {
    observer.see(piece)
    yield piece
  }
  observer.end?.()
}

/** The first `bytes` bytes (fewer at the end), and a content that still has them: a copy, for they are good only until the next are asked for. */
async function peek(content: AsyncIterable<Buffer>, bytes: number): Promise<{ head: Buffer; content: AsyncIterable<Buffer> }> {
  const iterator = content[Symbol.asyncIterator]()
  const parts: Buffer[] = []
  for (let size = 0; size < bytes; ) {
    const next = await iterator.next()
    if (next.done === true) break
    parts.push(Buffer.from(next.value))
    size += next.value.length
  }
  const rest = async function* (): AsyncGenerator<Buffer> {
    yield* parts
    yield* { [Symbol.asyncIterator]: () => iterator }
  }
  return { head: Buffer.concat(parts.map((part) => part.subarray(0, bytes))), content: rest() }
}
