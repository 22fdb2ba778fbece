import { constants } from 'node:os'

/**
 * What becomes of a signal sent to the supervisor.
 *
 * | signal | effect |
 * |---|---|
 * | TERM, INT | the stop path: report Deactivating, drain, AdminF.shutdown, SIGTERM and SIGKILL to the process group, exit with the service's outcome |
 * | HUP, QUIT, USR1, USR2, WINCH, ALRM, VTALRM, PROF, IO, PWR, URG, XCPU, STKFLT, TSTP, TTIN, TTOU, CONT | forwarded to the service's main process |
 * | PIPE, XFSZ | nothing: the kernel sends them for a write of the supervisor's own, to where nobody reads any more or to a file that may not grow |
 * | CHLD | orphans are reaped |
 * | KILL, STOP | the kernel's |
 * | ILL, TRAP, ABRT, BUS, FPE, SEGV, SYS | not forwarded: they tell of a fault in the supervisor itself |
 */
export const stopSignals = ['SIGTERM', 'SIGINT'] as const

export const forwardedSignals = [
  'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH', 'SIGALRM', 'SIGVTALRM', 'SIGPROF', 'SIGIO', 'SIGPWR', 'SIGURG',
  'SIGXCPU', 'SIGSTKFLT', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU', 'SIGCONT',
] as const satisfies readonly NodeJS.Signals[]

export interface SignalHandlers {
  stop(signal: NodeJS.Signals): void
  forward(signal: NodeJS.Signals): void
}

/**
 * Installs the handlers. PID 1 has no default actions: without a handler the kernel drops the signal, so this comes
 * first in main. Returns their removal.
 */
export function handleSignals(handlers: SignalHandlers): () => void {
  const known = (signal: NodeJS.Signals): boolean => signal in constants.signals
  const stop = (signal: NodeJS.Signals): void => handlers.stop(signal)
  const forward = (signal: NodeJS.Signals): void => handlers.forward(signal)
  for (const signal of stopSignals) process.on(signal, stop)
  for (const signal of forwardedSignals.filter(known)) process.on(signal, forward)
  return () => {
    for (const signal of stopSignals) process.off(signal, stop)
    for (const signal of forwardedSignals) process.off(signal, forward)
  }
}
