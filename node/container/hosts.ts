import { appendFileSync } from 'node:fs'
import { readText } from '../system/atomic-write.ts'

/**
 * The lines that a hosts file lacks so that `names` stand for `address`; pure. A name that is there already, with
 * whatever address, is left to whoever wrote it (kubelet, or the runner of the pod).
 */
export function missingHosts(text: string, address: string, names: readonly string[]): string {
  const known = new Set(text.split('\n').flatMap((line) => line.replace(/#.*/, '').trim().split(/\s+/).slice(1)))
  const missing = [...new Set(names)].filter((name) => !known.has(name))
  if (missing.length === 0) return ''
  const newline = text === '' || text.endsWith('\n') ? '' : '\n'
  return newline + missing.map((name) => `${address}\t${name}\n`).join('')
}

/**
 * Adds the pod's names to the hosts file; repeated calls add nothing. It appends in place, because the file is usually
 * a mount that cannot be replaced.
 * @returns why it could not, undefined when all is well: a read-only file is no reason not to start
 */
export function addHosts(path: string, address: string, names: readonly string[]): string | undefined {
  const lines = missingHosts(readText(path) ?? '', address, names)
  if (lines === '') return undefined
  try {
    appendFileSync(path, lines)
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
