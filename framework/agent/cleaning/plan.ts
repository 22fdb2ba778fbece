import type { FileKind } from './kinds.ts'
import type { LogRules } from './log-rules.ts'

/** A file of a log folder, as it was seen. */
export interface LogFile {
  /** Folders below the log folder, and the name. */
  readonly path: readonly string[]
  readonly kind: FileKind
  /** Bytes that it takes on the disk. */
  readonly bytes: number
  readonly modifiedMs: number
  /** Tells it from another one that has its name later. */
  readonly identity: string
}

export type Reason = 'age' | 'quota' | 'cores'

export interface Action {
  readonly file: LogFile
  readonly what: 'remove' | 'truncate'
  readonly why: Reason
}

export interface Plan {
  readonly actions: readonly Action[]
  /** Bytes that stay when all is done. */
  readonly leftBytes: number
}

export interface PlanInput {
  readonly files: readonly LogFile[]
  readonly rules: LogRules
  readonly nowMs: number
  /** Whether a process is known to have the file open. */
  readonly isOpen: (file: LogFile) => boolean
  /** Whether the pod that the folder was made for is gone, and with it whoever might have a file open. */
  readonly abandoned: boolean
}

const dayMs = 24 * 3600 * 1000

/**
 * What to do in one log folder. A log that is open, or that its server would open again under its name, is never removed, because
 * its server would go on writing to what nobody can read: it is cut to nothing, by age or when the quota needs it.
 */
export function planSweep({ files, rules, nowMs, isOpen, abandoned }: PlanInput): Plan {
  const ageOf = ({ modifiedMs }: LogFile): number => nowMs - modifiedMs
  const busy = (file: LogFile): boolean => ageOf(file) < rules.openMs || isOpen(file)
  const mayBeOpen = (file: LogFile): boolean => !abandoned && (file.kind === 'current' || (file.kind === 'dated' && ageOf(file) < dayMs) || (file.kind !== 'core' && busy(file)))
  const oldestFirst = files.toSorted((one, other) => one.modifiedMs - other.modifiedMs)
  const actions = new Map<LogFile, Action>()
  const act = (file: LogFile, why: Reason): void => {
    const what = mayBeOpen(file) ? 'truncate' : 'remove'
    if (what === 'remove' || file.bytes > 0) actions.set(file, { file, what, why })
  }

  const idle = oldestFirst.filter((file) => !busy(file))
  const cores = idle.filter(({ kind }) => kind === 'core')
  cores.slice(0, Math.max(0, cores.length - rules.coreKeep)).forEach((file) => act(file, 'cores'))
  for (const file of idle) if (ageOf(file) > (file.kind === 'core' ? rules.coreMaxAgeMs : rules.maxAgeMs)) act(file, 'age')

  let leftBytes = files.reduce((sum, file) => sum + (actions.has(file) ? 0 : file.bytes), 0)
  const rest = oldestFirst.filter((file) => !actions.has(file) && file.bytes > 0)
  for (const file of inOrderOfLoss(rest, busy, rules)) {
    if (leftBytes <= rules.quotaBytes) break
    act(file, 'quota')
    leftBytes -= file.bytes
  }
  return { actions: [...actions.values()], leftBytes }
}

/** What the quota takes first: parts that nobody has open, core files among them, then the logs, then, where it may, open ones, the largest first. */
function inOrderOfLoss(files: readonly LogFile[], busy: (file: LogFile) => boolean, { openLogs }: LogRules): LogFile[] {
  const idle = files.filter((file) => !busy(file))
  const open = openLogs === 'keep' ? [] : files.filter((file) => busy(file) && file.kind !== 'core')
  return [...idle.filter(({ kind }) => kind !== 'current'), ...idle.filter(({ kind }) => kind === 'current'), ...open.toSorted((one, other) => other.bytes - one.bytes)]
}
