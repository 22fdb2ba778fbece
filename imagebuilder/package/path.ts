import { Failure } from '#base/errors.ts'

function refuse(code: string, message: string, remedy: string, context: Record<string, unknown>): never {
  throw new Failure(code, message, { remedy, context })
}

/**
 * The parts of an entry's path within the package; empty for the root itself (`./`).
 * @throws PACKAGE_PATH_ABSOLUTE, PACKAGE_PATH_ESCAPES, PACKAGE_PATH_INVALID, each naming the entry
 */
export function entryParts(name: string, maxBytes: number): string[] {
  if (name.startsWith('/') || /^[A-Za-z]:[\\/]/.test(name)) refuse('PACKAGE_PATH_ABSOLUTE', `package entry "${name}" has an absolute path`, 'pack with relative paths, e.g. "tar -C <folder> -czf app.tgz ."', { entry: name })
  if (name.includes('\0') || name.includes('\uFFFD')) refuse('PACKAGE_PATH_INVALID', `package entry "${name.replaceAll('\0', '\\0')}" has a name that is not valid UTF-8 text`, 'rename the file', { entry: name })
  if (Buffer.byteLength(name) > maxBytes) refuse('PACKAGE_PATH_INVALID', `a package entry has a path of ${Buffer.byteLength(name)} bytes; at most ${maxBytes} are taken`, 'shorten the path', { entry: name.slice(0, 200) })
  const parts = name.split('/').filter((part) => part !== '' && part !== '.')
  if (parts.includes('..')) refuse('PACKAGE_PATH_ESCAPES', `package entry "${name}" leaves the package by ".."`, 'pack again without ".." in paths', { entry: name })
  for (const part of parts) if (Buffer.byteLength(part) > 255) refuse('PACKAGE_PATH_INVALID', `package entry "${name.slice(0, 80)}…" has a name longer than 255 bytes`, 'shorten the name', { entry: name.slice(0, 200) })
  return parts
}

/** @throws PACKAGE_LINK_ESCAPES naming link, target and root */
export function refuseLink(link: string, target: string, root: string): never {
  refuse('PACKAGE_LINK_ESCAPES', `package link "${link}" points to "${target}", which is outside of its root /${root}`, 'make the link relative and within the package, or pack the file itself', { link, target, root: `/${root}` })
}

/** Follows a relative target from the folder of a link, by text; undefined when it leaves the root. */
function join(folder: readonly string[], target: string): string[] | undefined {
  const parts = [...folder]
  for (const part of target.split('/')) {
    if (part === '' || part === '.') continue
    if (part !== '..') parts.push(part)
    else if (parts.pop() === undefined) return undefined
  }
  return parts
}

/** True when the target, by its text alone, stays within the package. */
export function staysWithin(link: readonly string[], target: string): boolean {
  return target !== '' && !target.startsWith('/') && join(link.slice(0, -1), target) !== undefined
}

const longestChain = 40
/** What following all links of a package may cost: characters of the paths on the way. Real packages are far below, and it takes about a second. */
const mostFollowed = 2 ** 28

/**
 * Resolves every link as the kernel would, through the other links of the package, and names the first that leaves the
 * root: `a -> .` and `b -> a/../..` are each harmless by their text.
 * @param links path of each symbolic link (parts joined by `/`) to its target
 * @throws PACKAGE_TOO_LARGE when that would take too long
 */
export function findEscapingLink(links: ReadonlyMap<string, string>): { link: string; target: string } | undefined {
  const cost = { followed: 0 }
  for (const [link, target] of links) {
    if (!resolves(link, links, cost)) return { link, target }
  }
  return undefined
}

/** False when following leaves the root. A loop of links resolves to an error of the reader, which harms nobody. */
function resolves(link: string, links: ReadonlyMap<string, string>, cost: { followed: number }): boolean {
  /** The last is next. */
  const todo = link.split('/').toReversed()
  /** The folders down to where it is, each by its path. */
  const at: string[] = []
  for (let followed = 0; todo.length > 0; ) {
    const part = todo.pop() ?? ''
    if (part === '' || part === '.') continue
    if (part === '..') {
      if (at.pop() === undefined) return false
      continue
    }
    const path = at.length === 0 ? part : `${at.at(-1)}/${part}`
    cost.followed += path.length
    if (cost.followed > mostFollowed) refuse('PACKAGE_TOO_LARGE', 'the package has links that take too long to follow', 'pack fewer links, or shorter ones', { link })
    const target = links.get(path)
    if (target === undefined) at.push(path)
    else if (target.startsWith('/')) return false
    else if (++followed > longestChain) return true
    else todo.push(...target.split('/').toReversed())
  }
  return true
}
