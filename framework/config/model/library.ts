// All configuration files of a namespace, ready to be served. Fed by a watch; no I/O.
import type { TConfig } from '#api/types.ts'
import { versionInForce } from './in-force.ts'

/** Sequence of the file that every pod gets. */
const master = 'm'

/** One file: by pod sequence all its versions and the one in force. */
class ConfigFile {
  readonly #versions = new Map<string, Map<string, TConfig>>()
  readonly #inForce = new Map<string, string>()

  set(config: TConfig): void {
    const versions = this.#versions.get(config.podSeq) ?? new Map<string, TConfig>()
    this.#versions.set(config.podSeq, versions.set(config.metadata.name, config))
    this.#choose(config.podSeq, versions)
  }

  remove({ podSeq, metadata }: TConfig): void {
    const versions = this.#versions.get(podSeq)
    versions?.delete(metadata.name)
    if (versions !== undefined) this.#choose(podSeq, versions)
    if (versions?.size === 0) this.#versions.delete(podSeq)
  }

  get isEmpty(): boolean {
    return this.#versions.size === 0
  }

  content(podSeq: string): string | undefined {
    return this.#inForce.get(podSeq)
  }

  #choose(podSeq: string, versions: ReadonlyMap<string, TConfig>): void {
    const config = versionInForce(versions.values())
    if (config === undefined) this.#inForce.delete(podSeq)
    else this.#inForce.set(podSeq, config.configContent)
  }
}

/** Files by owner (`App`, or `App.Server`) and name. */
export class ConfigLibrary {
  readonly #owners = new Map<string, Map<string, ConfigFile>>()

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

  /** Sorted names of an application's (`server` empty) or a server's files. */
  names(app: string, server: string): string[] {
    const files = this.#owners.get(ownerOf(app, server)) ?? new Map<string, ConfigFile>()
    return [...files].filter(([, file]) => file.content(master) !== undefined).map(([name]) => name).sort()
  }

  /**
   * The text a pod gets: the file for all pods, then the file for its sequence number when there is one
   * (framework-services 2.2, 2.3). Undefined when there is no file for all pods.
   * @param podSeq ordinal of the pod, or undefined when it is not known
   */
  text(app: string, server: string, name: string, podSeq: string | undefined): string | undefined {
    const file = this.#owners.get(ownerOf(app, server))?.get(name)
    const common = file?.content(master)
    if (file === undefined || common === undefined) return undefined
    return joinTexts(common, podSeq === undefined ? '' : (file.content(podSeq) ?? ''))
  }
}

/** Two levels of one file as native joins them: the lower first, an empty line between, empty ones left out. */
export function joinTexts(low: string, high: string): string {
  return [low, high].filter((text) => text !== '').join('\r\n\r\n')
}

function ownerOf(app: string, server: string): string {
  return server === '' ? app : `${app}.${server}`
}
