import { Failure } from '#base/errors.ts'
import { codeOf, Folder } from '../files/folder.ts'
import { emptyFolder } from '../files/remove-tree.ts'
import type { Owner } from './owner.ts'
import { pathOf, type Place } from './place.ts'

/** The folders of local volumes on this node. Every step may be repeated, and ends in the same state. */
export class HostFolders {
  readonly base: string

  constructor(base: string) {
    this.base = base
  }

  /** Makes the folder, and gives it its owner and mode; what is in it stays. */
  async make({ namespace, server, volume }: Place, owner: Owner): Promise<void> {
    await using base = await this.#open()
    await using first = await base.ensure(namespace)
    await using second = await first.ensure(server)
    await using folder = await second.ensure(volume)
    await folder.chown(owner)
  }

  /** Removes the folder with all that is in it; where the node's operator mounted a disk, only what is in it. */
  async remove(place: Place, signal?: AbortSignal): Promise<void> {
    const left = await this.#leave(place, (folder) => emptyFolder(folder, signal))
    if (left === 'not empty') throw new Failure('VOLUME_IN_USE', `somebody still writes to ${pathOf(this.base, place)}`, { temporary: true, remedy: 'end the process that does' })
  }

  /** Removes the folder if nothing is in it. */
  async removeEmpty(place: Place): Promise<void> {
    await this.#leave(place, async () => {})
  }

  /** Removes the folder when it is empty after `clear`, and those above that are empty then. */
  async #leave({ namespace, server, volume }: Place, clear: (folder: Folder) => Promise<void>): Promise<string> {
    let outcome: string
    try {
      await using base = await this.#open()
      {
        await using first = await base.enter(namespace)
        {
          await using second = await first.enter(server)
          {
            await using folder = await second.enter(volume)
            await clear(folder)
          }
          outcome = await second.rmdir(volume)
        }
        await first.rmdir(server)
      }
      await base.rmdir(namespace)
      return outcome
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error
      return 'absent'
    }
  }

  /** Never made here: a base that is not the node's own folder would lose the volumes with this container. */
  async #open(): Promise<Folder> {
    try {
      return await Folder.open(this.base)
    } catch (cause) {
      throw new Failure('VOLUME_BASE_MISSING', `the base folder of local volumes ${this.base} cannot be opened`, { cause, remedy: 'mount the folder of the node there, or set TLVInHost' })
    }
  }
}
