// What is asked of the node in a pod (NodeObj, node-and-image A.6).
import { reservedPorts } from '#api/names.ts'
import type { Communicator } from '#tars/client.ts'
import { LogView, type LogViewProxy } from '#tars/protocol/LogView.ts'
import { Node, type NodeProxy } from '#tars/protocol/Node.ts'
import { isActive } from '../model/pod-row.ts'
import { codes, Refusal } from './outcome.ts'
import type { Place } from './places.ts'

/** Milliseconds a node may take to take a command; carrying it out comes after. */
const timeoutMs = 5000

export type NodeCall<T> = (node: NodeProxy, app: string, server: string, options: { readonly timeoutMs: number }) => Promise<T>

/** Calls nodes by the address of their pod, so that neither registry nor DNS has to be up. */
export class Nodes {
  readonly #communicator: Communicator

  constructor(communicator: Communicator) {
    this.#communicator = communicator
  }

  /** @throws Refusal 1011 where no tarsnode runs, 1001 while its pod has no address */
  async ask<T>({ row, pod }: Place, call: NodeCall<T>): Promise<T> {
    if (!row.hasNode) throw new Refusal(codes.cannot, `no tarsnode runs in the pods of ${row.app}.${row.server}`, 'scale it, or restart it')
    const node = this.#communicator.proxy<NodeProxy>(Node, this.#object(pod.name, pod.ip))
    return call(node, row.app, row.server, { timeoutMs })
  }

  /** The logs that a tarslog keeps. @param object its LogViewObj with its address */
  logsOf(object: string): LogViewProxy {
    return this.#communicator.proxy<LogViewProxy>(LogView, object)
  }

  /** Resolves when the node of a pod answers; where no tarsnode runs, when Kubernetes finds the pod ready. @throws Refusal 1001 when it does not */
  async ping({ row, pod }: Place): Promise<void> {
    if (row.hasNode) await this.#communicator.ping(this.#object(pod.name, pod.ip), { timeoutMs })
    else if (!isActive(pod)) throw new Refusal(codes.noNode, `the pod ${pod.name} is not ready: ${pod.presentState}`)
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
