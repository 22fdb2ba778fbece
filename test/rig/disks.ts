import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** File systems of their own, small enough to be filled, in a mount namespace that ends with this process. */
export class Disks {
  readonly #folder: string
  readonly #keeper: ChildProcess

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
    const keeper = spawn('setpriv', ['--pdeathsig', 'KILL', 'unshare', '--mount', '--propagation', 'private', 'sh', '-c', `${mounts.join(' && ')} && echo mounted && exec cat`], { stdio: ['pipe', 'pipe', 'inherit'] })
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
