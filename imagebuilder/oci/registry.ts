import { pipeline, Readable } from 'node:stream'
import { Failure } from '#base/errors.ts'
import { digestMismatch, digestOf, verifying } from './digest.ts'
import { downloaded } from './download.ts'
import { Session, type Call, type RegistryAccess } from './session.ts'
import { readAll, type Answer } from './transport.ts'
import { manifestAccept, mediaTypes, type Descriptor, type Index } from './types.ts'
import { ChunkedUpload, later } from './upload.ts'

const maximumManifest = 4 << 20

export interface RawManifest {
  readonly mediaType: string
  readonly digest: string
  readonly body: Buffer
}

/** One repository of a registry (OCI distribution-spec 1.1). Every method throws Failures named REGISTRY_*. */
export class Repository {
  readonly name: string
  readonly registry: string
  readonly #session: Session
  readonly #scope: string

  constructor(session: Session, name: string, rights: 'pull' | 'pull,push') {
    this.name = name
    this.registry = session.registry
    this.#session = session
    this.#scope = `repository:${name}:${rights}`
  }

  /** The manifest or index behind a tag or digest; a digest is verified. @throws IMAGE_NOT_FOUND */
  async manifest(reference: string, signal?: AbortSignal): Promise<RawManifest> {
    const doing = `reading manifest ${this.name}:${reference}`
    const answer = await this.#call({ method: 'GET', path: `/manifests/${reference}`, headers: { accept: manifestAccept }, expect: [200, 404], doing, signal })
    const body = await readAll(answer, maximumManifest, this.registry, doing)
    if (answer.status === 404) throw this.#notFound(reference)
    const digest = digestOf(body)
    if (reference.startsWith('sha256:') && digest !== reference) throw digestMismatch(`manifest ${this.name}@${reference}`, reference, digest)
    return { mediaType: (answer.headers['content-type'] ?? '').split(';')[0] ?? '', digest, body }
  }

  /** True when the repository has this manifest or tag. */
  async hasManifest(reference: string, signal?: AbortSignal): Promise<boolean> {
    const answer = await this.#call({ method: 'HEAD', path: `/manifests/${reference}`, headers: { accept: manifestAccept }, expect: [200, 404], doing: `looking for ${this.name}:${reference}`, signal })
    answer.body.resume()
    return answer.status === 200
  }

  /**
   * Publishes a manifest under a tag or its digest.
   * @returns true when the registry lists it among the referrers of its subject (distribution-spec 1.1 "Pushing Manifests with Subject")
   */
  async putManifest(reference: string, mediaType: string, body: Buffer, signal?: AbortSignal): Promise<boolean> {
    const call = { method: 'PUT', path: `/manifests/${reference}`, headers: { 'content-type': mediaType }, body: [body], expect: [200, 201, 202], doing: `publishing ${this.name}:${reference}`, signal } as const
    const answer = await this.#call(call)
    answer.body.resume()
    return answer.headers['oci-subject'] !== undefined
  }

  /** What refers to a manifest (distribution-spec 1.1 "Listing Referrers"); undefined from a registry that does not list it. */
  async referrers(digest: string, signal?: AbortSignal): Promise<Index | undefined> {
    const doing = `listing what refers to ${digest}`
    const answer = await this.#call({ method: 'GET', path: `/referrers/${digest}`, headers: { accept: mediaTypes.ociIndex }, expect: [200, 400, 404, 405], doing, signal })
    const body = await readAll(answer, maximumManifest, this.registry, doing)
    return answer.status === 200 ? (JSON.parse(body.toString('utf8')) as Index) : undefined
  }

  async hasBlob(digest: string, signal?: AbortSignal): Promise<boolean> {
    const answer = await this.#call({ method: 'HEAD', path: `/blobs/${digest}`, expect: [200, 404], doing: `looking for blob ${digest}`, signal })
    answer.body.resume()
    return answer.status === 200
  }

