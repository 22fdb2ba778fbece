// What is asked of the node in a pod (NodeObj, node-and-image A.6).
import { reservedPorts } from '#api/names.ts'
import type { Communicator } from '#tars/client.ts'
import { LogView, type LogViewProxy } from '#tars/protocol/LogView.ts'
import { ret, TarsCallError } from '#tars/packet.ts'
import { Node, type NodeProxy } from '#tars/protocol/Node.ts'
import type { ServerStateInfo } from '#tars/protocol/NodeDescriptor.ts'
import { isActive } from '../model/pod-row.ts'
import { codes, Refusal } from './outcome.ts'
import type { Place } from './places.ts'

/** How a tarsnode of K8SFramework answers to what it cannot do, and the service in its place where that is in the foreground. */
const formerly: ReadonlySet<number> = new Set([ret.noFunction, ret.noServant])

/** Milliseconds a node may take to take a command; carrying it out comes after. */
const timeoutMs = 5000

export type NodeCall<T> = (node: NodeProxy, app: string, server: string, options: { readonly timeoutMs: number }) => Promise<T>

/** Calls nodes by the address of their pod, so that neither registry nor DNS has to be up. */
export class Nodes {
  readonly #communicator: Communicator

  constructor(communicator: Communicator) {
    this.#communicator = communicator
  }

  /** @throws Refusal 1011 where no node runs the server, or one that has no such function, 1001 while its pod has no address */
  async ask<T>({ row, pod }: Place, call: NodeCall<T>): Promise<T> {
    if (!row.hasNode) throw new Refusal(codes.cannot, `no node runs ${row.app}.${row.server}`, 'scale it, or delete its pods')
    const node = this.#communicator.proxy<NodeProxy>(Node, this.#object(pod.name, pod.ip))
    return call(node, row.app, row.server, { timeoutMs }).catch((error: unknown) => {
      if (!(error instanceof TarsCallError && formerly.has(error.ret))) throw error
      throw new Refusal(codes.cannot, `the tarsnode in ${pod.name} is one of K8SFramework, which does not do that`, `release ${row.app}.${row.server} again, with the tarsnode of this framework`)
    })
  }

  /** What the node says of its server; undefined where there is none that does. @throws Refusal 1001 */
  stateOf(of: Place): Promise<{ return: number; info: ServerStateInfo; result: string } | undefined> {
    return this.ask(of, (node, app, server, options) => node.getStateInfo(app, server, options)).catch((error: unknown) => {
      if (error instanceof Refusal && error.ret === codes.cannot) return undefined
      throw error
    })
  }

  /** The logs that a tarslog keeps. @param object its LogViewObj with its address */
  logsOf(object: string): LogViewProxy {
    return this.#communicator.proxy<LogViewProxy>(LogView, object)
  }

  /** Resolves when the node of a pod answers, or, where there is none, when Kubernetes calls the pod ready. */
  async ping({ row, pod }: Place): Promise<void> {
    if (row.hasNode) await this.#communicator.ping(this.#object(pod.name, pod.ip), { timeoutMs })
    else if (!isActive(pod)) throw new Refusal(codes.state, `the pod ${pod.name} is ${pod.presentState}`)
  }

  /** Resolves when an object answers. @param object with its address */
  async pingObject(object: string): Promise<void> {
    await this.#communicator.ping(object, { timeoutMs })
  }

  #object(pod: string, ip: string): string {
    if (ip === '') throw new Refusal(codes.noNode, `the pod ${pod} has no address yet`, 'try again in a moment')
    return `tars.tarsnode.NodeObj@tcp -h ${ip} -p ${reservedPorts.node} -t ${timeoutMs}`
  }
}
