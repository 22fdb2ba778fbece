import { createHash } from 'node:crypto'
import { mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '#base/errors.ts'
import type { Credentials } from '../../../imagebuilder/oci/auth.ts'
import { pullFromRegistry } from './image/registry-source.ts'
import type { LocalImage } from './image/pull.ts'
import { ImageStore } from './image/store.ts'

/** The images of this machine: pulled by policy, remembered by reference over restarts. */
export class Images {
  readonly #store: ImageStore
  readonly #folder: string
  readonly #busy = new Map<string, Promise<LocalImage>>()

  constructor(folder: string, userNamespace: boolean) {
    this.#store = new ImageStore(folder, userNamespace)
    this.#folder = join(folder, 'references')
  }

  async open(): Promise<void> {
    await this.#store.open()
    await mkdir(this.#folder, { recursive: true })
  }

  /**
   * The image by the container's policy: `Always` asks the registry for the reference's digest each time, and fetches
   * only what is not here; `IfNotPresent` asks when it is not here; `Never` does not ask.
   * @throws IMAGE_*, REGISTRY_*
   */
  async obtain(reference: string, policy: string, credentials: Credentials, onPull: () => void): Promise<LocalImage> {
    if (reference.trim() === '') throw new Failure('IMAGE_REFERENCE_INVALID', 'the container has no image', { remedy: 'release an image for it' })
    const known = policy === 'Always' ? undefined : await this.#recall(reference)
    if (known !== undefined) return known
    if (policy === 'Never') throw new Failure('IMAGE_NOT_PRESENT', `image ${reference} is not here and imagePullPolicy is Never`, { remedy: 'use IfNotPresent or Always' })
    onPull()
    return this.#pull(reference, credentials)
  }

  /** Forgets the images that no pod asks for, and frees their layers. Only while nothing runs or is pulled. */
  async collect(wanted: ReadonlySet<string>): Promise<void> {
    const keep = new Set<string>()
    for (const name of await readdir(this.#folder)) {
      const file = join(this.#folder, name)
      const text = await readFile(file, 'utf8').catch(() => '')
      const image = name.endsWith('.json') ? (JSON.parse(text) as LocalImage & { readonly askedFor: string }) : undefined
      if (image === undefined || !wanted.has(image.askedFor)) await rm(file, { force: true })
      else for (const layer of image.layers) keep.add(layer)
    }
    await this.#store.keepOnly(keep)
  }

  #pull(reference: string, credentials: Credentials): Promise<LocalImage> {
    const under = this.#busy.get(reference)
    if (under !== undefined) return under
    const pull = pullFromRegistry(reference, this.#store, credentials)
      .then(async (image) => (await this.#remember(reference, image), image))
      .finally(() => this.#busy.delete(reference))
    this.#busy.set(reference, pull)
    return pull
  }

  #file(reference: string): string {
    return join(this.#folder, `${createHash('sha256').update(reference).digest('hex')}.json`)
  }

  async #recall(reference: string): Promise<LocalImage | undefined> {
    const text = await readFile(this.#file(reference), 'utf8').catch(() => undefined)
    if (text === undefined) return undefined
    const image = JSON.parse(text) as LocalImage
    const whole = await Promise.all(image.layers.map((layer) => stat(layer).then(() => true, () => false)))
    return whole.every(Boolean) ? image : undefined
  }

  async #remember(reference: string, image: LocalImage): Promise<void> {
    await writeFile(`${this.#file(reference)}.new`, JSON.stringify({ ...image, askedFor: reference }))
    await rename(`${this.#file(reference)}.new`, this.#file(reference))
  }
}

/** Kubernetes' default: `Always` for the tag latest or none, else `IfNotPresent`. */
export function pullPolicy(image: string, policy: string | undefined): string {
  if (policy !== undefined && policy !== '') return policy
  const name = image.slice(image.lastIndexOf('/') + 1)
  return image.includes('@') || (name.includes(':') && !name.endsWith(':latest')) ? 'IfNotPresent' : 'Always'
}
