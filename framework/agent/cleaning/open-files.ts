import { readdir, readlink, stat } from 'node:fs/promises'

/**
 * Identities of the files that processes have open, as far as they can be seen: all of the node with hostPID, else those of this
 * container only.
 */
export async function openFiles(proc = '/proc'): Promise<ReadonlySet<string>> {
  const found = new Set<string>()
  for (const pid of await readdir(proc)) {
    if (!/^\d+$/.test(pid)) continue
    const folder = `${proc}/${pid}/fd`
    for (const fd of await readdir(folder).catch(() => [])) {
      const path = `${folder}/${fd}`
      const target = await readlink(path).catch(() => '')
      if (!target.startsWith('/') || target.startsWith('/dev/')) continue
      const file = await stat(path, { bigint: true }).catch(() => undefined)
      if (file?.isFile() === true) found.add(identityOf(file))
    }
  }
  return found
}

/** Tells a file from every other one on this machine. */
export function identityOf({ dev, ino }: { readonly dev: bigint; readonly ino: bigint }): string {
  return `${dev}:${ino}`
}
