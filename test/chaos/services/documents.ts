import { httpFaultProxy, type HttpFaultProxy } from '../../rig/http-fault-proxy.ts'
import { startSearchNode, type SearchNode } from '../../rig/search-node/search-node.ts'

/** An OpenSearch and the way to it. */
export class Documents {
  readonly link: HttpFaultProxy
  #node: SearchNode & { readonly home: string }

  private constructor(link: HttpFaultProxy, node: SearchNode & { readonly home: string }) {
    this.link = link
    this.#node = node
  }

  static async start(): Promise<Documents> {
    const node = await startSearchNode('opensearch')
    return new Documents(await httpFaultProxy({ host: '127.0.0.1', port: node.port }), node)
  }

  pause(on: boolean): void {
    this.#node.signal(on ? 'SIGSTOP' : 'SIGCONT')
  }

  /** Ends it at once. @returns starts it again with what it had */
  async kill(): Promise<() => Promise<void>> {
    const { port, home, process } = this.#node
    const ended = new Promise((resolve) => process.once('exit', resolve))
    process.kill('SIGKILL')
    await ended
    return async () => {
      this.#node = await startSearchNode('opensearch', { port, home })
    }
  }

  async stop(): Promise<void> {
    await this.link.stop()
    await this.#node.remove()
  }
}
