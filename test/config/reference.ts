// What a pod should get, as the specification says it (framework-services 2.1 to 2.3), worked out anew for each question from
// all objects that there are: slow, short, and made without the service's own parts.
import type { TConfig } from '#api/types.ts'

export interface Asked {
  readonly app: string
  /** Empty for a file of the application. */
  readonly server: string
  readonly file: string
  /** The pod's number, if it is one of the server. */
  readonly podSeq: string | undefined
  /** `name.area.group`, or empty. */
  readonly set: string
}

/** @param setsInherit a server's set without a file of its own has the one of no set */
export class ConfigReference {
  readonly #objects: ReadonlyMap<string, TConfig>
  readonly #setsInherit: boolean

  constructor(objects: ReadonlyMap<string, TConfig>, setsInherit: boolean) {
    this.#objects = objects
    this.#setsInherit = setsInherit
  }

  /** Levels joined from the lowest to the highest, each after what it refers to; undefined when there is no such file (2.2). */
  text({ app, server, file, podSeq, set }: Asked): string | undefined {
    if (server === '') return joined([this.#inForce(app, '', file, '', 'm'), set === '' ? undefined : this.#inForce(app, '', file, set, 'm')].map((one) => one?.configContent))
    const own = this.#setOf(app, server, file, set)
    const master = this.#inForce(app, server, file, own, 'm')
    if (master === undefined) return undefined
    const node = podSeq === undefined ? undefined : this.#inForce(app, server, file, own, podSeq)
    const texts = [master, node].flatMap((level) => (level === undefined ? [] : [...(level.references ?? []).map((name) => this.text({ app, server: '', file: name, podSeq: undefined, set })), level.configContent]))
    return joined(texts)
  }

  /** Sorted names of the files that have a text for all pods (2.1). @param set undefined: of all sets */
  names(app: string, server: string, set: string | undefined): string[] {
    const all = [...this.#objects.values()].filter((one) => one.app === app && one.server === server && one.podSeq === 'm')
    // Those of an application are of the set, and of none.
    const sets = (file: string) => (set === undefined ? all.map((one) => one.set ?? '') : [this.#setOf(app, server, file, set), ...(server === '' ? [''] : [])])
    return [...new Set(all.map((one) => one.configName))].filter((file) => sets(file).some((own) => this.#inForce(app, server, file, own, 'm') !== undefined)).sort()
  }

  #setOf(app: string, server: string, file: string, set: string): string {
    return this.#setsInherit && this.#inForce(app, server, file, set, 'm') === undefined ? '' : set
  }

  /** Activated ones before those that were so, those being replaced after those, what is being deleted last; of equals the latest (2.3). One that was never activated is none. */
  #inForce(app: string, server: string, file: string, set: string, podSeq: string): TConfig | undefined {
    const at = ({ activated, metadata: { annotations = {} } }: TConfig): string => (activated ? annotations['tars.io/ActivatedAt'] : (annotations['tars.io/ReplacedAt'] ?? annotations['tars.io/ActivatedAt'])) ?? ''
    const versions = [...this.#objects.values()].filter((one) => one.app === app && one.server === server && one.configName === file && (one.set ?? '') === set && one.podSeq === podSeq && (one.activated || at(one) !== ''))
    const has = ({ metadata }: TConfig, label: string): boolean => metadata.labels?.[`tars.io/${label}`] !== undefined
    const classes = [
      (one: TConfig) => !has(one, 'Deleting') && one.activated && !has(one, 'Deactivate'),
      (one: TConfig) => !has(one, 'Deleting') && one.activated,
      (one: TConfig) => !has(one, 'Deleting'),
      () => true,
    ]
    const best = classes.map((belongs) => versions.filter(belongs)).find((some) => some.length > 0) ?? []
    return best.toSorted((a, b) => (at(a) === at(b) ? (a.metadata.name < b.metadata.name ? -1 : 1) : at(a) < at(b) ? -1 : 1)).at(-1)
  }
}

/** An empty line between, empty ones left out; undefined when there is none at all. */
function joined(texts: readonly (string | undefined)[]): string | undefined {
  const some = texts.filter((text) => text !== undefined)
  return some.length === 0 ? undefined : some.filter((text) => text !== '').join('\r\n\r\n')
}
