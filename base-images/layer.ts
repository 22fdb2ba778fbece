import { lstat, readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'

/** One path of a base image, as the layer writer takes it. */
export interface StagedEntry {
  readonly path: string
  readonly mode?: number
  readonly source?: string
  readonly link?: string
  readonly directory?: true
}

/** Everything in a staged root, as the entries of its layer. /tmp keeps its sticky bit. */
export async function stagedEntries(root: string, folder = ''): Promise<StagedEntry[]> {
  const names = (await readdir(join(root, folder))).sort()
  const entries = await Promise.all(names.map((name) => entriesAt(root, `${folder}/${name}`)))
  return entries.flat()
}

async function entriesAt(root: string, path: string): Promise<StagedEntry[]> {
  const source = join(root, path)
  const stat = await lstat(source)
  if (stat.isSymbolicLink()) return [{ path, link: await readlink(source) }]
  if (stat.isDirectory()) return [{ path, directory: true, mode: path === '/tmp' ? 0o1777 : 0o755 }, ...(await stagedEntries(root, path))]
  return stat.isFile() ? [{ path, mode: (stat.mode & 0o111) === 0 ? 0o644 : 0o755, source }] : []
}
