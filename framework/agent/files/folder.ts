import { constants } from 'node:fs'
import { lstat, mkdir, open, opendir, rename, rmdir, unlink, type FileHandle } from 'node:fs/promises'
import type { BigIntStats, Dirent } from 'node:fs'
import { Failure } from '#base/errors.ts'

const { O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } = constants

/**
 * An open folder. What is below it is reached from the open descriptor, one name at a time and never through a link, as openat
 * does it: pods write to these folders, and a link that they plant there must not lead out of it, not even when it appears
 * between two calls.
 */
export class Folder implements AsyncDisposable {
  readonly #handle: FileHandle
  /** For messages only: what it was called when it was opened. */
  readonly path: string

  private constructor(handle: FileHandle, path: string) {
    this.#handle = handle
    this.path = path
  }

  /** Opens a folder that its operator names; links in `path` are the operator's own, and are followed. */
  static async open(path: string): Promise<Folder> {
    return new Folder(await open(path, O_RDONLY | O_DIRECTORY), path)
  }

  /** Opens a folder in this one. @throws Failure FOLDER_IS_LINK; ENOENT and ENOTDIR as the system has them */
  async enter(name: string): Promise<Folder> {
    const path = this.#shown(name)
    try {
      return new Folder(await this.#named(open(this.#at(name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW)), path)
    } catch (error) {
      if (codeOf(error) === 'ELOOP' || (codeOf(error) === 'ENOTDIR' && (await this.stat(name)).isSymbolicLink())) throw isLink(path)
      throw error
    }
  }

  /** Opens a folder in this one, and makes it first when it is not there. */
  async ensure(name: string): Promise<Folder> {
    await this.#named(mkdir(this.#at(name), 0o755)).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error
    })
    return await this.enter(name)
  }

  /** A regular file in this folder, for writing; neither a link nor a pipe is opened. */
  async openFile(name: string): Promise<FileHandle> {
    const handle = await this.#named(open(this.#at(name), O_RDWR | O_NOFOLLOW | O_NONBLOCK))
    if ((await handle.stat()).isFile()) return handle
    await handle.close()
    throw new Failure('FILE_IS_SPECIAL', `${this.#shown(name)} is no regular file`)
  }

  /** The entries, as they are read: a folder of millions costs no memory. */
  async *entries(): AsyncGenerator<Dirent> {
    yield* await this.#named(opendir(this.#self))
  }

  /** Of the entry itself, also when it is a link. */
  async stat(name: string): Promise<BigIntStats> {
    return await this.#named(lstat(this.#at(name), { bigint: true }))
  }

  /** Of this folder. */
  async own(): Promise<BigIntStats> {
    return await this.#handle.stat({ bigint: true })
  }

  /** Gives this folder an owner and a mode. */
  async chown({ uid, gid, mode }: { readonly uid: number; readonly gid: number; readonly mode: number }): Promise<void> {
    await this.#handle.chown(uid, gid)
    await this.#handle.chmod(mode)
  }

  /** Removes an entry that is no folder. */
  async unlink(name: string): Promise<void> {
    await this.#named(unlink(this.#at(name)))
  }

  /** Removes an empty folder. @returns what became of it; `busy`: something is mounted there */
  async rmdir(name: string): Promise<'removed' | 'absent' | 'not empty' | 'busy'> {
    try {
      await this.#named(rmdir(this.#at(name)))
      return 'removed'
    } catch (error) {
      const outcome = rmdirOutcomes[codeOf(error)]
      if (outcome === undefined) throw error
      return outcome
    }
  }

  /** Moves an entry of this folder into another one. */
  async move(name: string, to: Folder, newName: string): Promise<void> {
    await this.#named(rename(this.#at(name), to.#at(newName)))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close()
  }

  /** The system follows the first link, which is the open descriptor; `name` is one name, so there is no other. */
  #at(name: string): string {
    if (name === '' || name === '.' || name === '..' || /[/\0]/.test(name)) throw new Failure('NAME_UNSAFE', `${JSON.stringify(name)} is no name of an entry in ${this.path}`)
    return `${this.#self}/${name}`
  }

  get #self(): string {
    return `/proc/self/fd/${this.#handle.fd}`
  }

  /** An error of the system names the folder as its operator knows it. */
  async #named<T>(work: Promise<T>): Promise<T> {
    try {
      return await work
    } catch (error) {
      if (error instanceof Error) error.message = error.message.replaceAll(`${this.#self}/`, `${this.path}/`)
      throw error
    }
  }

  #shown(name: string): string {
    return `${this.path}/${name}`
  }
}

const rmdirOutcomes: Readonly<Record<string, 'absent' | 'not empty' | 'busy'>> = { ENOENT: 'absent', ENOTEMPTY: 'not empty', EEXIST: 'not empty', EBUSY: 'busy' }

/** The system's code of an error, or the Failure's own. */
export function codeOf(error: unknown): string {
  return (error as { code?: string } | null)?.code ?? ''
}

function isLink(path: string): Failure {
  return new Failure('FOLDER_IS_LINK', `${path} is a symbolic link where a folder must be`, { context: { path }, remedy: 'see who made it, and remove it' })
}
