import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Layout } from '../layout.ts'
import { readText } from '../system/atomic-write.ts'
import { commonHistory, sameRules, zoneRules, type ZoneRules } from './zone-rules.ts'

type TimezoneFiles = Pick<Layout, 'localtime' | 'zoneinfo'>

/** Folders of zoneinfo that hold every zone once more in another reckoning. */
const DOUBLES = new Set(['right', 'posix', 'posixrules', 'localtime'])

/**
 * The name of the container's time zone, by the link /etc/localtime or by the zoneinfo file of the same content (the
 * host's file is mounted there), else of the same rules: the host may have another edition of the zones than the image.
 * undefined when the container has no zone of its own. It runs no zdump.
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
  const wanted = readFile(localtime)
  if (wanted === undefined || wanted.length === 0) return undefined
  return zoneNames(zoneinfo).find((name) => sameContent(join(zoneinfo, name), wanted)) ?? byRules(zoneRules(wanted), zoneinfo)
}

/** Of all zones whose clocks have shown the same since 2010 the one that has most of the history before. */
function byRules(wanted: ZoneRules | undefined, zoneinfo: string): string | undefined {
  if (wanted === undefined) return undefined
  let best: { readonly name: string; readonly common: number } | undefined
  const end = Buffer.from(`\n${wanted.rule}\n`)
  for (const name of zoneNames(zoneinfo)) {
    const content = readFile(join(zoneinfo, name))
    // Most are told apart by their last line alone.
    const rules = content?.subarray(-end.length).equals(end) === true ? zoneRules(content) : undefined
    if (rules === undefined || !sameRules(rules, wanted)) continue
    const common = commonHistory(rules, wanted)
    if (best === undefined || common > best.common) best = { name, common }
  }
  return best?.name
}

/** First the names of today, which zone.tab has for places, so that of several that fit it is no historic one. */
function* zoneNames(zoneinfo: string): Generator<string> {
  yield 'Etc/UTC'
  yield* (readText(join(zoneinfo, 'zone.tab')) ?? '').split('\n').flatMap((line) => (line.startsWith('#') ? [] : (line.split('\t')[2] ?? [])))
  yield* namesBelow(zoneinfo, '')
}

function namesBelow(root: string, folder: string): string[] {
  const entries = listed(join(root, folder)).filter(({ name }) => !DOUBLES.has(name))
  return entries.flatMap((entry) => {
    const name = folder === '' ? entry.name : `${folder}/${entry.name}`
    return entry.isDirectory() ? namesBelow(root, name) : [name]
  })
}

function listed(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))
  } catch {
    return []
  }
}

function readFile(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch {
    return undefined
  }
}

const sameContent = (path: string, wanted: Buffer): boolean => statSync(path, { throwIfNoEntry: false })?.size === wanted.length && readFile(path)?.equals(wanted) === true
