import { closeSync, openSync, readdirSync, readSync, rmSync, statSync, type Stats } from 'node:fs'
import { join } from 'node:path'
import { elfHeadBytes, parseElf } from '#base/elf-head.ts'

/** Newest core files that a folder keeps, as tarsagent keeps them of logs: a service that crashes again and again would fill the disk of its node. */
const KEPT = 3

/**
 * Removes all but the newest core files of a folder. By name a package may have a `core` of its own, so only what is one by its head counts.
 * @returns the newest one's path; undefined when there is none, as where the kernel hands them to a program (core(5))
 */
export function keepNewestCores(folder: string): string | undefined {
  const cores = namesIn(folder).map((name) => join(folder, name)).flatMap((path) => {
    const stat = statSync(path, { throwIfNoEntry: false })
    return stat?.isFile() === true && isCore(path) ? [{ path, stat }] : []
  })
  const [newest, ...others] = cores.toSorted((a, b) => changed(b.stat) - changed(a.stat))
  for (const { path } of others.slice(KEPT - 1)) remove(path)
  return newest?.path
}

const changed = ({ mtimeMs }: Stats): number => mtimeMs

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => name.toLowerCase().includes('core'))
  } catch {
    return []
  }
}

function isCore(path: string): boolean {
  const head = Buffer.alloc(elfHeadBytes)
  try {
    const file = openSync(path, 'r')
    readSync(file, head, 0, head.length, 0)
    closeSync(file)
  } catch {
    return false
  }
  return parseElf(head)?.kind === 'core'
}

function remove(path: string): void {
  try {
    rmSync(path)
  } catch {
    // It is not ours to remove.
  }
}
