import type { Logger } from '#base/log.ts'
import type { ServerDescriptor } from '#tars/protocol/RegistryDescriptor.ts'
import { readText, replaceFile } from '../system/atomic-write.ts'
import { descriptorFromText, descriptorToText } from './descriptor-text.ts'

/** The last good descriptor, in the work folder: a service starts from it when the registry is away. */
export class DescriptorFile {
  readonly #path: string
  readonly #log: Logger

  constructor(path: string, log: Logger) {
    this.#path = path
    this.#log = log
  }

  /** undefined when there is none, or none that can be used. */
  read(): ServerDescriptor | undefined {
    const text = readText(this.#path)
    if (text === undefined) return undefined
    try {
      return descriptorFromText(text)
    } catch (error) {
      this.#log.error('the kept descriptor is damaged and not used', { file: this.#path, error })
      return undefined
    }
  }

  keep(descriptor: ServerDescriptor): void {
    try {
      replaceFile(this.#path, descriptorToText(descriptor))
    } catch (error) {
      this.#log.error('the descriptor cannot be kept for a start without registry', { file: this.#path, error })
    }
  }
}
