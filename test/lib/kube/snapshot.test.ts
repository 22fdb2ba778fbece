// What informers know, kept in a file over a restart.
import { appendFile, mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { Lifetime } from '#base/lifecycle.ts'
import { silentLogger } from '#base/log.ts'
import { createKubeClient } from '#kube/client.ts'
import { Informer } from '#kube/informer.ts'
import { configMaps } from '#kube/resources.ts'
import { whenKnown, type Informers } from '#kube/snapshot.ts'
import { behaviourCluster, eventually, type TestCluster } from '../../rig/kube.ts'

let cluster: TestCluster
let folder: string

beforeAll(async () => {
  cluster = await behaviourCluster()
  folder = await mkdtemp(join(tmpdir(), 'tarsk8s-snapshot-'))
})
afterAll(async () => {
  await cluster.stop()
  await rm(folder, { recursive: true, force: true })
})

const nobody = createKubeClient({ server: 'http://127.0.0.1:1' })
const everyMs = 10

interface Kept {
  readonly maps: Informer
  stop(): Promise<void>
}

/** An informer of all ConfigMaps of a namespace that begin with an a, which are kept. */
async function keep(file: string, namespace: string, away = false): Promise<Kept> {
  const maps = new Informer({ client: away ? nobody : cluster.client, resource: configMaps, namespace, log: silentLogger })
  maps.start()
  const lifetime = new Lifetime()
  const synced = maps.synced()
  synced.catch(() => {})
  await whenKnown({ file, informers: { maps } as unknown as Informers, synced, patienceMs: away ? 0 : 60_000, everyMs, lifetime, log: silentLogger })
  return { maps, stop: () => lifetime.stop().then(() => maps.stop()) }
}

const create = (namespace: string, name: string, value: string) => cluster.client.create(configMaps, { metadata: { name, namespace }, data: { value } })
const valuesOf = ({ maps }: Kept) => Object.fromEntries(maps.list().filter(({ metadata: { name } }) => name.startsWith('a')).map(({ metadata: { name }, ...rest }) => [name, rest['data'].value as string]))
const lines = async (file: string): Promise<number> => (await readFile(file, 'utf8').catch(() => '')).split('\n').length

it('has what was made, changed and deleted after it was first written, each as a line more', async () => {
  const [namespace, file] = [await cluster.namespace(), join(folder, 'changes')]
  for (const name of ['a1', 'a2', 'a3']) await create(namespace, name, 'first')
  const before = await keep(file, namespace)
  const whole = await eventually(async () => ((await lines(file)) > 3 ? stat(file) : undefined), 'it is written')
  await cluster.client.patch(configMaps, { namespace, name: 'a1' }, { data: { value: 'second' } })
  await cluster.client.delete(configMaps, { namespace, name: 'a2' })
  await create(namespace, 'a4', 'first')
  await eventually(() => before.maps.get(namespace, 'a4') !== undefined, 'the changes are known')
  await before.stop()
  expect((await stat(file)).ino).toBe(whole.ino)

  const after = await keep(file, namespace, true)
  onTestFinished(() => after.stop())
  expect(valuesOf(after)).toEqual({ a1: 'second', a3: 'first', a4: 'first' })
})

it('is believed but for the line that was being written when the process was killed', async () => {
  const [namespace, file] = [await cluster.namespace(), join(folder, 'torn')]
  await create(namespace, 'a1', 'first')
  const before = await keep(file, namespace)
  await eventually(async () => (await lines(file)) > 1, 'it is written')
  await create(namespace, 'a2', 'first')
  await eventually(() => before.maps.get(namespace, 'a2') !== undefined, 'the new one is known')
  await before.stop()
  await truncate(file, (await stat(file)).size - 5)

  const after = await keep(file, namespace, true)
  onTestFinished(() => after.stop())
  expect(valuesOf(after)).toEqual({ a1: 'first' })
})

it('is as old as it says, whenever it was written: its process may be killed before it has said so, and its clock set back', async () => {
  const [namespace, file] = [await cluster.namespace(), join(folder, 'old')]
  await create(namespace, 'a1', 'first')
  await (await keep(file, namespace)).stop()
  const text = await readFile(file, 'utf8')
  const confirmed = Date.parse((JSON.parse(text.slice(0, text.indexOf('\n'))) as { confirmed: string }).confirmed)
  const dated = (at: number): Promise<void> => writeFile(file, text.replace(new Date(confirmed).toISOString(), new Date(at).toISOString()))
  const age = async (): Promise<number> => {
    const after = await keep(file, namespace, true)
    await after.stop()
    expect(valuesOf(after)).toEqual({ a1: 'first' })
    return after.maps.ageMs()
  }
  await dated(confirmed - 100_000)
  await appendFile(file, text.slice(text.indexOf('\n') + 1))
  expect(await age()).toBeGreaterThanOrEqual(100_000)
  await dated(Date.now() + 3_600_000)
  expect(await age()).toBe(Infinity)
})

it('is written anew when most of its lines say nothing any more', async () => {
  const [namespace, file] = [await cluster.namespace(), join(folder, 'long')]
  await create(namespace, 'a1', '0')
  const kept = await keep(file, namespace)
  onTestFinished(() => kept.stop())
  const first = await eventually(async () => ((await lines(file)) > 1 ? stat(file) : undefined), 'it is written')
  for (let value = 1; (await stat(file)).ino === first.ino; value++) await cluster.client.patch(configMaps, { namespace, name: 'a1' }, { data: { value: String(value) } })
  expect(await lines(file)).toBeLessThan(1000)
})
