// The file of a snapshot on a disk without room, and its date.
import { readFileSync, rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Lifetime } from '#base/lifecycle.ts'
import { silentLogger } from '#base/log.ts'
import { Informer } from '#kube/informer.ts'
import { pods } from '#kube/resources.ts'
import { whenKnown, type Informers } from '#kube/snapshot.ts'
import { createPod, namespace, startCluster, type TestCluster } from '../../registry/cluster.ts'
import { Disks } from '../../rig/disks.ts'
import { fill } from '../../rig/fill.ts'

let cluster: TestCluster
const folder = await mkdtemp(join(tmpdir(), 'tarsk8s-snapshot-'))
const disks = await Disks.mount(folder, { data: 1 })
beforeAll(async () => {
  cluster = await startCluster()
  for (let number = 0; number < 20; number++) await createPod(cluster.client, { app: 'Test', server: 'Many', name: `test-many-${number}`, ip: `127.82.0.${number + 1}` })
})
afterAll(async () => {
  await disks.unmount()
  await rm(folder, { recursive: true, force: true })
})

/** Keeps what it knows, as it does when it is stopped. @returns how old it was then, milliseconds */
async function keep(before: () => unknown = () => {}): Promise<number> {
  const lifetime = new Lifetime()
  const informer = new Informer({ client: cluster.client, namespace, resource: pods, log: silentLogger })
  lifetime.onStop(() => informer.stop())
  informer.start()
  await whenKnown({ file: join(disks.outside('data'), 'snapshot.json'), informers: { pods: informer } as unknown as Informers, synced: informer.synced(), patienceMs: 60_000, lifetime, log: silentLogger })
  await before()
  const ageMs = informer.ageMs()
  await lifetime.stop()
  return ageMs
}

test('a snapshot that finds no room takes none, and the one before stays', async () => {
  const filler = join(disks.outside('data'), 'filler')
  await fill(filler)
  await keep()
  expect(disks.files('data')).toEqual(['filler'])
  rmSync(filler)
  await keep()
  await fill(filler)
  await keep()
  expect(disks.files('data').toSorted()).toEqual(['filler', 'snapshot.json'])
})

test('a snapshot is as old as what the API server confirmed last', async () => {
  rmSync(join(disks.outside('data'), 'filler'), { force: true })
  const ageMs = await keep(async () => {
    await cluster.stop()
    await new Promise((resolve) => setTimeout(resolve, 200))
  })
  expect(ageMs).toBeGreaterThan(150)
  const [first = ''] = readFileSync(join(disks.outside('data'), 'snapshot.json'), 'utf8').split('\n')
  expect(Date.now() - Date.parse((JSON.parse(first) as { confirmed: string }).confirmed)).toBeGreaterThanOrEqual(ageMs - 1)
})
