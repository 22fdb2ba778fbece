import { lstatSync, readlinkSync } from 'node:fs'
import type { Stats } from 'node:fs'
import { join } from 'node:path'
import type { TreeEntry } from './tree.ts'

/** The unpacked layers under the one at hand, uppermost first. */
export class LayersBelow {
  readonly #folders: readonly string[]
  constructor(folders: readonly string[]) {
    this.#folders = folders
  }

  /** What the merged layers have at `path`, which must not go through a link. */
  look(path: string): TreeEntry | undefined {
    const stats = this.stat(path)?.stats
    if (stats === undefined) return undefined
    if (stats.isDirectory()) return { kind: 'directory' }
    return stats.isSymbolicLink() ? { kind: 'link', target: readlinkSync(this.stat(path)?.file ?? '') } : { kind: 'file' }
  }

  /** The uppermost file at `path`, or undefined when there is none or a whiteout hides it. */
  stat(path: string): { readonly file: string; readonly stats: Stats } | undefined {
    for (const folder of this.#folders) {
      const state = lookIn(folder, path)
      if (state === 'absent') continue
      return state === 'hidden' ? undefined : state
    }
    return undefined
  }
}

function lookIn(folder: string, path: string): { file: string; stats: Stats } | 'absent' | 'hidden' {
  let file = folder
  const parts = path.split('/')
  for (const [index, part] of parts.entries()) {
    file = join(file, part)
    const stats = lstatSync(file, { throwIfNoEntry: false })
    if (stats === undefined) return 'absent'
    if (stats.isCharacterDevice()) return 'hidden'
    if (index === parts.length - 1) return { file, stats }
    if (!stats.isDirectory()) return 'hidden'
  }
  return 'absent'
}
