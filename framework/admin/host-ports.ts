import type { FastifyInstance } from 'fastify'
import { nodeLabel } from '#api/names.ts'
import { Failure, describe } from '#base/errors.ts'
import type { KubeClient } from '#kube/client.ts'
import { nodes } from '#kube/resources.ts'
import type { AnyObject } from '#kube/types.ts'
import type { HostPort, HostPortList } from './contract.ts'
import { texts, wholeNumber } from './routes.ts'

export interface HostPortParts {
  readonly client: KubeClient
  readonly namespace: string
  /** Port of tarsagent on every node. */
  readonly agentPort: number
}

/** Milliseconds: the agent itself waits for one second. */
const timeoutMs = 3000
const known = ['port', 'node'] as const

/**
 * `GET /api/v1/host-ports[?port=n&node=name]`: whether a port is taken on the nodes of this framework, to be asked before a
 * TServer is given hostPorts; without `port`, a free one of each node.
 */
export function addHostPortRoute(http: FastifyInstance, { client, namespace, agentPort }: HostPortParts): void {
  http.get('/api/v1/host-ports', async (request): Promise<HostPortList> => {
    const port = wholeNumber(request, 'port', known) ?? 0
    const { node } = texts(request, known)
    if (port > 65_535) throw new Failure('QUERY_INVALID', `the query parameter port must be at most 65535, not ${port}`)
    const { items } = await client.list(nodes, { labelSelector: nodeLabel(namespace) })
    const chosen = items.filter(({ metadata }) => node === undefined || metadata.name === node)
    if (node !== undefined && chosen.length === 0) throw new Failure('NODE_UNKNOWN', `no node ${node} has the label ${nodeLabel(namespace)}`, { remedy: '"kubectl get nodes --show-labels" lists them all' })
    return { hostPorts: await Promise.all(chosen.map((one) => askAgent(one, port, agentPort))) }
  })
}

/** A node whose agent cannot be asked is an answer, not an error. */
async function askAgent(node: AnyObject, port: number, agentPort: number): Promise<HostPort> {
  const { name } = node.metadata
  const addresses = (node['status']?.addresses ?? []) as readonly { readonly type: string; readonly address: string }[]
  const address = addresses.find(({ type }) => type === 'InternalIP')?.address
  if (address === undefined) return { node: name, port, inUse: null, message: 'the node has no address' }
  const host = address.includes(':') ? `[${address}]` : address
  try {
    const response = await fetch(`http://${host}:${agentPort}/port?${new URLSearchParams({ host: address, port: String(port) }).toString()}`, { signal: AbortSignal.timeout(timeoutMs) })
    const answer = (await response.json()) as { err_info: { err_code: number; err_msg: string }; port: number; in_use: boolean }
    if (answer.err_info.err_code !== 0) return { node: name, port, inUse: null, message: answer.err_info.err_msg }
    return { node: name, port: answer.port, inUse: answer.in_use }
  } catch (error) {
    return { node: name, port, inUse: null, message: `tarsagent does not answer at ${host}:${agentPort}: ${describe(error)}` }
  }
}
