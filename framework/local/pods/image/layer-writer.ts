import { createWriteStream } from 'node:fs'
import { chmod, copyFile, lchown, link, lutimes, mkdir, rm, symlink, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Header } from 'tar-stream'
import type { Libc } from '../namespace/libc.ts'
import type { LayersBelow } from './below.ts'
import { LayerTree, cleanEntryName, parent, pathFailure } from './tree.ts'

const whiteoutPrefix = '.wh.'
const opaqueName = '.wh..wh..opq'
const defaultFolderMode = 0o755

/** Writes a layer's entries under a folder, one after the other. */
export class LayerWriter {
  readonly #root: string
  readonly #below: LayersBelow
  readonly #tree: LayerTree
  readonly #owners: boolean
  readonly #opaqueAttribute: string
  readonly #folderTimes = new Map<string, Date>()
  #libc: Libc | undefined
  dependsOnBelow = false
  skipped = 0

  constructor(root: string, below: LayersBelow, userNamespace: boolean) {
    this.#root = root
    this.#below = below
    this.#owners = process.getuid?.() === 0
    this.#opaqueAttribute = userNamespace ? 'user.overlay.opaque' : 'trusted.overlay.opaque'
    this.#tree = new LayerTree((path) => {
      const entry = below.look(path)
      if (entry?.kind === 'link') this.dependsOnBelow = true
      return entry
    })
  }

  get implied(): ReadonlySet<string> {
    return this.#tree.implied
  }

  /** @throws IMAGE_LAYER_PATH */
  async write(header: Header, content: Readable): Promise<void> {
    const name = cleanEntryName(header.name)
    const { path, missing } = this.#tree.resolve(name)
    for (const folder of missing) await this.#imply(folder)
    const base = path.slice(path.lastIndexOf('/') + 1)
    if (base.startsWith(whiteoutPrefix)) await this.#whiteout(path, base)
    else await this.#entry(header, path, content)
    content.resume()
  }

  /** Sets the times of folders, which writing into them changed. */
  async finish(): Promise<void> {
    for (const [path, time] of [...this.#folderTimes].reverse()) if (this.#tree.get(path)?.kind === 'directory') await utimes(join(this.#root, path), time, time)
  }

  /** A folder without an entry of its own looks as it does below, because it covers that one. */
  async #imply(path: string): Promise<void> {
    const file = join(this.#root, path)
    const below = this.#below.stat(path)?.stats
    await mkdir(file, { mode: defaultFolderMode })
    if (below?.isDirectory() === true) {
      const { mode, uid, gid } = below
      if ((mode & 0o7777) !== defaultFolderMode || uid !== 0 || gid !== 0) this.dependsOnBelow = true
      if (this.#owners) await lchown(file, uid, gid)
      await chmod(file, mode & 0o7777)
    }
    this.#tree.set(path, { kind: 'directory' })
    this.#tree.implied.add(path)
  }

  async #whiteout(path: string, base: string): Promise<void> {
    const folder = parent(path)
    // loaded when needed: most layers have no whiteouts, and node:ffi announces itself as experimental
    this.#libc ??= (await import('../namespace/libc.ts')).openLibc()
    if (base === opaqueName) return this.#libc.setAttribute(join(this.#root, folder), this.#opaqueAttribute, 'y')
    if (base.startsWith('.wh..wh.')) return // bookkeeping of the aufs file system
    const hidden = base.slice(whiteoutPrefix.length)
    if (hidden === '' || hidden === '.' || hidden === '..') throw pathFailure(path, 'it is a whiteout of no name')
    const target = folder === '' ? hidden : `${folder}/${hidden}`
    await this.#clear(target)
    this.#libc.makeWhiteout(join(this.#root, target))
    this.#tree.set(target, { kind: 'file' })
  }

  async #entry(header: Header, path: string, content: Readable): Promise<void> {
    const file = join(this.#root, path)
    const { mtime } = header
    switch (header.type) {
      case 'directory':
        await this.#folder(path, file)
        this.#folderTimes.set(path, mtime)
        return this.#ownAndMode(file, header)
      case 'symlink':
        await this.#clear(path)
        await symlink(header.linkname ?? '', file)
        this.#tree.set(path, { kind: 'link', target: header.linkname ?? '' })
        if (this.#owners) await lchown(file, header.uid ?? 0, header.gid ?? 0)
        return lutimes(file, mtime, mtime)
      case 'link':
        return this.#hardLink(path, file, header.linkname ?? '')
      case 'file':
      case 'contiguous-file':
        await this.#clear(path)
        await pipeline(content, createWriteStream(file, { flags: 'wx', mode: 0o600 }))
        this.#tree.set(path, { kind: 'file' })
        await this.#ownAndMode(file, header)
        return utimes(file, mtime, mtime)
      default:
        this.skipped++
    }
  }

  async #folder(path: string, file: string): Promise<void> {
    if (path === '') return
    if (this.#tree.get(path)?.kind !== 'directory') {
      await this.#clear(path)
      await mkdir(file)
    }
    this.#tree.set(path, { kind: 'directory' })
  }

  async #hardLink(path: string, file: string, linkName: string): Promise<void> {
    const resolved = this.#tree.resolve(cleanEntryName(linkName))
    const known = this.#tree.get(resolved.path)
    if (known?.kind === 'directory') throw pathFailure(path, `it is a hard link to the folder ${linkName}`)
    if (known !== undefined) {
      if (resolved.path === path) return
      await this.#clear(path)
      await link(join(this.#root, resolved.path), file)
      this.#tree.set(path, known)
      return
    }
    const below = this.#below.stat(resolved.path)
    if (below === undefined || !below.stats.isFile()) throw pathFailure(path, `it is a hard link to ${linkName}, which is not there`)
    this.dependsOnBelow = true
    await this.#clear(path)
    await copyFile(below.file, file)
    this.#tree.set(path, { kind: 'file' })
    await this.#ownAndMode(file, { uid: below.stats.uid, gid: below.stats.gid, mode: below.stats.mode & 0o7777 })
  }

  async #clear(path: string): Promise<void> {
    if (path === '') throw pathFailure(path, 'the root can only be a folder')
    if (this.#tree.get(path) === undefined) return
    await rm(join(this.#root, path), { recursive: true, force: true })
    this.#tree.remove(path)
  }

  /** Mode after owner: chown(2) clears set-user-ID bits. Without root, folders stay writable for their owner. */
  async #ownAndMode(file: string, { uid, gid, mode }: Pick<Header, 'uid' | 'gid' | 'mode'>): Promise<void> {
    if (this.#owners) await lchown(file, uid ?? 0, gid ?? 0)
    await chmod(file, ((mode ?? defaultFolderMode) & 0o7777) | (this.#owners ? 0 : 0o600))
  }
}
