import { randomBytes } from 'node:crypto'
import { Failure } from '#base/errors.ts'
import { codeOf, type Folder } from './folder.ts'

/**
 * Empties a folder. A folder below it is first moved to the top and then emptied, so that two descriptors do for a tree of any
 * depth, and what is cut short goes on where it was. Moving fails at a place where something is mounted: what others mounted into
 * a volume is not removed with it.
 * @throws Failure VOLUME_HAS_MOUNT
 */
export async function emptyFolder(top: Folder, signal?: AbortSignal): Promise<void> {
  const prefix = `.removed-${randomBytes(6).toString('hex')}-`
  let moved = 0
  const lift = async (from: Folder, name: string): Promise<void> => {
    try {
      await from.move(name, top, `${prefix}${moved++}`)
    } catch (error) {
      if (codeOf(error) === 'EBUSY' || codeOf(error) === 'EXDEV') throw hasMount(`${from.path}/${name}`)
      throw error
    }
  }
  for (let entries = await namesIn(top); entries.length > 0; entries = await namesIn(top)) {
    for (const { name, isFolder } of entries) {
      signal?.throwIfAborted()
      if (!isFolder) await unlink(top, name)
      else if (name.startsWith(prefix)) await drain(top, name, lift, signal)
      else await lift(top, name)
    }
  }
}

/** Empties one folder of the top and removes it. */
async function drain(top: Folder, name: string, lift: (from: Folder, name: string) => Promise<void>, signal: AbortSignal | undefined): Promise<void> {
  await using folder = await top.enter(name)
  for (let entries = await namesIn(folder); entries.length > 0; entries = await namesIn(folder)) {
    for (const entry of entries) {
      signal?.throwIfAborted()
      if (entry.isFolder) await lift(folder, entry.name)
      else await unlink(folder, entry.name)
    }
  }
  await top.rmdir(name)
}

async function unlink(folder: Folder, name: string): Promise<void> {
  try {
    await folder.unlink(name)
  } catch (error) {
    if (codeOf(error) === 'EBUSY') throw hasMount(`${folder.path}/${name}`)
    if (codeOf(error) !== 'ENOENT') throw error
  }
}

/** Names at a time: bounds the memory. */
const batch = 1000

async function namesIn(folder: Folder): Promise<{ name: string; isFolder: boolean }[]> {
  const found: { name: string; isFolder: boolean }[] = []
  for await (const entry of folder.entries()) {
    found.push({ name: entry.name, isFolder: entry.isDirectory() })
    if (found.length === batch) break
  }
  return found
}

function hasMount(path: string): Failure {
  return new Failure('VOLUME_HAS_MOUNT', `something is mounted at ${path}, in a volume that is to be removed`, { context: { path }, remedy: 'unmount it; the rest of the volume goes then' })
}
