import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** File systems of their own, small enough to be filled, in a mount namespace that ends with this process. */
export class Disks {
  readonly #folder: string
  readonly #keeper: ChildProcess
  readonly #frozen = new Set<string>()

  private constructor(folder: string, keeper: ChildProcess) {
    this.#folder = folder
    this.#keeper = keeper
  }

  /** @param sizes megabytes by the name of the disk */
  static async mount(folder: string, sizes: Readonly<Record<string, number>>): Promise<Disks> {
    const mounts = Object.entries(sizes).map(([name, size]) => {
      mkdirSync(join(folder, name), { recursive: true })
      return `mount -t tmpfs -o size=${size}m tmpfs '${join(folder, name)}'`
    })
    return Disks.#keep(folder, `${mounts.join(' && ')} && echo mounted && exec cat`)
  }

  /** One ext4 that can be frozen: then what is written to it waits, for ever if need be, as on a disk that hangs. @param size megabytes */
  static async freezable(folder: string, name: string, size: number): Promise<Disks> {
    const [image, disk] = [join(folder, `${name}.ext4`), join(folder, name)]
    mkdirSync(disk, { recursive: true })
    // It must not stay frozen when whoever froze it is gone: nobody could unmount it.
    return Disks.#keep(folder, `truncate -s ${size}M '${image}' && mkfs.ext4 -q '${image}' && mount -o loop '${image}' '${disk}' && echo mounted && cat; fsfreeze -u '${disk}' 2>/dev/null; umount '${disk}'`)
  }

  static async #keep(folder: string, script: string): Promise<Disks> {
    const keeper = spawn('unshare', ['--mount', '--propagation', 'private', 'sh', '-c', script], { stdio: ['pipe', 'pipe', 'inherit'] })
    const ended = once(keeper, 'exit').then(() => { throw new Error('file systems cannot be mounted here: run as root') })
    ended.catch(() => {})
    await Promise.race([once(keeper.stdout, 'data'), ended])
    return new Disks(folder, keeper)
  }

  /** Words before a command that is to see the disks. */
  get within(): readonly [program: string, ...words: string[]] {
    return ['nsenter', `--mount=/proc/${this.#keeper.pid ?? 0}/ns/mnt`, '--']
  }

  /** The path of a disk as the command sees it. */
  inside(name: string): string {
    return join(this.#folder, name)
  }

  /** The same, seen from here. */
  outside(name: string): string {
    return join('/proc', String(this.#keeper.pid ?? 0), 'root', this.inside(name))
  }

  /** What is written to it from here on waits, until it is {@link thaw}ed. */
  freeze(name: string): void {
    this.#fsfreeze('--freeze', name)
    this.#frozen.add(name)
  }

  /** Nothing happens to one that is not frozen. */
  thaw(name: string): void {
    if (this.#frozen.delete(name)) this.#fsfreeze('--unfreeze', name)
  }

  #fsfreeze(how: string, name: string): void {
    const [program, ...words] = this.within
    execFileSync(program, [...words, 'fsfreeze', how, this.inside(name)])
  }

  /** Paths of all files of a disk, below it. */
  files(name: string): string[] {
    return readdirSync(this.outside(name), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(this.outside(name).length + 1))
  }

  async unmount(): Promise<void> {
    const ended = once(this.#keeper, 'exit')
    this.#keeper.stdin?.end()
    await ended
  }
}
