import { globSync } from 'node:fs'
import { debianTool } from '../rig/tools.ts'

/**
 * Environment that lets a file decide the wall clock of a program. The monotonic clock is left alone, as a jump of the
 * real one leaves it; and no shared memory, whose name is made of the pid, which is 1 in every pod.
 */
export async function fakedClock(file: string): Promise<Readonly<Record<string, string>>> {
  // The package of the program brings the library.
  await debianTool('faketime', 'faketime')
  const [library] = globSync('/usr/lib/*/faketime/libfaketimeMT.so.1')
  if (library === undefined) throw new Error('libfaketime is missing; install the Debian package libfaketime')
  return { LD_PRELOAD: library, FAKETIME_TIMESTAMP_FILE: file, FAKETIME_CACHE_DURATION: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1', FAKETIME_DISABLE_SHM: '1' }
}
