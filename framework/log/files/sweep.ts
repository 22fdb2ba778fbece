// Old logs: compressed, then removed.
import { createReadStream, createWriteStream, existsSync, renameSync, rmSync, statSync } from 'node:fs'
import { readdir, rm, rmdir, stat, statfs, utimes } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { describe } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'

export interface Keeping {
  /** Milliseconds after its last line that a log is removed; Infinity: never. */
  readonly maxAgeMs: number
  /** Milliseconds after its last line that a log is compressed; Infinity: never. */
  readonly gzipAgeMs: number
  /**
   * Bytes of all logs. Beyond it the oldest of the application that has most go first, so that one that writes much costs others nothing.
   * Infinity: any number; undefined: four fifths of what they have and what is free on their disk.
   */
  readonly maxBytes: number | undefined
}

export interface SweepOptions {
  readonly root: string
  readonly keeping: Keeping
  /** Wall time, milliseconds since the epoch. */
  readonly now: number
  /** What is no log takes of the quota, and is left alone. */
  readonly isLog: (path: string) => boolean
  /** Whether a log is being written; one that only is open is closed. */
  readonly isBusy: (path: string) => boolean
  /** Whether an application of this name runs here. Under other names anybody writes, so that they count as one application. */
  readonly isApp: (name: string) => boolean
  /** Each log counts as so many'th of the quota at least, as it takes an inode, and its part of a pass. Default 1,000,000. */
  readonly maxFiles?: number
  readonly log: Logger
  readonly signal: AbortSignal
}

export interface Swept {
  readonly removed: number
  readonly compressed: number
}

interface Found {
  readonly path: string
  readonly size: number
  readonly mtimeMs: number
}

const suffix = '.gz'
const usualShare = 0.8
const usualMostFiles = 1_000_000
/** A log that has more of all, and is written, goes on in a new file when room becomes scarce: its older lines can go, and its latest stay. */
const largestShare = 1 / 8
const liveMs = 60_000
const part = '.gz.part'

/** One pass over all logs, and folders that are empty. */
export async function sweep(options: SweepOptions): Promise<Swept> {
  const { root, keeping, now, log, signal } = options
  const kept: Found[] = []
  let removed = 0
  // At once, so that nothing can be written between the look and the deed.
  const remove = (path: string): boolean => {
    if (options.isBusy(path)) return false
    rmSync(path, { force: true })
    removed++
    return true
  }
  let compressed = 0
  const all = await filesBelow(root)
  const found = all.filter(({ path }) => options.isLog(path))
  const maxBytes = (keeping.maxBytes ?? usualShare * (bytesOf(all) + await freeBytes(root))) - (bytesOf(all) - bytesOf(found))
  const least = maxBytes / (options.maxFiles ?? usualMostFiles)
  for (const file of divided(found, maxBytes, options)) {
    if (signal.aborted) break
    const age = now - file.mtimeMs
    try {
      // Left by a pass that was cut off.
      if (file.path.endsWith(part)) await rm(file.path, { force: true })
      else if (age > keeping.maxAgeMs && remove(file.path)) continue
      else if (age > keeping.gzipAgeMs && !file.path.endsWith(suffix) && !options.isBusy(file.path)) {
        const smaller = await compress(file, options)
        if (smaller !== undefined) compressed++
        kept.push(smaller ?? file)
      } else kept.push(file)
    } catch (error) {
      log.error('an old log cannot be put away', { file: file.path, error: describe(error) })
      kept.push(file)
    }
  }
  for (const path of surplus(kept, { maxBytes, least }, options)) {
    if (signal.aborted) break
    remove(path)
  }
  await removeEmpty(root, now)
  return { removed, compressed }
}

