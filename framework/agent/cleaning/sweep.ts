import { Failure } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'
import { codeOf, Folder } from '../files/folder.ts'
import { kindOf, numberedPartOf, type FileKind } from './kinds.ts'
import type { LogRules } from './log-rules.ts'
import { identityOf } from './open-files.ts'
import { planSweep, type Action, type LogFile, type Reason } from './plan.ts'

export interface SweepOptions {
  /** Folder of all logs; a pod's is `<root>/<namespace>/<pod>`. */
  readonly root: string
  readonly rules: LogRules
  readonly nowMs: number
  readonly open: ReadonlySet<string>
  /** Whether the pod of a log folder is known to be gone. */
  readonly isAbandoned: (namespace: string, pod: string) => boolean
  readonly log: Logger
  readonly signal: AbortSignal
}

/** What a sweep did. */
export interface SweepReport {
  folders: number
  removed: number
  truncated: number
  readonly freedBytes: Record<Reason, number>
  /** Log folders that still hold more than their quota. */
  overQuota: number
  failures: number
}

/** Entries of one log folder that are looked at, and how deep: whatever a pod does there, a sweep ends. The next one goes on. */
const maxEntries = 50_000
const maxDepth = 6

/** Cleans all log folders once, one after the other. What fails in one of them is logged, and the others go on. */
export async function sweep(options: SweepOptions): Promise<SweepReport> {
  const { log, root, signal } = options
  const report: SweepReport = { folders: 0, removed: 0, truncated: 0, freedBytes: { age: 0, quota: 0, cores: 0 }, overQuota: 0, failures: 0 }
  await using top = await openRoot(root)
  for await (const [namespace, group] of foldersIn(top)) {
    for await (const [pod, folder] of foldersIn(group)) {
      signal.throwIfAborted()
      const abandoned = options.isAbandoned(namespace, pod)
      try {
        await sweepFolder(options, folder, abandoned, report)
        if (abandoned) await dropEmpty(group, pod, options)
      } catch (error) {
        if (signal.aborted) throw error
        report.failures++
        log.error('log folder not cleaned', { folder: folder.path, error })
      }
    }
  }
  return report
}

async function openRoot(root: string): Promise<Folder> {
  try {
    return await Folder.open(root)
  } catch (cause) {
    throw new Failure('LOG_FOLDER_MISSING', `the folder of all logs ${root} cannot be opened`, { cause, remedy: 'mount the folder of the node there, or set TARSAGENT_LOGS' })
  }
}

/** Folders in a folder, each closed when the next one is asked for. Links are none. */
async function* foldersIn(parent: Folder): AsyncGenerator<[name: string, folder: Folder]> {
  for await (const entry of parent.entries()) {
    if (!entry.isDirectory()) continue
    const folder = await parent.enter(entry.name).catch(unlessChanged)
    if (folder === undefined) continue
    await using _ = folder
    yield [entry.name, folder]
  }
}

/** The folder of a pod that is gone goes when no file is in it, and has not been for long. */
async function dropEmpty(parent: Folder, name: string, options: SweepOptions): Promise<void> {
  const { mtimeMs } = await parent.stat(name)
  if (options.nowMs - Number(mtimeMs) < options.rules.maxAgeMs) return
  {
    await using folder = await parent.enter(name)
    for await (const entry of folder.entries()) if (entry.isDirectory()) await dropEmpty(folder, entry.name, options)
  }
  await parent.rmdir(name)
}

/** Pods make and remove files all the time: what is not there any more, or is something else now, was not for us. */
function unlessChanged(error: unknown): undefined {
  if (!['ENOENT', 'ENOTDIR', 'ELOOP', 'FOLDER_IS_LINK'].includes(codeOf(error))) throw error
}

async function sweepFolder({ rules, nowMs, open, log, signal }: SweepOptions, folder: Folder, abandoned: boolean, report: SweepReport): Promise<void> {
  report.folders++
  const files: LogFile[] = []
  const budget = { left: maxEntries }
  await collect(folder, [], files, budget)
  if (budget.left <= 0) log.error('log folder has more entries than one sweep takes', { folder: folder.path, taken: maxEntries })
  const { actions, leftBytes } = planSweep({ files, rules, nowMs, abandoned, isOpen: ({ identity }) => open.has(identity) })
  for (const action of actions) {
    signal.throwIfAborted()
    if (!(await perform(folder, action))) continue
    report.freedBytes[action.why] += action.file.bytes
    report[action.what === 'remove' ? 'removed' : 'truncated']++
  }
  if (leftBytes <= rules.quotaBytes) return
  report.overQuota++
  log.error('log folder stays over its quota: all that is in it is open', { folder: folder.path, bytes: leftBytes, quota: rules.quotaBytes })
}

async function kindIn(folder: Folder, name: string): Promise<FileKind | undefined> {
  const whole = numberedPartOf(name)
  return whole !== undefined && (await folder.stat(whole).catch(unlessChanged)) !== undefined ? 'rolled' : kindOf(name)
}

async function collect(folder: Folder, above: readonly string[], files: LogFile[], budget: { left: number }): Promise<void> {
  for await (const entry of folder.entries()) {
    if (budget.left-- <= 0) return
    if (entry.isFile()) {
      const kind = await kindIn(folder, entry.name)
      const seen = kind === undefined ? undefined : await folder.stat(entry.name).catch(unlessChanged)
      if (kind !== undefined && seen?.isFile() === true) files.push({ path: [...above, entry.name], kind, bytes: Number(seen.blocks) * 512, modifiedMs: Number(seen.mtimeMs), identity: identityOf(seen) })
    } else if (entry.isDirectory() && above.length < maxDepth) {
      const inner = await folder.enter(entry.name).catch(unlessChanged)
      if (inner === undefined) continue
      await using _ = inner
      await collect(inner, [...above, entry.name], files, budget)
    }
  }
}

/** @returns false when the file is not the one any more that was judged, or was written to since */
async function perform(top: Folder, { file, what }: Action): Promise<boolean> {
  const [first, ...rest] = file.path
  if (first === undefined) return false
  if (rest.length > 0) {
    const inner = await top.enter(first).catch(unlessChanged)
    if (inner === undefined) return false
    await using _ = inner
    return await perform(inner, { file: { ...file, path: rest }, what, why: 'age' })
  }
  return what === 'remove' ? await remove(top, first, file) : await truncate(top, first, file)
}

async function remove(folder: Folder, name: string, { identity, modifiedMs }: LogFile): Promise<boolean> {
  const now = await folder.stat(name).catch(unlessChanged)
  if (now === undefined || identityOf(now) !== identity || Number(now.mtimeMs) !== modifiedMs) return false
  await folder.unlink(name)
  return true
}

async function truncate(folder: Folder, name: string, { identity }: LogFile): Promise<boolean> {
  const handle = await folder.openFile(name).catch(unlessChanged)
  if (handle === undefined) return false
  await using _ = handle
  if (identityOf(await handle.stat({ bigint: true })) !== identity) return false
  await handle.truncate(0)
  return true
}
