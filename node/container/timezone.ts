import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Layout } from '../layout.ts'

type TimezoneFiles = Pick<Layout, 'localtime' | 'zoneinfo'>

/** Folders of zoneinfo that hold every zone once more in another reckoning. */
const DOUBLES = new Set(['right', 'posix', 'posixrules', 'localtime', 'posixrules'])

/**
 * The name of the container's time zone, by the link /etc/localtime or by the zoneinfo file of the same content (the
 * host's file is mounted there); undefined when the container has no zone of its own. It runs no zdump.
 */
export function findTimezone({ localtime, zoneinfo }: TimezoneFiles): string | undefined {
  return byLink(localtime) ?? byContent(localtime, zoneinfo)
}

function byLink(localtime: string): string | undefined {
  try {
    return /zoneinfo\/(?:posix\/)?(.+)$/.exec(readlinkSync(localtime))?.[1]
  } catch {
    return undefined
  }
}

function byContent(localtime: string, zoneinfo: string): string | undefined {
  try {
    const wanted = readFileSync(localtime)
    return wanted.length === 0 ? undefined : search(zoneinfo, '', wanted)
  } catch {
    return undefined
  }
}

function search(root: string, folder: string, wanted: Buffer): string | undefined {
  const entries = readdirSync(join(root, folder), { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
  for (const entry of entries) {
    if (DOUBLES.has(entry.name)) continue
    const name = folder === '' ? entry.name : `${folder}/${entry.name}`
    const found = entry.isDirectory() ? search(root, name, wanted) : sameContent(join(root, name), wanted) ? name : undefined
    if (found !== undefined) return found
  }
  return undefined
}

const sameContent = (path: string, wanted: Buffer): boolean => statSync(path).size === wanted.length && readFileSync(path).equals(wanted)
