import { constants } from 'node:os'

/** How a child ended: an exit code, or the number of the signal that killed it, and whether it left a core. */
export interface ExitStatus {
  readonly code: number | null
  readonly signal: number | null
  readonly core: boolean
}

/** waitpid's status word (wait(2)). */
export function decodeStatus(word: number): ExitStatus {
  const signal = word & 0x7f
  return signal === 0 ? { code: (word >> 8) & 0xff, signal: null, core: false } : { code: null, signal, core: (word & 0x80) !== 0 }
}

/** `SIGKILL` for 9, `signal 40` for a number without a name. */
export const signalName = (signal: number): string => Object.entries(constants.signals).find(([, number]) => number === signal)?.[0] ?? `signal ${signal}`

/** What a signal leaves a core file for, by default and where it may (signal(7)). */
const coreSignals = new Set((['SIGQUIT', 'SIGILL', 'SIGTRAP', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGSEGV', 'SIGXCPU', 'SIGXFSZ', 'SIGSYS'] as const).map((name) => constants.signals[name]))

export const leavesCore = ({ signal, core }: ExitStatus): boolean => core || (signal !== null && coreSignals.has(signal))

/** The exit code that stands for a status: the code itself, or 128 + the signal's number. */
export const outcomeCode = (status: ExitStatus): number => status.code ?? 128 + (status.signal ?? 0)
