import { Child } from './child.ts'
import type { Load, LoadClient, Target } from './load-client.ts'

export { firstId, type Load } from './load-client.ts'

/** A client process with connections to one server. */
export class LoadGenerator {
  readonly #child: Child

  private constructor(child: Child) {
    this.#child = child
  }

  static async start(target: Target): Promise<LoadGenerator> {
    const { child } = await Child.start('load-process.ts', { target })
    return new LoadGenerator(child)
  }

  get pid(): number {
    return this.#child.pid
  }

  /** As much as the server answers while a fixed number of requests is under way. */
  saturate(how: Parameters<LoadClient['saturate']>[0]): Promise<Load> {
    return this.#child.ask({ saturate: how })
  }

  /** Each request once. */
  once(how: Parameters<LoadClient['once']>[0]): Promise<Load> {
    return this.#child.ask({ once: how })
  }

  /** A fixed rate, whatever is answered. */
  paced(how: Parameters<LoadClient['paced']>[0]): Promise<Load> {
    return this.#child.ask({ paced: how })
  }

  stop(): Promise<void> {
    return this.#child.stop()
  }
}
