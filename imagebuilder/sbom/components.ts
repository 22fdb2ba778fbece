import { PackageURL } from 'packageurl-js'

/** Something of others that a package brings (CycloneDX 1.6 "component"). */
export interface Component {
  readonly type: 'library'
  /** npm scope, Maven group, Composer vendor. */
  readonly group?: string
  readonly name: string
  readonly version?: string
  readonly purl?: string
  readonly hashes?: readonly { readonly alg: 'SHA-1'; readonly content: string }[]
}

/** @param type a purl type, such as `npm` (package-url specification) */
function library(type: string, group: string, name: string, version: string): Component {
  return { type: 'library', ...(group === '' ? {} : { group }), name, version, purl: new PackageURL(type, group, name, version).toString() }
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== ''

function json(content: Buffer): Record<string, unknown> {
  try {
    const document = JSON.parse(content.toString('utf8')) as unknown
    return typeof document === 'object' && document !== null ? (document as Record<string, unknown>) : {}
  } catch {
    // A file of that name and of another kind says nothing.
    return {}
  }
}

function npm(content: Buffer): Component[] {
  const { name, version } = json(content)
  if (!isText(name) || !isText(version)) return []
  const [scope, own] = name.startsWith('@') && name.includes('/') ? [name.slice(0, name.indexOf('/')), name.slice(name.indexOf('/') + 1)] : ['', name]
  return [library('npm', scope, own, version)]
}

/** Core metadata: headers of the form of e-mail, the names among them in any case. */
function python(content: Buffer): Component[] {
  const [head = ''] = content.toString('utf8').split(/\r?\n\r?\n/)
  const header = (key: string): string => new RegExp(`^${key}: *(.+)$`, 'mi').exec(head)?.[1]?.trim() ?? ''
  const [name, version] = [header('Name'), header('Version')]
  return name === '' || version === '' ? [] : [library('pypi', '', name, version)]
}

function composer(content: Buffer): Component[] {
  const { packages } = json(content)
  return (Array.isArray(packages) ? (packages as unknown[]) : []).flatMap((one) => {
    const { name, version } = (one ?? {}) as Record<string, unknown>
    if (!isText(name) || !isText(version)) return []
    const [vendor = '', own = ''] = name.includes('/') ? name.split('/') : ['', name]
    return [library('composer', vendor, own, version)]
  })
}

function maven(content: Buffer): Component[] {
  const fields = new Map(content.toString('latin1').split(/\r?\n/).map((line) => line.split('=', 2).map((part) => part.trim()) as [string, string]))
  const [group, name, version] = ['groupId', 'artifactId', 'version'].map((key) => fields.get(key) ?? '')
  return !isText(group) || !isText(name) || !isText(version) ? [] : [library('maven', group, name, version)]
}

/** Files that tell of themselves, or of what lies beside them. */
const manifests: readonly (readonly [path: RegExp, read: (content: Buffer) => Component[]])[] = [
  [/(^|\/)node_modules\/(@[^/]+\/)?[^/]+\/package\.json$/, npm],
  [/\.(dist-info\/METADATA|egg-info\/PKG-INFO)$/, python],
  [/(^|\/)vendor\/composer\/installed\.json$/, composer],
  [/(^|\/)META-INF\/maven\/[^/]+\/[^/]+\/pom\.properties$/, maven],
]

/** How to read the components out of a file of this path; undefined for one that tells of none. */
export function manifestReader(path: string): ((content: Buffer) => Component[]) | undefined {
  return manifests.find(([pattern]) => pattern.test(path))?.[1]
}

/** A jar or shared object: what its name says. @param sha1 hex, by which Maven's repositories are searched */
export function archiveComponent(path: string, sha1?: string): Component | undefined {
  const file = path.split('/').at(-1) ?? ''
  const hashes = sha1 === undefined ? {} : { hashes: [{ alg: 'SHA-1' as const, content: sha1 }] }
  const jar = /^(.+?)(?:-(\d[\w.+-]*))?\.jar$/.exec(file)
  if (jar?.[1] !== undefined) return { type: 'library', name: jar[1], ...(jar[2] === undefined ? {} : { version: jar[2] }), ...hashes }
  return /\.so(\.[\d.]+)?$/.test(file) ? { type: 'library', name: file, ...hashes } : undefined
}

/** The modules that a Go executable was made of: the lines of runtime/debug.BuildInfo. */
export function goModules(info: string): Component[] {
  const lines = info.split('\n').map((line) => line.split('\t'))
  return lines.flatMap(([kind, path, version], index) => {
    if (kind !== 'dep' || !isText(path) || !isText(version)) return []
    const [next, otherPath, otherVersion] = lines[index + 1] ?? []
    const [name, actual] = next === '=>' && isText(otherPath) && isText(otherVersion) ? [otherPath, otherVersion] : [path, version]
    const slash = name.lastIndexOf('/')
    return [library('golang', slash < 0 ? '' : name.slice(0, slash), name.slice(slash + 1), actual)]
  })
}
