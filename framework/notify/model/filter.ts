// Messages that are not worth keeping (framework-services 3.2). Pure.
import { parseConfig } from '#tars/conf.ts'

/** Substrings that drop a message, by `App.Server` or `default`. */
export type Filters = ReadonlyMap<string, readonly string[]>

export const noFilters: Filters = new Map()

/** @param text in TC_Config form; `/tars/filter` has a key a server, or `default`, with substrings between `|` or `;` @throws when it cannot be parsed */
export function parseFilters(text: string): Filters {
  const entries = [...(parseConfig(text).domain('/tars/filter')?.values ?? [])]
  return new Map(entries.map(([server, parts]) => [server, parts.split(/[|;]/).filter((part) => part !== '')]))
}

/** As in native, the default ones count for a server with filters of its own, too. */
export function isDropped(filters: Filters, server: string, message: string): boolean {
  return [server, 'default'].some((key) => filters.get(key)?.some((part) => message.includes(part)))
}
