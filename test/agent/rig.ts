// Nodes, claims and volumes as the controller, the scheduler and Kubernetes' volume controllers leave them.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { KubeClient } from '#kube/client.ts'
import { nodes, persistentVolumeClaims, persistentVolumes, storageClasses } from '#kube/resources.ts'
import type { AnyObject } from '#kube/types.ts'
import { isNotFound } from '#kube/errors.ts'

/** Runs swapper.ts for as long as `work` takes. */
export async function whileSwapped<T>(folder: string, outside: string, work: () => Promise<T>): Promise<T> {
  const swapper = spawn(process.execPath, [join(import.meta.dirname, 'swapper.ts'), folder, outside], { stdio: ['ignore', 'pipe', 'inherit'] })
  try {
    await once(swapper.stdout, 'data')
    return await work()
  } finally {
    swapper.kill('SIGKILL')
    await once(swapper, 'exit')
  }
}

export const nodeName = 'node-1'

export async function createNode(client: KubeClient, namespace: string, labels: Record<string, string> = { 'tars.io/SupportLocalVolume': '' }, name = nodeName): Promise<void> {
  await client.create(nodes, { metadata: { name, labels: { 'kubernetes.io/hostname': 'host-1', 'tars.io/node': '', [`tars.io/node.${namespace}`]: '', ...labels } }, spec: {} } as never)
}

export async function createClass(client: KubeClient, reclaimPolicy = 'Delete', name = 'tars-storage-class'): Promise<void> {
  await client.create(storageClasses, { metadata: { name }, provisioner: 'kubernetes.io/no-provisioner', volumeBindingMode: 'WaitForFirstConsumer', reclaimPolicy } as never)
}

export interface ClaimWish {
  readonly namespace: string
  readonly name?: string
  readonly volume?: string
  readonly server?: string
  readonly className?: string
  readonly annotations?: Record<string, string>
  readonly volumeMode?: string
}

/** A claim as the StatefulSet of a TServer makes it. */
export async function createClaim(client: KubeClient, { namespace, volume = 'data', server = 'Hello', name = `${volume}-demo-${server.toLowerCase()}-0`, className = 'tars-storage-class', annotations = {}, volumeMode = 'Filesystem' }: ClaimWish): Promise<AnyObject> {
  const labels = { 'tars.io/ServerApp': 'Demo', 'tars.io/ServerName': server, 'tars.io/LocalVolume': volume }
  return await client.create(persistentVolumeClaims, {
    metadata: { namespace, name, labels, annotations },
    spec: { accessModes: ['ReadWriteOnce'], selector: { matchLabels: labels }, resources: { requests: { storage: '1G' } }, storageClassName: className, volumeMode },
  } as never)
}

export async function setPhase(client: KubeClient, name: string, phase: string): Promise<void> {
  await client.patch(persistentVolumes, { name }, { status: { phase } }, { subresource: 'status' })
}

/** What the scheduler and the volume controller do. */
export async function bind(client: KubeClient, claim: AnyObject, volume: string): Promise<void> {
  const { namespace, name, uid } = claim.metadata
  await client.patch(persistentVolumes, { name: volume }, { spec: { claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid } } })
  await setPhase(client, volume, 'Bound')
  await client.patch(persistentVolumeClaims, { namespace, name }, { spec: { volumeName: volume } })
  await client.patch(persistentVolumeClaims, { namespace, name }, { status: { phase: 'Bound' } }, { subresource: 'status' })
}

/** Deletes a claim; its volume is released, as Kubernetes does it. */
export async function release(client: KubeClient, claim: AnyObject, volume: string): Promise<void> {
  await client.delete(persistentVolumeClaims, { namespace: claim.metadata.namespace, name: claim.metadata.name })
  await setPhase(client, volume, 'Released')
}

export async function volumeNamed(client: KubeClient, name: string): Promise<AnyObject | undefined> {
  return await client.get(persistentVolumes, { name }).catch((error: unknown) => (isNotFound(error) ? undefined : Promise.reject(error)))
}
