import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { Failure } from '#base/errors.ts'

/** First address given to pods; lower ones are for the cluster itself (API server, registry). */
const firstHost = 10
const lastHost = 254

/**
 * One loopback address a pod name, `127.R.S.N`, remembered in a file: a pod that is made again, also by a later run,
 * has its old address. Linux answers on all of 127.0.0.0/8 without configuration (RFC 1122 section 3.2.1.3).
 */
export class AddressBook {
  readonly #file: string
  readonly #subnet: string
  readonly #byPod: Map<string, number>
  #saving: Promise<void> = Promise.resolve()

  private constructor(file: string, subnet: string, byPod: Map<string, number>) {
    this.#file = file
    this.#subnet = subnet
    this.#byPod = byPod
  }

  /**
   * @param subnet the first three numbers, e.g. `127.77.3`
   * @throws POD_SUBNET_INVALID
   */
  static async open(file: string, subnet: string): Promise<AddressBook> {
    if (!/^127(\.(25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){2}$/.test(subnet)) throw new Failure('POD_SUBNET_INVALID', `the pods' subnet must be of the form 127.R.S, not "${subnet}"`, { remedy: 'give two numbers from 0 to 255 after 127' })
    const text = await readFile(file, 'utf8').catch(() => '{}')
    return new AddressBook(file, subnet, new Map(readSaved(text)))
  }

  /** @param pod `namespace/name` */
  async addressOf(pod: string): Promise<string> {
    const known = this.#byPod.get(pod)
    if (known !== undefined) return `${this.#subnet}.${known}`
    const host = this.#free()
    this.#byPod.set(pod, host)
    await this.#save()
    return `${this.#subnet}.${host}`
  }

  /** Gives the addresses back of pods that `alive` does not have, when they are needed. */
  async reclaim(alive: (pod: string) => boolean): Promise<void> {
    if (this.#byPod.size < lastHost - firstHost) return
    for (const pod of this.#byPod.keys()) if (!alive(pod)) this.#byPod.delete(pod)
    await this.#save()
  }

  #free(): number {
    const used = new Set(this.#byPod.values())
    for (let host = firstHost; host <= lastHost; host++) if (!used.has(host)) return host
    throw new Failure('POD_ADDRESSES_USED_UP', `all ${lastHost - firstHost + 1} pod addresses of ${this.#subnet}.0/24 are in use`, { remedy: 'delete pods, or use a real Kubernetes cluster', temporary: true })
  }

  #save(): Promise<void> {
    const text = `${JSON.stringify(Object.fromEntries(this.#byPod), null, 1)}\n`
    this.#saving = this.#saving.catch(() => {}).then(async () => {
      await mkdir(dirname(this.#file), { recursive: true })
      await writeFile(`${this.#file}.new`, text)
      await rename(`${this.#file}.new`, this.#file)
    })
    return this.#saving
  }
}

function readSaved(text: string): [string, number][] {
  try {
    const saved = JSON.parse(text) as Record<string, unknown>
    return Object.entries(saved).filter((entry): entry is [string, number] => Number.isInteger(entry[1]))
  } catch {
    return []
  }
}
