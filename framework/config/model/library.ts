// All configuration files of a namespace, ready to be served. Fed by a watch; no I/O.
import type { TConfig } from '#api/types.ts'
import { versionInForce } from './in-force.ts'

/** Sequence of the file that every pod gets. */
const master = 'm'

/** One file: by set and pod sequence all its versions and the one in force. */
class ConfigFile {
  readonly #versions = new Map<string, Map<string, TConfig>>()
  readonly #inForce = new Map<string, TConfig>()

  set(config: TConfig): void {
    const key = groupOf(config.set, config.podSeq)
    const versions = this.#versions.get(key) ?? new Map<string, TConfig>()
    this.#versions.set(key, versions.set(config.metadata.name, config))
    this.#choose(key, versions)
  }

  remove({ set, podSeq, metadata }: TConfig): void {
    const key = groupOf(set, podSeq)
    const versions = this.#versions.get(key)
    versions?.delete(metadata.name)
    if (versions !== undefined) this.#choose(key, versions)
    if (versions?.size === 0) this.#versions.delete(key)
  }

  get isEmpty(): boolean {
    return this.#versions.size === 0
  }

  /** Has nothing for single pods in no set. */
  get isCommon(): boolean {
    return [...this.#inForce.values()].every(({ set = '', podSeq }) => set !== '' || podSeq === master)
  }

  get(set: string, podSeq: string): TConfig | undefined {
    return this.#inForce.get(groupOf(set, podSeq))
  }

  /** Sets that have a file for all their pods; the empty one among them. */
  sets(): string[] {
    return [...this.#inForce.values()].filter(({ podSeq }) => podSeq === master).map(({ set = '' }) => set)
  }

  #choose(key: string, versions: ReadonlyMap<string, TConfig>): void {
    const config = versionInForce(versions.values())
    if (config === undefined) this.#inForce.delete(key)
    else this.#inForce.set(key, config)
  }
}

/** Which text is wanted. */
export interface Wanted {
  readonly app: string
  /** Empty for a file of the application. */
  readonly server: string
  readonly name: string
  /** Ordinal of the pod; undefined when it is not known, or for an application. */
  readonly podSeq?: string | undefined
  /** `name.area.group`, or empty. */
  readonly set?: string
}

export interface LibraryOptions {
  /** A server whose set has no file of its own gets the one of no set; native gives it none (framework-services 2.2). */
  readonly setsInherit?: boolean
}

/** Files by owner (an application, or a server of one) and name. */
export class ConfigLibrary {
  readonly #owners = new Map<string, Map<string, ConfigFile>>()
  readonly #options: LibraryOptions

  constructor(options: LibraryOptions = {}) {
    this.#options = options
  }

  set(config: TConfig): void {
    const owner = ownerOf(config.app, config.server)
    const files = this.#owners.get(owner) ?? new Map<string, ConfigFile>()
    this.#owners.set(owner, files)
    const file = files.get(config.configName) ?? new ConfigFile()
    files.set(config.configName, file)
    file.set(config)
  }

  remove(config: TConfig): void {
    const owner = ownerOf(config.app, config.server)
    const files = this.#owners.get(owner)
    const file = files?.get(config.configName)
    file?.remove(config)
    if (file?.isEmpty === true) files?.delete(config.configName)
    if (files?.size === 0) this.#owners.delete(owner)
  }

  /**
   * Sorted names of an application's (`server` empty) or a server's files.
   * @param set only those that have a text for it, empty for those of no set; undefined for all
   */
  names(app: string, server: string, set?: string): string[] {
    const files = this.#owners.get(ownerOf(app, server)) ?? new Map<string, ConfigFile>()
    const wanted = (sets: readonly string[]): boolean => (set === undefined ? sets.length > 0 : sets.includes(set) || ((server === '' || this.#inherits(set)) && sets.includes('')))
    return [...files].filter(([, file]) => wanted(file.sets())).map(([name]) => name).sort()
  }

  /**
   * The text for a pod, or for an application (framework-services 2.2, 2.3). Undefined when there is none.
   * Of a server: the file for all pods, then the one for the pod's number, each after the files of the application that it
   * refers to. In a set, the files of exactly that set. Of an application: the file of no set, then that of the set.
   */
  text(wanted: Wanted): string | undefined {
    return wanted.server === '' ? this.#ofApp(wanted.app, wanted.name, wanted.set ?? '') : this.#ofServer(wanted)
  }

  /** Whether there is such a file, and {@link text} is the same for all pods that are in no set. */
  isCommon(app: string, server: string, name: string): boolean {
    const file = this.#owners.get(ownerOf(app, server))?.get(name)
    return file !== undefined && (server === '' || file.isCommon)
  }

  #ofApp(app: string, name: string, set: string): string | undefined {
    const file = this.#owners.get(ownerOf(app, ''))?.get(name)
    const levels = [file?.get('', master), set === '' ? undefined : file?.get(set, master)].filter((level) => level !== undefined)
    return levels.length === 0 ? undefined : joinTexts(...levels.map(({ configContent }) => configContent))
  }

  #ofServer({ app, server, name, podSeq, set = '' }: Wanted): string | undefined {
    const file = this.#owners.get(ownerOf(app, server))?.get(name)
    const own = file?.get(set, master) === undefined && this.#inherits(set) ? '' : set
    const common = file?.get(own, master)
    if (file === undefined || common === undefined) return undefined
    const levels = [common, podSeq === undefined ? undefined : file.get(own, podSeq)].filter((level) => level !== undefined)
    return joinTexts(...levels.flatMap(({ references = [], configContent }) => [...references.map((reference) => this.#ofApp(app, reference, set) ?? ''), configContent]))
  }

  #inherits(set: string): boolean {
    return set !== '' && this.#options.setsInherit === true
  }
}

/** Levels of one file as native joins them: the lowest first, an empty line between, empty ones left out. */
export function joinTexts(...levels: readonly string[]): string {
  return levels.filter((text) => text !== '').join('\r\n\r\n')
}

function groupOf(set: string | undefined, podSeq: string): string {
  return `${set ?? ''}/${podSeq}`
}

/** No name has a slash. */
function ownerOf(app: string, server: string): string {
  return `${app}/${server}`
}
