import { createCipheriv, randomBytes, randomUUID } from 'node:crypto'
import { open, rm, statfs, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'

interface Kept {
  readonly pack: Pack
  readonly at: number
  readonly length: number
  /** Of the member: what the disk gives back is checked. */
  readonly sum: number
}

/** The members of one build, in one file without a name: it goes with the process, however that ends. */
interface Pack {
  readonly file: FileHandle
  readonly keys: string[]
  size: number
  /** Builds that read or write just now. */
  users: number
}

/** What one build takes and keeps. */
export interface BuildMembers {
  /** What a content is called here. */
  nameOf(content: Buffer): string
  /** The compressed member of this content, if an earlier build kept it. Its memory is the caller's. */
  find(key: string): Promise<Buffer | undefined>
  /** Keeps a member for later builds; a disk that is full keeps none. */
  keep(key: string, parts: readonly Buffer[]): Promise<void>
  /** To be called at the end of the build, whatever came of it. */
  close(): Promise<void>
}

/** Smaller contents are compressed again sooner than they are looked for. Bytes. */
export const worthKeeping = 64 << 10
/** Open files, and members remembered, at most. */
const [mostPacks, mostMembers] = [256, 50_000]

/** Of what names are computed with: names that differ by their contents alone need it to be the same always. */
const nonce = Buffer.alloc(12)

const sumOf = (parts: readonly Buffer[]): number => parts.reduce((sum, part) => crc32(part, sum), 0)

/**
 * Compressed members of earlier builds by their content, so that the next release of a server compresses only what has
 * changed. They are in files, one a build; of these the oldest go when all together become too large. A member is a function of
 * its content alone, so images do not differ by what was kept. It lives as long as the service.
 */
export class MemberCache {
  readonly #dir: string
  readonly #mostBytes: number
  readonly #kept = new Map<string, Kept>()
  readonly #packs: Pack[] = []
  readonly #secret = randomBytes(16)

  private constructor(dir: string, mostBytes: number) {
    this.#dir = dir
    this.#mostBytes = mostBytes
  }

  /** @param dir is there @param mostBytes kept in all; also no more than a tenth of the disk, whose room is for uploads */
  static async open(dir: string, mostBytes: number): Promise<MemberCache> {
    const { blocks, bsize } = await statfs(dir)
    return new MemberCache(dir, Math.min(mostBytes, Math.floor((blocks * bsize) / 10)))
  }

  /** Forgets everything. */
  async close(): Promise<void> {
    for (const pack of [...this.#packs]) await this.#drop(pack)
  }

  async build(): Promise<BuildMembers> {
    const path = join(this.#dir, randomUUID())
    const pack: Pack = { file: await open(path, 'wx+'), keys: [], size: 0, users: 1 }
    await rm(path)
    this.#packs.push(pack)
    return {
      nameOf: (content) => this.#nameOf(content),
      find: (key) => this.#find(key),
      keep: (key, parts) => this.#keep(pack, key, parts),
      close: () => this.#leave(pack),
    }
  }

  /**
   * GMAC (NIST SP 800-38D) under a secret that nobody learns: who cannot see the names cannot make two contents of one name
   * but by a chance of 2^-100, and it takes a tenth of the time of a hash that must withstand those who can.
   */
  #nameOf(content: Buffer): string {
    const mac = createCipheriv('aes-128-gcm', this.#secret, nonce).setAAD(content)
    mac.final()
    return mac.getAuthTag().toString('latin1')
  }

  async #find(key: string): Promise<Buffer | undefined> {
    const kept = this.#kept.get(key)
    if (kept === undefined) return undefined
    const { pack, at, length, sum } = kept
    pack.users++
    try {
      const member = Buffer.allocUnsafeSlow(length)
      const { bytesRead } = await pack.file.read(member, 0, length, at)
      return bytesRead === length && crc32(member) === sum ? member : undefined
    } catch {
      return undefined
    } finally {
      await this.#leave(pack)
    }
  }

  async #keep(pack: Pack, key: string, parts: readonly Buffer[]): Promise<void> {
    const length = parts.reduce((sum, part) => sum + part.length, 0)
    if (this.#kept.has(key) || pack.size + length > this.#mostBytes) return
    const at = pack.size
    pack.size += length
    try {
      await pack.file.writev([...parts], at)
    } catch {
      return
    }
    this.#kept.set(key, { pack, at, length, sum: sumOf(parts) })
    pack.keys.push(key)
  }

  async #leave(pack: Pack): Promise<void> {
    pack.users--
    let bytes = this.#packs.reduce((sum, { size }) => sum + size, 0)
    for (const old of [...this.#packs]) {
      const surplus = old.size === 0 || bytes > this.#mostBytes || this.#packs.length > mostPacks || this.#kept.size > mostMembers
      if (!surplus || old.users > 0) continue
      bytes -= old.size
      await this.#drop(old)
    }
  }

  async #drop(pack: Pack): Promise<void> {
    const at = this.#packs.indexOf(pack)
    // Somebody else drops it just now.
    if (at < 0) return
    this.#packs.splice(at, 1)
    for (const key of pack.keys) if (this.#kept.get(key)?.pack === pack) this.#kept.delete(key)
    await pack.file.close()
  }
}
