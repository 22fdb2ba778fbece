import { FileStore } from '@tus/file-store'
import { Server } from '@tus/server'
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, statfs } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Failure } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'
import type { Package } from './build.ts'

export interface UploadsOptions {
  /** Keeps what was uploaded, over restarts of the builder. */
  readonly dir: string
  /** Bytes of one package. */
  readonly maxBytes: number
  /** An upload that no build took with success is kept for so long. Milliseconds. */
  readonly keepMs: number
  readonly log: Logger
}

/** What tus answers for an error (tus 1.0.0 "Responses"). */
interface Refusal {
  readonly status_code: number
  readonly body: string
}

/** A disk with less room is full: a write may fail before nothing is left. Bytes. */
const fullBytes = 1 << 20
const full: Refusal = { status_code: 507, body: 'the disk of the builder is full (free space under TARSIMAGE_WORKSPACE)\n' }
const path = '/v1/uploads'
/** "Checksum Mismatch" (tus 1.0.0 "Checksum"). */
const checksumMismatch = 460

/**
 * Uploads in resumable chunks by the tus protocol 1.0.0, with its extensions creation, creation-with-upload, termination
 * and expiration. The metadata `filename` is the package's name; `sha256` (hex) is checked against what came.
 */
export class Uploads {
  readonly #options: UploadsOptions
  readonly #store: FileStore
  readonly #server: Server
  /** Those that a build has. */
  readonly #taken = new Set<string>()

  private constructor(options: UploadsOptions) {
    const { dir: directory, maxBytes, keepMs } = options
    this.#options = options
    this.#store = new FileStore({ directory, expirationPeriodInMilliseconds: keepMs })
    this.#server = new Server({
      path, datastore: this.#store, maxSize: maxBytes, relativeLocation: true,
      onUploadCreate: async (_request, { size, metadata }) => {
        const { bavail, bsize } = await statfs(directory)
        if ((size ?? 0) > bavail * bsize) refuse(full.status_code, full.body)
        const sum = metadata?.['sha256']
        if (sum !== undefined && sum !== null && !isSha256(sum)) refuse(400, 'metadata sha256 is not 64 hex digits')
        return {}
      },
      onUploadFinish: async (_request, { id, metadata }) => {
        const sum = metadata?.['sha256']
        if (typeof sum !== 'string' || (await sha256Of(this.#fileOf(id))) === sum.toLowerCase()) return {}
        await this.#store.remove(id)
        return refuse(checksumMismatch, 'the upload does not have the announced sha256 (send it again)')
      },
      // Of a write that failed the store says little or nothing.
      onResponseError: async (_request, error) => {
        const { bavail, bsize } = await statfs(directory)
        const status = 'status_code' in error ? error.status_code : 500
        return status === 500 && bavail * bsize < fullBytes ? full : undefined
      },
      onIncomingRequest: async (request, id) => {
        if (request.method !== 'HEAD' && this.#taken.has(id)) refuse(409, 'a build has this upload (wait for its end)')
      },
    })
  }

  static async open(options: UploadsOptions): Promise<Uploads> {
    await mkdir(options.dir, { recursive: true })
    return new Uploads(options)
  }

  /** Answers a request of the protocol. */
  handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    return this.#server.handle(request, response)
  }

  /**
   * Gives an upload to a build; one that fails leaves it here, to be built again.
   * @param sha256 hex, of the whole file; empty: not checked
   * @throws UPLOAD_NOT_FOUND, UPLOAD_UNFINISHED, UPLOAD_IN_USE, CHECKSUM_MISMATCH
   */
  async take(id: string, sha256: string): Promise<Package> {
    const upload = /^[0-9a-f]+$/.test(id) ? await this.#store.getUpload(id).catch(() => undefined) : undefined
    if (upload === undefined) throw new Failure('UPLOAD_NOT_FOUND', `there is no upload ${id}`, { remedy: `create one by POST ${path}; they are kept for ${this.#options.keepMs / 1000} s` })
    if (upload.offset !== upload.size) throw new Failure('UPLOAD_UNFINISHED', `upload ${id} has ${upload.offset} of ${upload.size ?? 'unknown'} bytes`, { remedy: 'send the rest by PATCH' })
    if (this.#taken.has(id)) throw new Failure('UPLOAD_IN_USE', `a build has upload ${id}`, { remedy: 'wait for its end, or upload again' })
    this.#taken.add(id)
    try {
      const found = sha256 === '' ? '' : await sha256Of(this.#fileOf(id))
      if (found !== sha256.toLowerCase()) throw new Failure('CHECKSUM_MISMATCH', `upload ${id} has the sha256 ${found}, not ${sha256}`, { remedy: 'upload it again' })
    } catch (error) {
      this.#taken.delete(id)
      throw error
    }
    return {
      file: this.#fileOf(id),
      filename: upload.metadata?.['filename'] ?? '',
      release: async (built) => {
        if (built) await this.#store.remove(id).catch((error: unknown) => this.#options.log.error('an upload could not be removed', { id, error }))
        this.#taken.delete(id)
      },
    }
  }

  /** Removes what is older than `keepMs` and in no build. */
  async sweep(now = Date.now()): Promise<void> {
    for (const id of (await this.#store.configstore.list?.()) ?? []) {
      const upload = await this.#store.configstore.get(id)
      const created = Date.parse(upload?.creation_date ?? '')
      if (this.#taken.has(id) || now - created < this.#options.keepMs) continue
      await this.#store.remove(id).catch(() => {})
    }
  }

  #fileOf(id: string): string {
    return `${this.#options.dir}/${id}`
  }
}

const isSha256 = (text: string): boolean => /^[0-9a-f]{64}$/i.test(text)

/** tus-server takes refusals as thrown objects of this shape. */
function refuse(code: number, body: string): never {
  // oxlint-disable-next-line typescript/only-throw-error -- the library's way
  throw { status_code: code, body: `${body.trimEnd()}\n` } satisfies Refusal
}

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const part of createReadStream(file, { highWaterMark: 1 << 20 })) hash.update(part as Buffer)
  return hash.digest('hex')
}
