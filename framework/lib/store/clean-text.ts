/** Characters of a name that are kept; native's columns have as many. */
export const longestName = 128

/** A name as it is kept: without control characters, and not longer than is allowed. */
export function cleanName(name: string, length = longestName): string {
  const short = name.length > length ? name.slice(0, length) : name
  return short.toWellFormed().replace(/[\u0000-\u001f\u007f]/g, '?')
}

/** The same with all its texts as names are kept. */
export function withCleanNames<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).map(([field, one]) => [field, typeof one === 'string' ? cleanName(one) : (one as unknown)])) as T
}
