// What the server's own conf says of logs, whatever their writers ask for (framework-services 4.3). Pure.
import { parseConfig } from '#tars/conf.ts'

export interface Overrides {
  /** `App.Server` that are written by the hour. */
  readonly hourly: ReadonlySet<string>
  /** Log type by `App.Server.file`. */
  readonly types: ReadonlyMap<string, string>
}

export const noOverrides: Overrides = { hourly: new Set(), types: new Map() }

const listOf = (text: string): string[] => text.split(/[|;,\s]+/).filter((item) => item !== '')

/** @param text in TC_Config form; `/tars/log/format<hour>` and the keys of `/tars/log/logtype` @throws when it cannot be parsed */
export function parseOverrides(text: string): Overrides {
  const conf = parseConfig(text)
  const types = [...(conf.domain('/tars/log/logtype')?.values ?? [])].flatMap(([type, files]) => listOf(files).map((file) => [file, type] as const))
  return { hourly: new Set(listOf(conf.get('/tars/log/format<hour>') ?? '')), types: new Map(types) }
}

export const hourlyFormat = '%Y%m%d%H'
