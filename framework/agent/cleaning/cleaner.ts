import { join } from 'node:path'
import { systemClock, type Clock } from '#base/clock.ts'
import { Lifetime, type Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import { sleep } from '#base/retry.ts'
import { cronOf, parseCrontab, type CronRule } from './crontab.ts'
import { startHotFile } from './hot-file.ts'
import { defaultLogRules, parseLogRules, type LogRules } from './log-rules.ts'
import { openFiles } from './open-files.ts'
import { runShell } from './shell.ts'
import { sweep, type SweepReport } from './sweep.ts'

export interface CleanerOptions {
  /** Folder of all logs. */
  readonly logs: string
  /** Folder with crontab.config and cleaning.yaml, both optional: a mounted ConfigMap. */
  readonly rulesFolder: string
  readonly isAbandoned: (namespace: string, pod: string) => boolean
  readonly log: Logger
  readonly clock?: Clock
  /** Milliseconds that a command of crontab.config may take. Default ten minutes. */
  readonly commandMs?: number
}

/** What the cleaner did since it started. */
export interface CleanerCounts {
  sweeps: number
  removed: number
  truncated: number
  readonly freedBytes: Record<'age' | 'quota' | 'cores', number>
  /** Of the last sweep. */
  overQuota: number
  failures: number
  commands: number
  commandFailures: number
}

export interface Cleaner extends Running {
  readonly counts: Readonly<CleanerCounts>
  /** False while a file of rules is bad and older ones are in force. */
  readonly rulesGood: boolean
}

const defaultCommandMs = 10 * 60_000

/** Keeps the logs of this node in bounds: by its own rules every few minutes, and by the commands of crontab.config at their times. */
export async function startCleaner({ logs, rulesFolder, isAbandoned, log, clock = systemClock, commandMs = defaultCommandMs }: CleanerOptions): Promise<Cleaner> {
  const lifetime = new Lifetime()
  const stopping = new AbortController()
  const { signal } = stopping
  const counts: CleanerCounts = { sweeps: 0, removed: 0, truncated: 0, freedBytes: { age: 0, quota: 0, cores: 0 }, overQuota: 0, failures: 0, commands: 0, commandFailures: 0 }

  const commands = new Set<Promise<void>>()
  const runRule = async ({ line, command }: CronRule): Promise<void> => {
    const { ok, outcome, output } = await runShell(command, { timeoutMs: commandMs, signal })
    if (signal.aborted) return
    counts.commands++
    if (ok) return log.info('command of crontab.config done', { line, command, output })
    counts.commandFailures++
    log.error('command of crontab.config failed', { line, command, outcome, output })
  }
  const schedule = (rules: readonly CronRule[]) => rules.map((rule) => {
    const job = cronOf(rule.pattern)
    job.schedule(async () => {
      const run = runRule(rule).catch((error: unknown) => log.error('command of crontab.config not run', { line: rule.line, error }))
      commands.add(run)
      await run
      commands.delete(run)
    })
    return job
  })
  let jobs: ReturnType<typeof schedule> = []
  const stopJobs = (): void => jobs.splice(0).forEach((job) => job.stop())

  // Undefined while the file is bad from the start: then nothing is cleaned by rules that nobody wished for.
  let rules: LogRules | undefined
  let wake = new AbortController()
  const takeRules = (next: LogRules): void => {
    rules = next
    wake.abort()
  }
  lifetime.onStop(() => Promise.all(commands))
  const crontab = lifetime.own(await startHotFile<readonly CronRule[]>({
    path: join(rulesFolder, 'crontab.config'), parse: parseCrontab, fallback: [], log,
    onValue: (next) => {
      stopJobs()
      jobs = schedule(next)
    },
  }))
  lifetime.onStop(stopJobs)
  const own = lifetime.own(await startHotFile({ path: join(rulesFolder, 'cleaning.yaml'), parse: parseLogRules, fallback: defaultLogRules, onValue: takeRules, log }))

  const once = async (inForce: LogRules): Promise<void> => {
    const report = await sweep({ root: logs, rules: inForce, nowMs: clock.now(), open: await openFiles(), isAbandoned, log, signal })
    add(counts, report)
    const freedBytes = Object.values(report.freedBytes).reduce((sum, bytes) => sum + bytes, 0)
    if (report.removed + report.truncated > 0) log.info('logs cleaned', { ...report, freedBytes, why: report.freedBytes })
  }
  const loop = async (): Promise<void> => {
    while (!signal.aborted) {
      wake = new AbortController()
      if (rules !== undefined) await once(rules).catch((error: unknown) => {
        if (signal.aborted) return
        counts.failures++
        log.error('logs not cleaned', { error })
      })
      await sleep(rules?.everyMs ?? defaultLogRules.everyMs, AbortSignal.any([signal, wake.signal])).catch(() => {})
    }
  }
  const looping = loop()
  lifetime.onStop(() => looping)
  lifetime.onStop(() => stopping.abort())
  return { stop: () => lifetime.stop(), done: lifetime.done, counts, get rulesGood() { return crontab.good && own.good } }
}

function add(counts: CleanerCounts, { removed, truncated, freedBytes, overQuota, failures }: SweepReport): void {
  counts.sweeps++
  counts.removed += removed
  counts.truncated += truncated
  counts.overQuota = overQuota
  counts.failures += failures
  for (const why of ['age', 'quota', 'cores'] as const) counts.freedBytes[why] += freedBytes[why]
}
