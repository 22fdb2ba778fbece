import type { TConfig } from '#api/types.ts'
import { Writer } from '#tars/codec/writer.ts'
import { Config } from '#tars/protocol/ConfigF.ts'
import { ReadyAnswers } from '#tars/server.ts'

const { loadConfig } = Config.functions

/** Loads to which everybody gets the same answer, kept as it was first sent until something changes in it. */
export class CommonLoads {
  readonly #ready = new ReadyAnswers()
  readonly #writer = new Writer(256)

  /** By function. */
  readonly functions = { loadConfig: this.#ready }

  keep(app: string, server: string, file: string, config: string): void {
    const answer = new Writer(config.length + 64)
    loadConfig?.writeResult(answer, { return: 0, config })
    this.#ready.set(this.#question(app, server, file), answer.view())
  }

  /** A version of a file came, changed or went. Those of an application may be part of any of its servers' files. */
  forget({ app, server, configName }: Pick<TConfig, 'app' | 'server' | 'configName'>): void {
    if (server === '') this.#ready.clear()
    else this.#ready.delete(this.#question(app, server, configName))
  }

  #question(...args: readonly string[]): Buffer {
    loadConfig?.writeArgs(this.#writer.reset(), args)
    return this.#writer.view()
  }
}
