import { createHash, randomUUID, type Hash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { BlobStore } from './blobs.ts'
import { OciError } from './errors.ts'
import { remove, sizeOf, writeAtomic } from './files.ts'
import { checkUploadId } from './names.ts'

/** The digest so far, valid while the file is as long as `offset`; otherwise it is made anew from the file. */
interface Running {
  readonly hash: Hash
  offset: number
  busy: boolean
}

/**
 * Unfinished blobs: `uploads/<id>` grows as bytes arrive and is all the state there is, so an upload survives the
 * process and is resumed from the file's length.
 */
export class UploadStore {
  readonly #folder: string
  readonly #blobs: BlobStore
  readonly #running = new Map<string, Running>()

  constructor(root: string, blobs: BlobStore) {
    this.#folder = join(root, 'uploads')
    this.#blobs = blobs
  }

  /** @returns the new upload's id */
  async start(): Promise<string> {
    const id = randomUUID()
    await mkdir(this.#folder, { recursive: true })
    await writeAtomic(this.#path(id), '', this.#blobs.temporary)
    this.#running.set(id, { hash: createHash('sha256'), offset: 0, busy: false })
    return id
  }

  /** Bytes received. @throws BLOB_UPLOAD_UNKNOWN */
  async received(id: string): Promise<number> {
    const size = await sizeOf(this.#path(id))
    if (size === undefined) throw new OciError('BLOB_UPLOAD_UNKNOWN', 'no such upload')
    return size
  }

  /**
   * Appends what the body brings; when the sender is cut off, what came is kept.
   * @param from offset the sender believes to continue at, or undefined for the end
   * @throws RANGE_INVALID when that is not the end, or another request is moving it
   */
  async append(id: string, body: AsyncIterable<Buffer>, from: number | undefined): Promise<number> {
    const received = await this.received(id)
    if (from !== undefined && from !== received) throw new OciError('RANGE_INVALID', `the upload has ${received} bytes; continue there`, { received })
    const running = await this.#state(id, received)
    if (running.busy) throw new OciError('RANGE_INVALID', 'another request is writing to this upload', { received })
    running.busy = true
    try {
      await this.#write(id, body, running)
    } finally {
      running.busy = false
    }
    return running.offset
  }

  /** Ends the upload as a blob of `repository`. @throws DIGEST_INVALID, and drops the upload, when the content differs */
  async finish(id: string, repository: string, digest: string): Promise<void> {
    const running = await this.#state(id, await this.received(id))
    const found = `sha256:${running.hash.copy().digest('hex')}`
    if (found !== digest) {
      await this.cancel(id)
      throw new OciError('DIGEST_INVALID', `the content has digest ${found}, not ${digest}`, { found })
    }
    await this.#blobs.adopt(repository, digest, this.#path(id))
    this.#running.delete(id)
  }

  /** @throws BLOB_UPLOAD_UNKNOWN */
  async cancel(id: string): Promise<void> {
    this.#running.delete(id)
    if (!(await remove(this.#path(id)))) throw new OciError('BLOB_UPLOAD_UNKNOWN', 'no such upload')
  }

  /** Removes uploads that nobody continued for `ageMs`. */
  async expire(ageMs: number, now: number): Promise<void> {
    for (const name of await readdir(this.#folder).catch(() => [])) {
      const path = join(this.#folder, name)
      const { mtimeMs } = await stat(path)
      if (now - mtimeMs > ageMs) await remove(path)
    }
  }

  #path(id: string): string {
    return join(this.#folder, checkUploadId(id))
  }

  async #write(id: string, body: AsyncIterable<Buffer>, running: Running): Promise<void> {
    const file = await open(this.#path(id), 'a')
    try {
      for await (const part of body) {
        await file.writeFile(part)
        running.hash.update(part)
        running.offset += part.length
      }
    } finally {
      await file.close()
    }
  }

  async #state(id: string, size: number): Promise<Running> {
    const known = this.#running.get(id)
    if (known !== undefined && (known.busy || known.offset === size)) return known
    const hash = createHash('sha256')
    for await (const part of createReadStream(this.#path(id)) as AsyncIterable<Buffer>) hash.update(part)
    const fresh: Running = { hash, offset: size, busy: false }
    this.#running.set(id, fresh)
    return fresh
  }
}
