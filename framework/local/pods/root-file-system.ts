import { cp, lstat, mkdir, readdir, rm } from 'node:fs/promises'
import { constants } from 'node:fs'
import { join } from 'node:path'
import type { Platform } from './namespace/platform.ts'
import type { PlannedRoot } from './namespace/plan.ts'

/**
 * A fresh writable root for one run of a container, over its image's layers.
 * @param folder the container's own folder; what an earlier run wrote there is gone afterwards
 */
export async function prepareRoot(platform: Platform, folder: string, layers: readonly string[]): Promise<PlannedRoot> {
  for (const name of ['upper', 'work', 'rootfs']) await rm(join(folder, name), { recursive: true, force: true })
  await mkdir(join(folder, 'rootfs'), { recursive: true, mode: 0o755 })
  if (platform.rootFileSystem === 'copy') {
    for (const layer of layers.toReversed()) await copyLayer(layer, join(folder, 'rootfs'))
    return { kind: 'directory', path: join(folder, 'rootfs') }
  }
  for (const name of ['upper', 'work']) await mkdir(join(folder, name), { mode: 0o755 })
  return { kind: 'overlay', lower: layers, upper: join(folder, 'upper'), work: join(folder, 'work'), mountPoint: join(folder, 'rootfs') }
}

/** Lays a layer over a folder; what its whiteouts hide is removed. Files are shared where the file system can. */
async function copyLayer(layer: string, target: string): Promise<void> {
  for (const entry of await readdir(layer, { withFileTypes: true })) {
    const from = join(layer, entry.name)
    const to = join(target, entry.name)
    const there = await lstat(to).catch(() => undefined)
    if (entry.isDirectory()) {
      if (there !== undefined && !there.isDirectory()) await rm(to, { force: true })
      await cp(from, to, { recursive: false, force: true, preserveTimestamps: true }).catch(() => mkdir(to, { recursive: true }))
      await copyLayer(from, to)
      continue
    }
    if (there !== undefined) await rm(to, { recursive: true, force: true })
    if (!entry.isCharacterDevice()) await cp(from, to, { verbatimSymlinks: true, preserveTimestamps: true, mode: constants.COPYFILE_FICLONE })
  }
}
