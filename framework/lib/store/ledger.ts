// Who took how much of the store, in a file: the end of a process does not forget it.
import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import type { Clock } from '#base/clock.ts'
import type { Lifetime } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import type { KeyGuard, Ledger } from './key-guard.ts'

export interface LedgerOptions {
  readonly file: string
  readonly guard: KeyGuard
  readonly clock: Clock
  readonly lifetime: Lifetime
  readonly log: Logger
}

const writeEveryMs = 60_000

/** Goes on with what an earlier process wrote down, and writes it down until the lifetime ends. What cannot be read or written is forgotten. */
export function keepLedger({ file, guard, clock, lifetime, log }: LedgerOptions): void {
  try {
    guard.goOn(JSON.parse(readFileSync(file, 'utf8')) as Ledger, clock)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') log.error('who took how much of the store is forgotten', { file, error })
  }
  const write = (): void => {
    try {
      writeFileSync(`${file}.part`, JSON.stringify(guard.ledger(clock.now())))
      renameSync(`${file}.part`, file)
    } catch (error) {
      log.error('who took how much of the store cannot be written down', { file, error })
    }
  }
  const timer = setInterval(write, writeEveryMs)
  lifetime.onStop(() => {
    clearInterval(timer)
    write()
  })
}
