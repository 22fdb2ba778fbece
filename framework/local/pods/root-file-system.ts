import { createHash, randomUUID } from 'node:crypto'
import { chmod, chown, copyFile, lstat, mkdir, readdir, readlink, rename, symlink, utimes } from 'node:fs/promises'
import { constants } from 'node:fs'
import { join } from 'node:path'
import type { Libc } from './namespace/libc.ts'
import type { Platform } from './namespace/platform.ts'
import type { PlannedRoot } from './namespace/plan.ts'
import { removeTree } from './remove-tree.ts'

/**
 * A fresh writable root for one run of a container, over its image's layers.
 * @param folder the container's own folder; what an earlier run wrote there is gone afterwards
 */
export async function prepareRoot(platform: Pick<Platform, 'rootFileSystem'>, folder: string, layers: readonly string[]): Promise<PlannedRoot> {
  for (const name of ['upper', 'work', 'rootfs']) await removeTree(join(folder, name))
  await mkdir(join(folder, 'rootfs'), { recursive: true, mode: 0o755 })
  if (platform.rootFileSystem === 'copy') {
    const libc = (await import('./namespace/libc.ts')).openLibc()
    for (const layer of layers.toReversed()) await copyLayer(layer, join(folder, 'rootfs'), libc)
    return { kind: 'directory', path: join(folder, 'rootfs') }
  }
  for (const name of ['upper', 'work']) await mkdir(join(folder, name), { mode: 0o755 })
  return { kind: 'overlay', lower: layers, upper: join(folder, 'upper'), work: join(folder, 'work'), mountPoint: join(folder, 'rootfs') }
}

/**
 * The content of an image as one folder, not to be written to: its only layer, or a copy of all of them that is made once.
 * @param folder where copies are kept
 */
export async function mergedLayers(layers: readonly string[], folder: string): Promise<string> {
  const [top, ...below] = layers
  if (top !== undefined && below.length === 0) return top
  const target = join(folder, createHash('sha256').update(layers.join('\n')).digest('hex').slice(0, 16))
  if (await isFolder(target)) return target
  const libc = (await import('./namespace/libc.ts')).openLibc()
  const temporary = `${target}.${randomUUID()}`
  await mkdir(temporary, { recursive: true, mode: 0o755 })
  for (const layer of layers.toReversed()) await copyLayer(layer, temporary, libc)
  try {
    await rename(temporary, target)
  } catch (error) {
    await removeTree(temporary)
    // another container of the pod was quicker
    if (!(await isFolder(target))) throw error
  }
  return target
}

/** Lays a layer over a folder as the overlay file system would: whiteouts remove, opaque folders hide what is below. */
async function copyLayer(layer: string, target: string, libc: Libc): Promise<void> {
  for (const entry of await readdir(layer, { withFileTypes: true })) {
    const from = join(layer, entry.name)
    const to = join(target, entry.name)
    const hides = !entry.isDirectory() || opaqueAttributes.some((name) => libc.attribute(from, name) === 'y')
    if (hides || !(await isFolder(to))) await removeTree(to)
    if (entry.isDirectory()) {
      await mkdir(to, { recursive: true })
      await copyLayer(from, to, libc)
      await likeness(from, to)
    } else if (entry.isSymbolicLink()) await symlink(await readlink(from), to)
    else if (entry.isFile()) {
      await copyFile(from, to, constants.COPYFILE_FICLONE)
      await likeness(from, to)
    }
  }
}

const opaqueAttributes = ['user.overlay.opaque', 'trusted.overlay.opaque']

async function isFolder(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isDirectory() === true
}

async function likeness(from: string, to: string): Promise<void> {
  const { uid, gid, mode, atime, mtime } = await lstat(from)
  if (process.getuid?.() === 0) await chown(to, uid, gid)
  await chmod(to, mode & 0o7777)
  await utimes(to, atime, mtime)
}
