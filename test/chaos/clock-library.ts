import { globSync } from 'node:fs'

/**
 * Environment that lets a file decide the wall clock of a program. The monotonic clock is left alone, as a jump of the
 * real one leaves it; and no shared memory, whose name is made of the pid, which is 1 in every pod.
 */
export function fakedClock(file: string): Readonly<Record<string, string>> {
  const [library] = globSync('/usr/lib/*/faketime/libfaketimeMT.so.1')
  if (library === undefined) throw new Error('libfaketime is missing; install the package libfaketime')
  return { LD_PRELOAD: library, FAKETIME_TIMESTAMP_FILE: file, FAKETIME_CACHE_DURATION: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1', FAKETIME_DISABLE_SHM: '1' }
}
