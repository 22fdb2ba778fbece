import type { Definition } from './definition.ts'

/** Every kind served, built in or custom; changes as CustomResourceDefinitions come and go. */
export class Catalog {
  readonly #byPath = new Map<string, Definition>()
  readonly #custom = new Map<string, readonly Definition[]>()

  constructor(builtin: readonly Definition[]) {
    for (const definition of builtin) this.#byPath.set(pathOf(definition), definition)
  }

  find(group: string, version: string, plural: string): Definition | undefined {
    return this.#byPath.get(`${group}/${version}/${plural}`)
  }

  /** Any served version of a collection, the storage version if it is served. */
  ofCollection(collection: string): Definition | undefined {
    const versions = this.all().filter(({ group, plural }) => `${group}/${plural}` === collection)
    return versions.find(({ version, storageVersion }) => version === storageVersion) ?? versions[0]
  }

  ofKind(apiVersion: string, kind: string): Definition | undefined {
    return this.all().find((definition) => definition.kind === kind && (definition.group === '' ? definition.version : `${definition.group}/${definition.version}`) === apiVersion)
  }

  all(): Definition[] {
    return [...this.#byPath.values()]
  }

  /** Replaces the served versions of the CustomResourceDefinition `name`; none takes it away. */
  setCustom(name: string, definitions: readonly Definition[]): void {
    for (const old of this.#custom.get(name) ?? []) this.#byPath.delete(pathOf(old))
    this.#custom.set(name, definitions)
    for (const definition of definitions) this.#byPath.set(pathOf(definition), definition)
  }

  /** API groups with their versions, preferred first; the core group is left out. */
  groups(): { readonly name: string; readonly versions: readonly string[] }[] {
    const groups = new Map<string, Set<string>>()
    for (const { group, version } of this.all()) {
      if (group === '') continue
      groups.set(group, (groups.get(group) ?? new Set()).add(version))
    }
    return [...groups].map(([name, versions]) => ({ name, versions: [...versions].sort(byVersionPriority) }))
  }

  /** The served versions of a kind. */
  versionsOf({ group, plural }: Definition): Definition[] {
    return this.all().filter((definition) => definition.group === group && definition.plural === plural)
  }

  inVersion(group: string, version: string): Definition[] {
    return this.all().filter((definition) => definition.group === group && definition.version === version)
  }
}

const pathOf = ({ group, version, plural }: Definition): string => `${group}/${version}/${plural}`

/** Sorts v2, v1, v1beta2, v1beta1, v1alpha1, then others (Kubernetes, "Version priority"). */
function byVersionPriority(left: string, right: string): number {
  const [a, b] = [rank(left), rank(right)]
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return (b[index] ?? 0) - (a[index] ?? 0)
  return left < right ? -1 : 1
}

function rank(version: string): number[] {
  const match = /^v([0-9]+)(?:(alpha|beta)([0-9]+))?$/.exec(version)
  if (match === null) return [0, 0, 0]
  const stage = match[2] === undefined ? 3 : match[2] === 'beta' ? 2 : 1
  return [stage, Number(match[1]), Number(match[3] ?? 0)]
}
