// What a zoneinfo file (TZif, RFC 9636) says of the time since 2010; pure. Editions of the same zone differ in their bytes: by
// history that was found out since, and by how far they write out what a rule says as well ("fat" and "slim").

const HEADER = 44
/** 2010-01-01, seconds since the epoch: what was before does not matter to the clocks of services. */
const SINCE = 1_262_304_000

export interface ZoneRules {
  /** Changes: when, to what offset, whether that is summer time, and how it is called. */
  readonly changes: readonly string[]
  /** Number of those before 2010. */
  readonly past: number
  /** For the time after the last change (POSIX TZ). */
  readonly rule: string
}

/** undefined for what is no such file, or one of the first version, which has no rule. */
export function zoneRules(file: Buffer): ZoneRules | undefined {
  if (file.length < HEADER || file.toString('latin1', 0, 4) !== 'TZif' || file[4] === 0) return undefined
  try {
    return rulesIn(file, HEADER + blockBytes(file, 0, 4))
  } catch {
    // It is cut short.
    return undefined
  }
}

/** True when clocks by both have shown the same since 2010. Where the rule has a summer time, one may write out changes that follow from it. */
export function sameRules(a: ZoneRules, b: ZoneRules): boolean {
  if (a.rule !== b.rule) return false
  const [shorter = [], longer = []] = [a, b].map(({ changes, past }) => changes.slice(past)).toSorted((one, other) => one.length - other.length)
  return (shorter.length === longer.length || a.rule.includes(',')) && shorter.every((change, i) => change === longer[i])
}

/** How many changes both have. */
export function commonHistory(a: ZoneRules, b: ZoneRules): number {
  const known = new Set(a.changes)
  return b.changes.filter((change) => known.has(change)).length
}

const fields = ['isutcnt', 'isstdcnt', 'leapcnt', 'timecnt', 'typecnt', 'charcnt'] as const
type Counts = Readonly<Record<(typeof fields)[number], number>>

const countsAt = (file: Buffer, header: number): Counts => Object.fromEntries(fields.map((field, i) => [field, file.readUInt32BE(header + 20 + i * 4)])) as Counts

/** @param timeBytes 4 in the first block, 8 in the second */
function blockBytes(file: Buffer, header: number, timeBytes: 4 | 8): number {
  const { isutcnt, isstdcnt, leapcnt, timecnt, typecnt, charcnt } = countsAt(file, header)
  return timecnt * (timeBytes + 1) + typecnt * 6 + charcnt + leapcnt * (timeBytes + 4) + isstdcnt + isutcnt
}

function rulesIn(file: Buffer, header: number): ZoneRules {
  const { timecnt, typecnt } = countsAt(file, header)
  const times = header + HEADER
  const types = times + timecnt * 9
  const texts = types + typecnt * 6
  const typeAt = (index: number): string => {
    const at = types + index * 6
    const text = texts + file.readUInt8(at + 5)
    return `${file.readInt32BE(at)} ${file.readUInt8(at + 4)} ${file.toString('latin1', text, file.indexOf(0, text))}`
  }
  let past = 0
  let last = typeAt(0)
  const changes: string[] = []
  for (let i = 0; i < timecnt; i++) {
    const type = typeAt(file.readUInt8(times + timecnt * 8 + i))
    // Some files end with a change to what is.
    if (type === last) continue
    last = type
    const time = Number(file.readBigInt64BE(times + i * 8))
    changes.push(`${time} ${type}`)
    if (time < SINCE) past++
  }
  return { changes, past, rule: file.toString('latin1', header + HEADER + blockBytes(file, header, 8)).trim() }
}
