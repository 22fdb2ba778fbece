// TC_Config text: domains `<name> … </name>` with `key=value` lines (framework-services.md G). Byte for byte as TarsCpp's
// TC_Config reads and writes it, its oddities included, because both ends of a configuration compare and join the text.
import { Failure } from '#base/errors.ts'
import { escapeText, splitLine, trimLine } from './conf-text.ts'

/** One domain: keys in order, then sub-domains in the order they were first seen. */
class ConfigDomain {
  readonly name: string
  readonly #values = new Map<string, string>()
  readonly #domains = new Map<string, ConfigDomain>()
  readonly #lines: string[] = []

  constructor(name: string) {
    this.name = name
  }

  /** Key and value in order. */
  get values(): ReadonlyMap<string, string> {
    return this.#values
  }

  get domains(): ReadonlyMap<string, ConfigDomain> {
    return this.#domains
  }

  /** The lines that are no domain marks, trimmed and otherwise as written: of duplicate keys all. */
  get lines(): readonly string[] {
    return this.#lines
  }

  /** The sub-domain, made if it is not there. */
  open(name: string): ConfigDomain {
    const known = this.#domains.get(name)
    if (known !== undefined) return known
    const domain = new ConfigDomain(trimLine(name))
    this.#domains.set(name, domain)
    return domain
  }

  /** Sets a key; one that is there keeps its place. */
  set(key: string, value: string): void {
    this.#values.set(key, value)
  }

  delete(key: string): void {
    this.#values.delete(key)
  }

  /** @internal A key that comes again moves to the end, and the last value counts. */
  addLine(line: string): void {
    const [key, value] = splitLine(line)
    this.#lines.push(line)
    this.#values.delete(key)
    this.#values.set(key, value)
  }

  /** @param indent of its own lines */
  print(indent = ''): string {
    const name = escapeText(this.name)
    let text = `${indent}<${name}>\n`
    for (const [key, value] of this.#values) text += `${indent}  ${escapeText(key)}${value === '' ? '' : `=${escapeText(value)}`}\n`
    for (const domain of this.#domains.values()) text += domain.print(`${indent}  `)
    return `${text}${indent}</${name}>\n`
  }
}

/** A parsed configuration. Paths are `/tars/application/server`, with a key `/tars/application/server<key>`. */
export class Config {
  readonly root = new ConfigDomain('')

  /** The value of a key, or the fallback when key or domain are not there. */
  get(path: string): string | undefined
  get(path: string, fallback: string): string
  get(path: string, fallback?: string): string | undefined {
    const { domains, key } = splitKeyPath(path)
    return this.#find(domains)?.values.get(key) ?? fallback
  }

  /** Sets a key, making the domains on the way. */
  set(path: string, value: string): void {
    const { domains, key } = splitKeyPath(path)
    domains.reduce((domain, name) => domain.open(name), this.root).set(key, value)
  }

  delete(path: string): void {
    const { domains, key } = splitKeyPath(path)
    this.#find(domains)?.delete(key)
  }

  /** The domain at a path without key; undefined when it is not there. */
  domain(path: string): ConfigDomain | undefined {
    return this.#find(splitPath(path))
  }

  /**
   * The text: root domains sorted by the bytes of their names, the rest in order; keys outside any domain are left out.
   * @throws Failure `TARS_CONF` when a name or value holds `<` or `>`, which the text cannot express
   */
  toString(): string {
    const sorted = [...this.root.domains].toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    return sorted.map(([, domain]) => domain.print()).join('')
  }

  /**
   * Both configurations in one.
   * @param update true: `other` wins where both have a key; false: it only supplies what is missing
   */
  join(other: Config, update: boolean): Config {
    return parseConfig(update ? this.toString() + other.toString() : other.toString() + this.toString())
  }

  #find(domains: readonly string[]): ConfigDomain | undefined {
    return domains.reduce<ConfigDomain | undefined>((domain, name) => domain?.domains.get(name), this.root)
  }
}

/** Real configurations nest four deep; the bound keeps a hostile one from exhausting the stack. */
const maxDepth = 200

/** @throws Failure `TARS_CONF` with the number and text of the offending line (`context.line` counts from 1) */
export function parseConfig(text: string): Config {
  const config = new Config()
  const open: { domain: ConfigDomain; line: number }[] = [{ domain: config.root, line: 0 }]
  for (const [index, raw] of text.split('\n').entries()) {
    const line = trimLine(raw)
    if (line === '' || line.startsWith('#')) continue
    atLine(index + 1, line, () => parseLine(line, index + 1, open))
  }
  const unclosed = open.at(-1)
  if (open.length > 1 && unclosed !== undefined) throw confFailure(unclosed.line, `<${unclosed.domain.name}>`, 'the domain is never closed', `add a line </${unclosed.domain.name}>`)
  return config
}

/** Joins two texts; see {@link Config.join}. */
export function joinConfig(own: string, other: string, update: boolean): string {
  return parseConfig(own).join(parseConfig(other), update).toString()
}

function parseLine(line: string, number: number, open: { domain: ConfigDomain; line: number }[]): void {
  const top = open.at(-1)?.domain as ConfigDomain
  if (!line.startsWith('<')) return top.addLine(line)
  const end = line.indexOf('>')
  if (end < 0) throw new Failure('TARS_CONF', 'the mark has no ">"')
  if (line[1] !== '/') {
    if (open.length > maxDepth) throw new Failure('TARS_CONF', `domains nest deeper than ${maxDepth}`)
    open.push({ domain: top.open(line.slice(1, end)), line: number })
    return
  }
  const name = line.slice(2, end)
  if (open.length === 1) throw new Failure('TARS_CONF', `no domain is open that </${name}> could close`)
  if (top.name !== name) throw new Failure('TARS_CONF', `</${name}> does not close the open domain <${top.name}>`)
  open.pop()
}

function atLine(number: number, line: string, work: () => void): void {
  try {
    work()
  } catch (error) {
    throw confFailure(number, line, (error as Error).message, (error as Failure).remedy)
  }
}

function confFailure(line: number, text: string, what: string, remedy?: string): Failure {
  const shown = text.length > 120 ? `${text.slice(0, 120)}…` : text
  return new Failure('TARS_CONF', `line ${line}: ${what}: ${shown}`, { context: { line, text: shown, what }, remedy: remedy ?? 'correct that line' })
}

function splitKeyPath(path: string): { domains: string[]; key: string } {
  const begin = path.indexOf('<')
  const end = path.indexOf('>')
  if (begin < 0 || end < begin) throw new Failure('TARS_CONF', `the path "${path}" names no key`, { remedy: 'write it as /domain/domain<key>' })
  return { domains: splitPath(path.slice(0, begin)), key: path.slice(begin + 1, end) }
}

function splitPath(path: string): string[] {
  if (!path.startsWith('/')) throw new Failure('TARS_CONF', `the path "${path}" does not start with "/"`, { remedy: 'write it as /domain/domain<key>' })
  return path.split('/').filter((name) => name !== '')
}
