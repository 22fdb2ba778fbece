import { link, mkdir, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { OciError } from './errors.ts'
import { foldersWith, remove, sizeOf, sync, writeAtomic } from './files.ts'
import { checkDigest } from './names.ts'

/**
 * Blobs: the bytes once under `blobs/sha256/<hex>`, and an empty file in each repository that has them
 * (`repositories/<name>/_blobs/<hex>`). A blob of one repository is not visible in another until it is mounted.
 */
export class BlobStore {
  readonly #root: string

  constructor(root: string) {
    this.#root = root
  }

  get temporary(): string {
    return join(this.#root, 'tmp')
  }

  /** Where the bytes are. */
  path(digest: string): string {
    return join(this.#root, 'blobs', 'sha256', checkDigest(digest))
  }

  #membership(repository: string, digest: string): string {
    return join(this.#root, 'repositories', repository, '_blobs', checkDigest(digest))
  }

  /** Size in bytes, or undefined when this repository does not have the blob. */
  async size(repository: string, digest: string): Promise<number | undefined> {
    if ((await sizeOf(this.#membership(repository, digest))) === undefined) return undefined
    return sizeOf(this.path(digest))
  }

  /** Takes over a finished file as the blob `digest`; the caller has checked its digest. */
  async adopt(repository: string, digest: string, file: string): Promise<void> {
    await mkdir(dirname(this.path(digest)), { recursive: true })
    await sync(file)
    await rename(file, this.path(digest))
    await this.#join(repository, digest)
  }

  /** Makes the blob part of `to`; false when `from` (any repository when undefined) does not have it. */
  async mount(to: string, digest: string, from: string | undefined): Promise<boolean> {
    const size = from === undefined ? await sizeOf(this.path(digest)) : await this.size(from, digest)
    if (size === undefined) return false
    await this.#join(to, digest)
    return true
  }

  /** @throws BLOB_UNKNOWN */
  async delete(repository: string, digest: string): Promise<void> {
    if (!(await remove(this.#membership(repository, digest)))) throw new OciError('BLOB_UNKNOWN', `${repository} has no blob ${digest}`, { digest })
    for (const other of await foldersWith(join(this.#root, 'repositories'), '_blobs')) {
      if ((await sizeOf(this.#membership(other, digest))) !== undefined) return
    }
    await remove(this.path(digest))
  }

  /** Stores small content, e.g. for tests and imports. */
  async put(repository: string, digest: string, content: Buffer): Promise<void> {
    await writeAtomic(this.path(digest), content, this.temporary)
    await this.#join(repository, digest)
  }

  /** Adds a file without a copy when it is on the same file system; the file must not change afterwards. */
  async linkFile(repository: string, digest: string, file: string): Promise<void> {
    await mkdir(dirname(this.path(digest)), { recursive: true })
    await link(file, this.path(digest)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
    await this.#join(repository, digest)
  }

  #join(repository: string, digest: string): Promise<void> {
    return writeAtomic(this.#membership(repository, digest), '', this.temporary)
  }
}