/** What is too much: again and again the oldest log of the application that has most. */
function* surplus(files: readonly Found[], { maxBytes, least }: { readonly maxBytes: number; readonly least: number }, { root, isBusy, isApp }: SweepOptions): Iterable<string> {
  const appOf = ({ path }: Found): string => {
    const [folder = ''] = relative(root, path).split(sep, 1)
    return isApp(folder) ? folder : ''
  }
  let apps = [...Map.groupBy(files, appOf).values()]
    .map((logs) => ({ logs: logs.toSorted((a, b) => b.mtimeMs - a.mtimeMs), bytes: bytesOf(logs, least) }))
  let bytes = bytesOf(files, least)
  while (bytes > maxBytes && apps.length > 0) {
    const most = apps.reduce((a, b) => (b.bytes > a.bytes ? b : a))
    const oldest = most.logs.pop()
    // What is left of it is being written.
    if (oldest === undefined) apps = apps.filter((app) => app !== most)
    if (oldest === undefined || isBusy(oldest.path)) continue
    most.bytes -= Math.max(oldest.size, least)
    bytes -= Math.max(oldest.size, least)
    yield oldest.path
  }
}

/** The same logs, of which those that were too large go on in a new file. */
function divided(files: readonly Found[], maxBytes: number, options: SweepOptions): readonly Found[] {
  if (bytesOf(files) <= maxBytes / 2) return files
  return files.map((file) => (file.size > maxBytes * largestShare && options.now - file.mtimeMs < liveMs ? setAside(file, options) : file))
}

/** Under a name with a number. It is closed unless it is being written just now, and then it is opened anew within seconds. */
function setAside(file: Found, { isBusy, log }: SweepOptions): Found {
  if (/\.(\d+|gz|part)$/.test(file.path)) return file
  isBusy(file.path)
  try {
    const path = freeName(file.path)
    renameSync(file.path, path)
    return { ...file, path }
  } catch (error) {
    log.error('a large log does not go on in a new file', { file: file.path, error: describe(error) })
    return file
  }
}

function freeName(path: string): string {
  for (let number = 1; ; number++) if (!existsSync(`${path}.${number}`) && !existsSync(`${path}.${number}${suffix}`)) return `${path}.${number}`
}

/** What a disk has room for, bytes. */
export async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder)
  return bavail * bsize
}

const bytesOf = (files: readonly Found[], least = 0): number => files.reduce((sum, { size }) => sum + Math.max(size, least), 0)

async function filesBelow(root: string): Promise<Found[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => [])
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  const found = await Promise.all(files.map(async (path) => {
    const known = await stat(path).catch(() => undefined)
    return known === undefined ? [] : [{ path, size: known.size, mtimeMs: known.mtimeMs }]
  }))
  return found.flat()
}

/** Folders below the root in which nothing is, the deepest first, unless that is so for a moment only: their writers make them again. */
async function removeEmpty(root: string, now: number): Promise<void> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => [])
  const folders = entries.filter((entry) => entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name))
  for (const folder of folders.toSorted((a, b) => b.length - a.length)) {
    const known = await stat(folder).catch(() => undefined)
    if (known !== undefined && now - known.mtimeMs > liveMs) await rmdir(folder).catch(() => {})
  }
}

/**
 * Puts `<file>.gz` in place of a file; what was compressed earlier under that name stays before it, as gzip allows.
 * @returns undefined when the file was written meanwhile, and stays
 */
async function compress({ path, size, mtimeMs }: Found, { isBusy, signal }: SweepOptions): Promise<Found | undefined> {
  const [temporary, target] = [`${path}${part}`, `${path}${suffix}`]
  try {
    const earlier = await stat(target).catch(() => undefined)
    if (earlier !== undefined) await pipeline(createReadStream(target), createWriteStream(temporary), { signal })
    await pipeline(createReadStream(path), createGzip(), createWriteStream(temporary, { flags: 'a' }), { signal })
    await utimes(temporary, mtimeMs / 1000, mtimeMs / 1000)
    // At once, so that nothing can be written between the look and the deed.
    const after = isBusy(path) ? undefined : statSync(path)
    if (after?.size !== size || after.mtimeMs !== mtimeMs) return undefined
    renameSync(temporary, target)
    rmSync(path)
    return { path: target, size: statSync(target).size, mtimeMs }
  } finally {
    await rm(temporary, { force: true })
  }
}
