// What has no namespace: nodes, and the local volumes that they leave behind.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { localVolume } from '#api/names.ts'
import type { Running } from '#base/lifecycle.ts'
import { silentLogger } from '#base/log.ts'
import { nodes, persistentVolumes } from '#kube/resources.ts'
import type { AnyObject } from '#kube/types.ts'
import { startClusterWide } from '../../framework/controller/cluster-wide.ts'
import { clientAs, eventually, startCluster, type TestCluster } from './cluster.ts'

let cluster: TestCluster
let controller: Running
/** Volumes, which may be in a cluster that stays. */
const made: string[] = []
beforeAll(async () => {
  cluster = await startCluster({ roles: [] })
  const client = clientAs(cluster, 'system:serviceaccount:tars-system:tars-controller')
  controller = await startClusterWide({ client, log: silentLogger, settleMs: 0, lostAfterMs: 200 })
  void controller.done.finally(() => client.close())
})
afterAll(async () => {
  await controller?.stop()
  for (const name of made) await cluster.client.patch(persistentVolumes, { name }, { metadata: { finalizers: null } }).then(() => cluster.client.delete(persistentVolumes, { name })).catch(() => {})
  await cluster?.stop()
})

const node = (name: string, labels: object = {}): Promise<AnyObject> => cluster.client.create(nodes, { metadata: { name, labels: { [localVolume.hostnameLabel]: name, ...labels } } } as never)
const labelsOf = async (name: string): Promise<Record<string, string>> => (await cluster.client.get(nodes, { name })).metadata.labels ?? {}

test('a node says whether any framework may use it', async () => {
  await node('used', { 'tars.io/node.red': '' })
  await eventually(async () => ((await labelsOf('used'))['tars.io/node'] === '' ? true : undefined))
  await cluster.client.patch(nodes, { name: 'used' }, { metadata: { labels: { 'tars.io/node.red': null, 'tars.io/node.blue': '' } } })
  await cluster.client.patch(nodes, { name: 'used' }, { metadata: { labels: { 'tars.io/node': null } } })
  await eventually(async () => ((await labelsOf('used'))['tars.io/node'] === '' ? true : undefined))
  await cluster.client.patch(nodes, { name: 'used' }, { metadata: { labels: { 'tars.io/node.blue': null } } })
  await eventually(async () => ('tars.io/node' in (await labelsOf('used')) ? undefined : true))
  await cluster.client.delete(nodes, { name: 'used' })
})

/** A volume as tarsagent makes it on a node. */
async function volume(name: string, host: string, phase: string, changes: { readonly provisionedBy?: string } = {}): Promise<void> {
  made.push(name)
  await cluster.client.create(persistentVolumes, {
    metadata: { name, labels: { 'tars.io/ServerApp': 'Demo', 'tars.io/ServerName': 'Hello', 'tars.io/LocalVolume': 'data' }, annotations: { [localVolume.provisionedBy.key]: changes.provisionedBy ?? localVolume.provisionedBy.value }, finalizers: [localVolume.finalizer] },
    spec: {
      capacity: { storage: '1G' }, accessModes: ['ReadWriteOnce'], storageClassName: 'tars-storage-class', persistentVolumeReclaimPolicy: 'Delete', volumeMode: 'Filesystem', local: { path: `/volumes/${name}` },
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: localVolume.hostnameLabel, operator: 'In', values: [host] }] }] } },
      ...(phase === 'Available' ? {} : { claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace: 'ns', name: `claim-${name}`, uid: `uid-${name}` } }),
    },
  } as never)
  await cluster.client.patch(persistentVolumes, { name }, { status: { phase } }, { subresource: 'status' })
}
const find = (name: string): Promise<AnyObject | undefined> => cluster.client.get(persistentVolumes, { name }).catch(() => undefined)
/** Gone, or held by Kubernetes' own finalizers alone, whose controllers are not here. */
const letGo = (name: string) => eventually(async () => {
  const { deletionTimestamp, finalizers = [] } = (await find(name))?.metadata ?? { deletionTimestamp: '' }
  return deletionTimestamp !== undefined && !finalizers.includes(localVolume.finalizer) ? true : undefined
})

describe('local volumes', () => {
  test('of a node that is gone go when no claim has them', async () => {
    await node('lost')
    for (const phase of ['Released', 'Available', 'Bound']) await volume(phase.toLowerCase(), 'lost', phase)
    await volume('theirs', 'lost', 'Released', { provisionedBy: 'somebody' })
    await volume('deleted', 'lost', 'Released')
    await cluster.client.delete(persistentVolumes, { name: 'deleted' })
    await node('there')
    await volume('elsewhere', 'there', 'Released')
    // All nodes are there: nothing is done.
    await cluster.client.patch(nodes, { name: 'there' }, { metadata: { labels: { 'tars.io/node.red': '' } } })
    await eventually(async () => ((await labelsOf('there'))['tars.io/node'] === '' ? true : undefined))
    expect((await find('deleted'))?.metadata.finalizers).toContain(localVolume.finalizer)
    await cluster.client.delete(nodes, { name: 'lost' })
    for (const name of ['released', 'available', 'deleted']) await letGo(name)
    for (const name of ['bound', 'theirs', 'elsewhere']) expect((await find(name))?.metadata, name).toMatchObject({ finalizers: expect.arrayContaining([localVolume.finalizer]) as object })
    for (const name of ['bound', 'theirs', 'elsewhere']) expect((await find(name))?.metadata.deletionTimestamp, name).toBeUndefined()
    // Somebody gives the data up.
    await cluster.client.patch(persistentVolumes, { name: 'bound' }, { status: { phase: 'Released' } }, { subresource: 'status' })
    await letGo('bound')
    await cluster.client.delete(nodes, { name: 'there' })
    await letGo('elsewhere')
  })
})
