import { reservedPorts } from '#api/names.ts'
import { Failure, describe } from '#base/errors.ts'
import type { Communicator } from '#tars/client.ts'
import { Node, type NodeProxy } from '#tars/protocol/Node.ts'
import type { CommandResult, PodRow, ServerCommand, ServerRow } from './contract.ts'
import { unknownPod } from './errors.ts'

/** Milliseconds a node may take to take a command; carrying it out comes after. */
const timeoutMs = 5000

type NodeCall = (node: NodeProxy, app: string, server: string) => Promise<{ return: number; result: string }>

const calls: Readonly<Record<ServerCommand, NodeCall>> = {
  start: (node, app, server) => node.startServer(app, server, { timeoutMs }),
  stop: (node, app, server) => node.stopServer(app, server, { timeoutMs }),
  restart: (node, app, server) => node.restartServer(app, server, { timeoutMs }),
}

/**
 * Tells the nodes in a server's pods to start, stop or restart their service (NodeObj, node-and-image A.6).
 * @param podName only this pod; all of them when undefined
 * @returns one result a pod, in order; a pod that cannot be reached is a result, not an error
 */
export async function commandPods(communicator: Communicator, row: ServerRow, command: ServerCommand, podName?: string): Promise<CommandResult[]> {
  if (!row.hasNode) throw new Failure('SERVER_HAS_NO_NODE', `no node runs ${row.name} that could ${command} it`, { remedy: 'scale it, or delete its pods' })
  const chosen = row.pods.filter(({ name }) => podName === undefined || name === podName)
  if (podName !== undefined && chosen.length === 0) throw unknownPod(podName, row.name)
  return await Promise.all(chosen.map((pod) => commandPod(communicator, row, pod, calls[command])))
}

async function commandPod(communicator: Communicator, { app, server }: ServerRow, { name, ip }: PodRow, call: NodeCall): Promise<CommandResult> {
  if (ip === '') return { pod: name, ok: false, message: 'the pod has no address yet' }
  const node = communicator.proxy<NodeProxy>(Node, `tars.tarsnode.NodeObj@tcp -h ${ip} -p ${reservedPorts.node} -t ${timeoutMs}`)
  try {
    const { return: code, result } = await call(node, app, server)
    return { pod: name, ok: code === 0, message: result }
  } catch (error) {
    return { pod: name, ok: false, message: describe(error) }
  }
}
