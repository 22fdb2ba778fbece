import { arch, availableParallelism, release, totalmem } from 'node:os'
import { readFile } from 'node:fs/promises'
import type { KubeClient } from '#kube/client.ts'
import { isNotFound } from '#kube/errors.ts'
import { nodeResource } from '../pods/kinds.ts'

export interface NodeOptions {
  readonly client: KubeClient
  readonly nodeName: string
  /** The node's address, e.g. 127.77.3.1. */
  readonly address: string
  /** Namespaces whose Tars servers may run here (`tars.io/node.<namespace>`). */
  readonly namespaces: readonly string[]
}

const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' }
const maxPods = 240

/** Registers this machine as the cluster's node; labels that others put on it stay. */
export async function registerNode({ client, nodeName, address, namespaces }: NodeOptions): Promise<void> {
  const labels: Record<string, string> = {
    'kubernetes.io/hostname': nodeName,
    'kubernetes.io/os': 'linux',
    'kubernetes.io/arch': architectures[arch()] ?? arch(),
    'tars.io/node': '',
    'tars.io/SupportLocalVolume': '',
    ...Object.fromEntries(namespaces.map((namespace) => [`tars.io/node.${namespace}`, ''])),
  }
  const target = { name: nodeName }
  const known = await client.get(nodeResource, target).catch((error: unknown) => (isNotFound(error) ? undefined : Promise.reject(error)))
  if (known === undefined) await client.create(nodeResource, { metadata: { name: nodeName, labels }, spec: {} } as object as { metadata: { name: string } })
  else await client.patch(nodeResource, target, { metadata: { labels } })
  const capacity = { cpu: String(availableParallelism()), memory: `${Math.floor(totalmem() / 1024)}Ki`, pods: String(maxPods) }
  await client.patch(nodeResource, target, {
    status: {
      capacity, allocatable: capacity,
      conditions: [readyCondition(true)],
      addresses: [{ type: 'InternalIP', address }, { type: 'Hostname', address: nodeName }],
      nodeInfo: { ...(await nodeInfo()), containerRuntimeVersion: 'tarsk8s://0.1.0', kubeletVersion: 'v1.30.0-tarsk8s', operatingSystem: 'linux', architecture: architectures[arch()] ?? arch() },
    },
  }, { type: 'merge', subresource: 'status' })
}

/** The cluster stops: its node is not ready. */
export async function retireNode({ client, nodeName }: Pick<NodeOptions, 'client' | 'nodeName'>): Promise<void> {
  await client.patch(nodeResource, { name: nodeName }, { status: { conditions: [readyCondition(false)] } }, { subresource: 'status' })
}

function readyCondition(ready: boolean): object {
  const now = `${new Date().toISOString().slice(0, 19)}Z`
  const rest = { lastHeartbeatTime: now, lastTransitionTime: now }
  return ready ? { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'the pod runner takes pods', ...rest } : { type: 'Ready', status: 'False', reason: 'KubeletStopped', message: 'the pod runner was stopped', ...rest }
}

async function nodeInfo(): Promise<Record<string, string>> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '')
  const machine = await readFile('/etc/machine-id', 'utf8').catch(() => '')
  return { kernelVersion: release(), osImage: /^PRETTY_NAME="?([^"\n]*)/m.exec(text)?.[1] ?? 'Linux', machineID: machine.trim() }
}
