import { createHash, randomUUID } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Failure } from '#base/errors.ts'
import { removeTree } from '../remove-tree.ts'
import { LayersBelow } from './below.ts'
import type { UnpackedLayer } from './unpack.ts'
import { unpackLayer } from './unpack.ts'

const defaultFolderMode = 0o755

export interface LayerDescriptor {
  readonly digest: string
  readonly mediaType: string
  readonly size: number
}

/**
 * Content by digest and unpacked layers under one folder:
 * `blobs/sha256/<hex>` verified bytes, `layers/<hex>/{fs,layer.json}` unpacked, `tmp/` what is under way.
 * Everything appears by rename, so what is there is whole, also after a kill -9.
 */
export class ImageStore {
  readonly #folder: string
  readonly #userNamespace: boolean
  readonly #busy = new Map<string, Promise<unknown>>()

  constructor(folder: string, userNamespace: boolean) {
    this.#folder = folder
    this.#userNamespace = userNamespace
  }

  /** Makes the folders and drops what an earlier run left half done. */
  async open(): Promise<void> {
    await rm(join(this.#folder, 'tmp'), { recursive: true, force: true })
    for (const name of ['tmp', 'blobs/sha256', 'layers']) await mkdir(join(this.#folder, name), { recursive: true, mode: 0o711 })
  }

  /** The file with this content, fetched and verified first when it is not there. */
  async blob(digest: string, fetch: () => Promise<Readable>): Promise<string> {
    const file = join(this.#folder, 'blobs/sha256', hexOf(digest))
    await this.#once(digest, async () => {
      if (await exists(file)) return
      const temporary = this.#temporary()
      const hash = createHash('sha256')
      const meter = new Transform({ transform: (chunk: Buffer, _encoding, done) => (hash.update(chunk), done(null, chunk)) })
      try {
        await pipeline(await fetch(), meter, createWriteStream(temporary, { flags: 'wx' }))
        const found = `sha256:${hash.digest('hex')}`
        if (found !== digest) throw new Failure('IMAGE_DIGEST', `the registry sent ${found} where ${digest} was asked for`, { remedy: 'push the image again', temporary: true })
        await rename(temporary, file)
      } finally {
        await rm(temporary, { force: true })
      }
    })
    return file
  }

  /** A small document by digest. */
  async document(digest: string, fetch: () => Promise<Readable>): Promise<unknown> {
    return JSON.parse(await readFile(await this.blob(digest, fetch), 'utf8')) as unknown
  }

  /**
   * The folder of an unpacked layer. Layers are shared between images by their own digest; only a layer whose meaning
   * depends on those below it is kept by the digest of the whole chain (OCI image spec, "ChainID").
   * @param below folders of the layers under it, uppermost first
   */
  async layer(layer: LayerDescriptor, diffId: string, chainId: string, below: readonly string[], fetch: () => Promise<Readable>): Promise<string> {
    const alone = join(this.#folder, 'layers', hexOf(diffId))
    const chained = join(this.#folder, 'layers', hexOf(chainId))
    return this.#once(`chain ${chainId}`, () =>
      this.#once(`layer ${diffId}`, async () => {
        if (await exists(chained)) return join(chained, 'fs')
        const known = await readMeta(alone)
        if (known !== undefined && !dependsOn(known, below)) return join(alone, 'fs')
        const temporary = this.#temporary()
        try {
          // straight from the registry: the diffId, which the verified config names, vouches for every byte
          const unpacked = await unpackLayer({ content: await fetch(), mediaType: layer.mediaType, diffId, target: join(temporary, 'fs'), below, userNamespace: this.#userNamespace })
          await writeFile(join(temporary, 'layer.json'), JSON.stringify(unpacked))
          const target = unpacked.dependsOnBelow || known !== undefined ? chained : alone
          await rename(temporary, target)
          return join(target, 'fs')
        } finally {
          await rm(temporary, { recursive: true, force: true })
        }
      }),
    )
  }

  /** Removes unpacked layers that are not in use. @param inUse folders that {@link layer} returned */
  async keepOnly(inUse: ReadonlySet<string>): Promise<void> {
    const layers = join(this.#folder, 'layers')
    for (const name of await readdir(layers)) if (!inUse.has(join(layers, name, 'fs'))) await removeTree(join(layers, name))
  }

  #temporary(): string {
    return join(this.#folder, 'tmp', randomUUID())
  }

  /** One worker a key at a time; those who come later find its result. */
  async #once<T>(key: string, work: () => Promise<T>): Promise<T> {
    const earlier = this.#busy.get(key) ?? Promise.resolve()
    const mine = earlier.then(work, work)
    this.#busy.set(key, mine)
    try {
      return await mine
    } finally {
      if (this.#busy.get(key) === mine) this.#busy.delete(key)
    }
  }
}

/** True when an implied folder is, below, a link or has a mode or owner of its own. */
function dependsOn(layer: UnpackedLayer, below: readonly string[]): boolean {
  const layers = new LayersBelow(below)
  return layer.dependsOnBelow || layer.implied.some((path) => {
    const stats = layers.stat(path)?.stats
    if (stats === undefined) return false
    return !stats.isDirectory() || (stats.mode & 0o7777) !== defaultFolderMode || stats.uid !== 0 || stats.gid !== 0
  })
}

async function readMeta(folder: string): Promise<UnpackedLayer | undefined> {
  const text = await readFile(join(folder, 'layer.json'), 'utf8').catch(() => undefined)
  return text === undefined ? undefined : (JSON.parse(text) as UnpackedLayer)
}

/** The hex part of a sha256 digest; anything else is refused, because it becomes a file name. */
function hexOf(digest: string): string {
  const hex = /^sha256:([0-9a-f]{64})$/.exec(digest)?.[1]
  if (hex === undefined) throw new Failure('IMAGE_DIGEST', `${JSON.stringify(digest)} is not a sha256 digest`, { remedy: 'push the image again' })
  return hex
}

async function exists(file: string): Promise<boolean> {
  return (await stat(file).catch(() => undefined)) !== undefined
}
