import { Cron } from 'croner'
import { Failure, describe } from '#base/errors.ts'

/** One line of crontab.config (node-and-image E): when, and what a shell is given then. */
export interface CronRule {
  readonly line: number
  /** Second, minute, hour, day of month, month, day of week. */
  readonly pattern: string
  readonly command: string
}

/** All rules of a crontab.config; blank lines and lines that begin with # are none. @throws Failure CRONTAB_INVALID */
export function parseCrontab(text: string): CronRule[] {
  return text.split('\n').flatMap((line, index) => (/^\s*(#|$)/.test(line) ? [] : [parseLine(line, index + 1)]))
}

function parseLine(text: string, line: number): CronRule {
  const [, pattern = '', command = ''] = /^\s*((?:\S+\s+){5}\S+)\s+(\S.*?)\s*$/.exec(text) ?? []
  if (command === '') throw invalid(line, 'a rule has six fields (second, minute, hour, day of month, month, day of week) and a command')
  if (nextRun(line, pattern) === null) throw invalid(line, `"${pattern}" is a time that never comes`)
  return { line, pattern: pattern.replace(/\s+/g, ' '), command }
}

function nextRun(line: number, pattern: string): Date | null {
  try {
    return cronOf(pattern).nextRun()
  } catch (error) {
    throw invalid(line, `"${pattern}" is no time: ${describe(error).replace(/^CronPattern: /, '')}`)
  }
}

/** A schedule that begins when it is given what to do. What is still running is not run beside itself. */
export function cronOf(pattern: string): Cron {
  return new Cron(pattern, { mode: '6-part', protect: true, unref: true })
}

function invalid(line: number, message: string): Failure {
  return new Failure('CRONTAB_INVALID', `crontab.config, line ${line}: ${message}`, { context: { line }, remedy: 'correct the line, e.g. 0 3 * * * * find /usr/local/app/tars/app_log -name "core.*" -mtime +5 -delete' })
}
