// Servers, endpoints and pods as the controller and the kubelet leave them, and nodes that take commands.
import { resources } from '#api/resources.ts'
import type { TEndpoint, TServer } from '#api/types.ts'
import type { KubeClient } from '#kube/client.ts'
import { createServerStateInfo } from '#tars/protocol/NodeDescriptor.ts'
import { Node, type NodeServant } from '#tars/protocol/Node.ts'
import { createServer, type TarsServer } from '#tars/server.ts'
import { namespace, tendpoint } from '../registry/cluster.ts'

export async function createTserver(client: KubeClient, app: string, server: string, more: { readonly replicas?: number; readonly release?: string | undefined; readonly servants?: readonly object[] } = {}): Promise<void> {
  const { replicas = 1, release = 'v1', servants = [{ name: 'Obj', port: 18000 }] } = more
  const draft = {
    apiVersion: 'k8s.tars.io/v1beta3', kind: 'TServer', metadata: { name: `${app}-${server}`.toLowerCase(), namespace },
    spec: { app, server, subType: 'tars', tars: { template: 'tars.default', servants }, k8s: { replicas }, ...(release === '' ? {} : { release: { id: release, image: `registry/${release}` } }) },
  }
  await client.create(resources.tservers, draft as unknown as TServer)
}

export type PodEntry = Partial<NonNullable<TEndpoint['status']>['pods'][number]> & { readonly name: string }

/** The TEndpoint with the states of its pods. */
export async function setPods(client: KubeClient, app: string, server: string, entries: readonly PodEntry[]): Promise<void> {
  const object = tendpoint(app, server, [{ name: 'Obj', port: 18000 }])
  const known = await client.get(resources.tendpoints, { namespace, name: object.metadata.name }).catch(() => undefined)
  const base = known ?? (await client.create(resources.tendpoints, object as unknown as TEndpoint))
  const pods = entries.map((entry) => ({ uid: entry.name, settingState: 'Active', presentState: 'Active', pid: '9', id: 'v1', startTime: '2026-01-01T00:00:00Z', ...entry }))
  await client.patch(resources.tendpoints, { namespace, name: base.metadata.name }, { status: { pods } }, { type: 'merge', subresource: 'status' })
}

export interface TestNode {
  readonly calls: string[]
  stop(): Promise<void>
}

/** NodeObj on a pod's address, where tarsnode has it. @param code what it answers */
export async function startNode(address: string, code = 0): Promise<TestNode> {
  const calls: string[] = []
  const take = (verb: string) => (app: string, server: string) => {
    calls.push(`${verb} ${app}.${server}`)
    return { return: code, result: code === 0 ? 'Success' : 'not mine' }
  }
  const servant: NodeServant = {
    addFile: () => ({ return: 0, result: '' }),
    getLogFileList: () => ({ return: 0, logFileList: [] }),
    getLogData: () => ({ return: 0, fileData: '' }),
    getNodeLoad: () => ({ return: 0, fileData: '' }),
    delCache: () => ({ return: 0, result: '' }),
    loadServer: () => ({ return: 0, result: '' }),
    getStateInfo: () => ({ return: 0, result: '', info: createServerStateInfo() }),
    notifyServer: () => ({ return: 0, result: '' }),
    startServer: take('start'),
    stopServer: take('stop'),
    restartServer: take('restart'),
  }
  const server: TarsServer = createServer({ adapters: [{ endpoint: `tcp -h ${address} -p 19385 -t 10000`, servants: { 'tars.tarsnode.NodeObj': { interface: Node, servant } } }] })
  await server.start()
  return { calls, stop: () => server.stop() }
}
