// GET /host-ports, answered by the endpoint of real agents on nodes of their own addresses.
import { createServer, type AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { silentLogger } from '#base/log.ts'
import { nodes } from '#kube/resources.ts'
import { startAdmin, type RunningAdmin } from '../../framework/admin/admin.ts'
import type { ErrorBody, HostPortList } from '../../framework/admin/contract.ts'
import { startHttp } from '../../framework/agent/http.ts'
import { namespace, startCluster, type TestCluster } from '../registry/cluster.ts'
import { ownAddress } from '../rig/own-address.ts'

const [first, second, silent] = [ownAddress(), ownAddress(), ownAddress()]
let cluster: TestCluster
let admin: RunningAdmin
const agents: { stop(): Promise<void> }[] = []
const service = createServer()

const startAgent = async (address: string, port: number): Promise<number> => {
  const agent = await startHttp({ address, port, facts: {}, health: () => ({}), metrics: async () => '', log: silentLogger })
  agents.push(agent)
  return agent.port
}

beforeAll(async () => {
  cluster = await startCluster()
  const agentPort = await startAgent(first, 0)
  await startAgent(second, agentPort)
  for (const [name, address, label] of [['one', first, namespace], ['two', second, namespace], ['three', silent, namespace], ['four', undefined, namespace], ['foreign', first, 'other']] as const) {
    await cluster.client.create(nodes, { metadata: { name, labels: { [`tars.io/node.${label}`]: '' } }, spec: {} } as never)
    if (address !== undefined) await cluster.client.patch(nodes, { name }, { status: { addresses: [{ type: 'Hostname', address: name }, { type: 'InternalIP', address }] } }, { subresource: 'status' })
  }
  await new Promise<void>((resolve) => service.listen(0, first, resolve))
  admin = await startAdmin({ client: cluster.client, namespace, address: '127.0.0.1', port: 0, agentPort, log: silentLogger, signal: new AbortController().signal })
})

afterAll(async () => {
  service.close()
  await admin?.stop()
  for (const agent of agents) await agent.stop()
  await cluster?.stop()
})

const get = async <T>(query: string): Promise<{ status: number; body: T }> => {
  const response = await fetch(`${admin.url}/api/v1/host-ports${query}`)
  return { status: response.status, body: (await response.json()) as T }
}

test('says of every node of the framework whether a port is taken, or why that is not known', async () => {
  const { port } = service.address() as AddressInfo
  const { body: { hostPorts } } = await get<HostPortList>(`?port=${port}`)
  expect(hostPorts.toSorted((one, other) => one.node.localeCompare(other.node))).toEqual([
    { node: 'four', port, inUse: null, message: 'the node has no address' },
    { node: 'one', port, inUse: true },
    { node: 'three', port, inUse: null, message: expect.stringContaining(`tarsagent does not answer at ${silent}:`) },
    { node: 'two', port, inUse: false },
  ])
})

test('gives a free port of one node', async () => {
  const { body: { hostPorts } } = await get<HostPortList>('?node=two')
  expect(hostPorts).toEqual([{ node: 'two', port: expect.any(Number), inUse: false }])
  expect(hostPorts[0]?.port).toBeGreaterThan(0)
})

test.each([['?node=foreign', 404, 'NODE_UNKNOWN'], ['?port=70000', 400, 'QUERY_INVALID'], ['?port=http', 400, 'QUERY_INVALID'], ['?prot=1', 400, 'QUERY_INVALID']])('%s is refused', async (query, status, code) => {
  const answer = await get<ErrorBody>(query)
  expect(answer).toMatchObject({ status, body: { code } })
})
