import { randomUUID } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

function missing(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code
  return code === 'ENOENT' || code === 'ENOTDIR'
}

/** The result of a file operation, or undefined when the file is not there. */
export async function ifThere<T>(operation: Promise<T>): Promise<T | undefined> {
  try {
    return await operation
  } catch (error) {
    if (missing(error)) return undefined
    throw error
  }
}

export async function sizeOf(path: string): Promise<number | undefined> {
  return (await ifThere(stat(path)))?.size
}

export async function readText(path: string): Promise<string | undefined> {
  return ifThere(readFile(path, 'utf8'))
}

export async function namesIn(folder: string): Promise<string[]> {
  return ((await ifThere(readdir(folder))) ?? []).sort()
}

/** Writes so that a reader, or a process that starts after a kill, sees the old content or the new one and never a part. */
export async function writeAtomic(path: string, content: string | Buffer, temporary: string): Promise<void> {
  const draft = join(temporary, randomUUID())
  await mkdir(dirname(path), { recursive: true })
  try {
    await writeFile(draft, content, { flush: true })
    await rename(draft, path)
  } finally {
    await rm(draft, { force: true })
  }
}

/** Makes the file's bytes durable. */
export async function sync(path: string): Promise<void> {
  const file = await open(path, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Removes a file; true when it was there. */
export async function remove(path: string): Promise<boolean> {
  return (await ifThere(rm(path).then(() => true))) ?? false
}

/** Every folder below `root` that directly contains a folder named `marker`, as paths relative to `root`, sorted. */
export async function foldersWith(root: string, marker: string): Promise<string[]> {
  const found: string[] = []
  const visit = async (relative: string): Promise<void> => {
    for (const entry of (await ifThere(readdir(join(root, relative), { withFileTypes: true }))) ?? []) {
      if (!entry.isDirectory()) continue
      if (entry.name === marker) found.push(relative)
      else if (!entry.name.startsWith('_')) await visit(relative === '' ? entry.name : `${relative}/${entry.name}`)
    }
  }
  await visit('')
  return found.sort()
}