  /** The blob's bytes, verified while they are read: the stream fails when they are not what was named. A download that is cut goes on. */
  async blob({ digest }: Descriptor, signal?: AbortSignal): Promise<Readable> {
    const call = { method: 'GET', path: `/blobs/${digest}`, doing: `reading blob ${digest}`, signal } as const
    const pieces = downloaded(await this.#call({ ...call, expect: [200] }), {
      ...call, registry: this.registry, attempts: this.#session.attempts,
      again: (offset) => this.#call({ ...call, headers: { range: `bytes=${offset}-` }, expect: [200, 206] }),
    })
    return pipeline(Readable.from(pieces), verifying(digest, `blob ${digest} of ${this.registry}/${this.name}`), () => {})
  }

  /** Makes a blob of another repository of this registry ours without moving bytes; false when the registry would not. */
  async mount(digest: string, from: string, signal?: AbortSignal): Promise<boolean> {
    const question = `?mount=${encodeURIComponent(digest)}&from=${encodeURIComponent(from)}`
    const answer = await this.#post(question, [201, 202], `mounting blob ${digest}`, signal, [`repository:${from}:pull`])
    if (answer.status === 201) return true
    await this.#upload(answer, 'an unused mount', signal).abort()
    return false
  }

  /** Puts a small blob there in two requests, whether it is there or not. */
  async putBlob(digest: string, content: Buffer, doing: string, signal?: AbortSignal): Promise<void> {
    const upload = this.startUpload(doing, signal)
    try {
      await upload.commitWhole(digest, content)
    } catch (error) {
      await upload.abort()
      throw error
    }
  }

  /** Begins an upload whose digest is known at its end only. @param doing for errors, e.g. `uploading the package layer` */
  startUpload(doing: string, signal?: AbortSignal): ChunkedUpload {
    return this.#upload(this.#post('', [202], doing, signal), doing, signal)
  }

  /** Asks for an upload. One of which nobody hears in time is given up when it is heard of, for its name is known to nobody else. */
  async #post(question: string, expect: readonly number[], doing: string, signal: AbortSignal | undefined, moreScopes: readonly string[] = []): Promise<Answer> {
    const late = async (answer: Answer): Promise<void> => {
      answer.body.resume()
      if (answer.status === 202) await this.#upload(answer, doing, signal).abort()
    }
    const answer = await this.#call({ method: 'POST', path: `/blobs/uploads/${question}`, expect, doing, signal: later(signal), late }, moreScopes)
    answer.body.resume()
    return answer
  }

  /** @param answer to the POST */
  #upload(answer: Answer | Promise<Answer>, doing: string, signal: AbortSignal | undefined): ChunkedUpload {
    const locate = async (): Promise<string> => {
      const { location, 'oci-chunk-min-length': least } = (await answer).headers
      // What is sent while it is made ends when it pauses, and may be a chunk that is too short; others are so at the end alone.
      if (least !== undefined) this.#session.streams = false
      if (location === undefined) throw new Failure('REGISTRY_REFUSED', `registry ${this.registry} gave no upload location while ${doing}`, { remedy: 'check that the address is that of a registry' })
      return location
    }
    return new ChunkedUpload(this.#session, locate(), { scopes: [this.#scope], doing, signal })
  }

  #call(call: Omit<Call, 'scopes'>, moreScopes: readonly string[] = []): ReturnType<Session['call']> {
    return this.#session.call({ ...call, path: `/v2/${this.name}${call.path}`, scopes: [this.#scope, ...moreScopes] })
  }

  #notFound(reference: string): Failure {
    const separator = reference.startsWith('sha256:') ? '@' : ':'
    return new Failure('IMAGE_NOT_FOUND', `image ${this.registry}/${this.name}${separator}${reference} does not exist`, { remedy: 'check the name and the tag, or push it first', context: { registry: this.registry, repository: this.name, reference } })
  }
}

/** Opens a repository. Close the session when done with it. */
export function openRepository(registry: string, name: string, rights: 'pull' | 'pull,push', access: RegistryAccess = {}): { repository: Repository; session: Session; close: () => void } {
  const session = new Session(registry, access, name)
  return { repository: new Repository(session, name, rights), session, close: () => session.close() }
}
