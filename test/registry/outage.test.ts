// The API server goes away and comes back: the registry goes on, and loses nothing.
import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { customResourceDefinitions } from '#api/crds.ts'
import { resources } from '#api/resources.ts'
import { createLogger, silentLogger } from '#base/log.ts'
import { createKubeClient, type KubeClient } from '#kube/client.ts'
import { customResourceDefinitions as crds, leases, pods } from '#kube/resources.ts'
import type { AnyObject, Resource } from '#kube/types.ts'
import { Communicator } from '#tars/client.ts'
import { QueryF, type QueryFProxy } from '#tars/protocol/QueryF.ts'
import { Registry, type RegistryProxy } from '#tars/protocol/Registry.ts'
import { startApiServer, type ApiServer } from '../../framework/local/apiserver/server.ts'
import { startRegistry, type RunningRegistry } from '../../framework/registry/registry.ts'
import { faultProxy } from '../rig/fault-proxy.ts'
import { ownAddress } from '../rig/own-address.ts'
import { createEndpoint, createPod, namespace, until } from './cluster.ts'

const token = randomUUID()
const communicator = new Communicator({ timeoutMs: 60_000 })
let folder: string
let api: ApiServer
let client: KubeClient
let registry: RunningRegistry

/** While it is away nobody takes its port: the address is its own. */
const apiAddress = ownAddress()
const startApi = (port: number) => startApiServer({ dataFile: join(folder, 'api.sqlite'), host: apiAddress, port, token, namespaces: [namespace], log: silentLogger })

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tarsk8s-outage-'))
  api = await startApi(0)
  client = createKubeClient(api.config)
  for (const crd of customResourceDefinitions()) await client.create(crds, crd as unknown as AnyObject)
  for (const resource of Object.values(resources)) await until(() => client.list(resource as Resource, { namespace }).catch(() => undefined))
  await createEndpoint(client, 'Test', 'Stay', [{ name: 'Obj', port: 5 }])
  await createPod(client, { app: 'Test', server: 'Stay', name: 'test-stay-0', ip: '127.79.0.1', state: 'Active/Active/7' })
  await createPod(client, { app: 'Test', server: 'Stay', name: 'test-stay-1', ip: '127.79.0.2', state: 'Active/Active/7' })
  await createPod(client, { app: 'tars', server: 'tarsregistry', name: 'tars-tarsregistry-0', ip: '127.79.0.3' })
  registry = await startRegistry({ client, namespace, address: '127.0.0.1', podName: 'tars-tarsregistry-0', ports: { query: 0, registry: 0 }, log: silentLogger, signal: new AbortController().signal })
})

afterAll(async () => {
  await communicator.close()
  await registry?.stop()
  client?.close()
  await api?.stop()
  await rm(folder, { recursive: true, force: true })
})

test('its own readiness gate opens, and closes when it leaves (1.8)', async () => {
  const gate = async (name: string) => {
    const pod = await client.get(pods, { namespace, name })
    return (pod['status'].conditions as { type: string; reason?: string }[]).find(({ type }) => type === 'tars.io/active')?.reason
  }
  await until(async () => (await gate('tars-tarsregistry-0')) === 'Active/Active/')
  await createPod(client, { app: 'tars', server: 'tarsregistry', name: 'tars-tarsregistry-1', ip: '127.79.0.4' })
  const other = await startRegistry({ client, namespace, address: '127.0.0.1', podName: 'tars-tarsregistry-1', ports: { query: 0, registry: 0 }, log: silentLogger, signal: new AbortController().signal })
  await until(async () => (await gate('tars-tarsregistry-1')) === 'Active/Active/')
  await other.stop()
  expect(await gate('tars-tarsregistry-1')).toBe('Active/Deactivating/')
})

test('it serves what it knows while the API server is away, and writes what it was told when it is back', async () => {
  const query = communicator.proxy<QueryFProxy>(QueryF, `tars.tarsregistry.QueryObj@tcp -h 127.0.0.1 -p ${registry.ports.query}`)
  const pod = new Communicator({ timeoutMs: 60_000, localAddress: '127.79.0.1' })
  onTestFinished(() => pod.close())
  const node = pod.proxy<RegistryProxy>(Registry, `tars.tarsregistry.RegistryObj@tcp -h 127.0.0.1 -p ${registry.ports.registry}`)
  const active = async () => (await query.findObjectById('Test.Stay.Obj')).map(({ host }) => host)
  expect(await active()).toEqual(['test-stay-0.test-stay', 'test-stay-1.test-stay'])

  const port = Number(new URL(api.url).port)
  await api.stop()
  expect(await active()).toHaveLength(2)
  await node.updateServerState('test-stay-0', 'Active', 'Inactive', { context: { PID: '8' } })
  expect(await active()).toEqual(['test-stay-1.test-stay'])
  expect(registry.ageMs()).toBeGreaterThan(0)

  api = await startApi(port)
  const again = createKubeClient(api.config)
  await until(async () => {
    const pod = await again.get(pods, { namespace, name: 'test-stay-0' })
    return (pod['status'].conditions as { type: string; reason?: string }[]).some(({ reason }) => reason === 'Active/Inactive/8')
  })
  await again.delete(pods, { namespace, name: 'test-stay-1' })
  await until(async () => (await active()).length === 0)
  again.close()
})

test('of what two registries were told while the API server was away, the later word counts', async () => {
  const kube = createKubeClient(api.config)
  onTestFinished(() => kube.close())
  await createEndpoint(kube, 'Test', 'Two', [{ name: 'Obj', port: 5 }])
  const all = Array.from({ length: 16 }, (_, index) => ({ name: `test-two-${index}`, ip: `127.79.2.${index + 1}` }))
  for (const { name, ip } of all) await createPod(kube, { app: 'Test', server: 'Two', name, ip, state: 'Active/Active/7' })
  const begin = () => startRegistry({ client: kube, namespace, address: '127.0.0.1', ports: { query: 0, registry: 0 }, log: silentLogger, signal: new AbortController().signal })
  const [first, second] = await Promise.all([begin(), begin()])
  const port = Number(new URL(api.url).port)
  await api.stop()
  const tell = async ({ name, ip }: { name: string; ip: string }, to: RunningRegistry, present: string, context: Record<string, string>) => {
    const pod = new Communicator({ timeoutMs: 60_000, localAddress: ip })
    await pod.proxy<RegistryProxy>(Registry, `tars.tarsregistry.RegistryObj@tcp -h 127.0.0.1 -p ${to.ports.registry}`).updateServerState(name, 'Active', present, { context })
    await pod.close()
  }
  const seconds = Math.floor(Date.now() / 1000)
  // Of some the later word is what the pod says already.
  const later = (index: number): string => (index % 2 === 0 ? '9' : '7')
  for (const [index, pod] of all.entries()) {
    await tell(pod, first, 'Inactive', { PID: '8', Time: String(seconds) })
    await tell(pod, second, 'Active', { PID: later(index), Time: String(seconds + 1) })
  }
  api = await startApi(port)
  const isLater = async () => {
    const { items } = await kube.list(pods, { namespace, labelSelector: 'tars.io/ServerName=Two' })
    const reasons = new Map(items.map((pod) => [pod.metadata.name, (pod['status'].conditions as { type: string; reason?: string }[]).find(({ type }) => type === 'tars.io/active')?.reason]))
    return all.every(({ name }, index) => reasons.get(name) === `Active/Active/${later(index)}`)
  }
  await until(isLater)
  // It goes when it has written what it had to.
  await first.stop()
  await until(isLater)
  await second.stop()
  expect(await isLater()).toBe(true)
})

test('what comes to a registry late does not come in the place of a later word, which another has written', async () => {
  const kube = createKubeClient(api.config)
  onTestFinished(() => kube.close())
  const name = 'test-late-0'
  await createEndpoint(kube, 'Test', 'Late', [{ name: 'Obj', port: 5 }])
  await createPod(kube, { app: 'Test', server: 'Late', name, ip: '127.79.4.1', state: 'Active/Active/7' })
  const begin = () => startRegistry({ client: kube, namespace, address: '127.0.0.1', ports: { query: 0, registry: 0 }, log: silentLogger, signal: new AbortController().signal })
  const [first, second] = await Promise.all([begin(), begin()])
  const pod = new Communicator({ timeoutMs: 60_000, localAddress: '127.79.4.1' })
  onTestFinished(async () => {
    await Promise.all([first.stop(), second.stop(), pod.close()])
  })
  const seconds = Math.floor(Date.now() / 1000)
  const tell = (to: RunningRegistry, present: string, later: number) =>
    pod.proxy<RegistryProxy>(Registry, `tars.tarsregistry.RegistryObj@tcp -h 127.0.0.1 -p ${to.ports.registry}`).updateServerState(name, 'Active', present, { context: { PID: '7', Time: String(seconds + later) } })
  const given = async () => (await Promise.all([first, second].map(({ ports }) => communicator.proxy<QueryFProxy>(QueryF, `tars.tarsregistry.QueryObj@tcp -h 127.0.0.1 -p ${ports.query}`).findObjectById('Test.Late.Obj')))).map(({ length }) => length)
  await tell(first, 'Inactive', 2)
  await until(async () => (await given()).every((count) => count === 0))
  await expect(tell(second, 'Active', 1)).rejects.toThrow(/pod test-late-0 has said more since/)
  expect(await given()).toEqual([0, 0])
  await tell(second, 'Active', 3)
  await until(async () => (await given()).every((count) => count === 1))
})

test('what was on its way to the API server while another registry has written a later word does not come in its place', async () => {
  const kube = createKubeClient(api.config)
  const way = await faultProxy(new URL(api.url).host)
  const behind = createKubeClient({ ...api.config, server: `https://${way.address}` })
  const name = 'test-way-0'
  const reasons: string[] = []
  let isLast = false
  const watching = new AbortController()
  onTestFinished(async () => {
    watching.abort()
    behind.close()
    kube.close()
    await way.stop()
  })
  await createPod(kube, { app: 'Test', server: 'Way', name, ip: '127.79.3.1', state: 'Active/Activating/7' })
  const begin = (reached: KubeClient) => startRegistry({ client: reached, namespace, address: '127.0.0.1', ports: { query: 0, registry: 0 }, log: silentLogger, signal: new AbortController().signal })
  const [slow, other] = await Promise.all([begin(behind), begin(kube)])
  const seen = (async () => {
    for await (const { object } of kube.watch(pods, { namespace, fieldSelector: `metadata.name=${name}`, signal: watching.signal })) {
      reasons.push((object['status'].conditions as { type: string; reason?: string }[]).find(({ type }) => type === 'tars.io/active')?.reason ?? '')
      isLast = object.metadata.annotations?.['last'] === 'yes'
    }
  })().catch(() => {})
  const pod = new Communicator({ timeoutMs: 60_000, localAddress: '127.79.3.1' })
  onTestFinished(() => pod.close())
  const seconds = Math.floor(Date.now() / 1000)
  const tell = (to: RunningRegistry, later: number, pid: string) =>
    pod.proxy<RegistryProxy>(Registry, `tars.tarsregistry.RegistryObj@tcp -h 127.0.0.1 -p ${to.ports.registry}`).updateServerState(name, 'Active', 'Active', { context: { PID: pid, Time: String(seconds + later) } })

  // Its connection is open from now on.
  await tell(slow, 1, '8')
  await until(() => reasons.at(-1) === 'Active/Active/8')
  way.hang(true)
  await tell(slow, 2, '9')
  await tell(other, 3, '10')
  await until(() => reasons.at(-1) === 'Active/Active/10')
  way.hang(false)
  // It goes when it has written what it had to.
  await slow.stop()
  await other.stop()
  // The watch has shown all of it when it shows this.
  await kube.patch(pods, { namespace, name }, { metadata: { annotations: { last: 'yes' } } })
  await until(() => isLast)
  expect(reasons).toEqual(['Active/Activating/7', 'Active/Active/8', 'Active/Active/10', 'Active/Active/10'])
  watching.abort()
  await seen
})

test('with a folder it starts while the API server is away, from what it knew, and says how old that is', async () => {
  const data = join(folder, 'registry')
  const options = { namespace, address: '127.0.0.1', data, healthPort: 0, ports: { query: 0, registry: 0 }, log: silentLogger, signal: new AbortController().signal, patienceMs: 50 }
  const ask = async (running: RunningRegistry) => (await communicator.proxy<QueryFProxy>(QueryF, `tars.tarsregistry.QueryObj@tcp -h 127.0.0.1 -p ${running.ports.query}`).findObjectById('Test.Kept.Obj')).map(({ host }) => host)
  const port = Number(new URL(api.url).port)
  const kube = createKubeClient(api.config)
  await createEndpoint(kube, 'Test', 'Kept', [{ name: 'Obj', port: 5 }])
  for (const index of [0, 1]) await createPod(kube, { app: 'Test', server: 'Kept', name: `test-kept-${index}`, ip: `127.79.1.${index + 1}`, state: 'Active/Active/7' })
  // Callers are to find the master only.
  const lock = { name: 'tars-lock-test-kept', namespace, labels: { 'tars.io/ServerApp': 'Test', 'tars.io/ServerName': 'Kept' }, annotations: { 'tars.io/HidesSlaves': 'true' } }
  await kube.create(leases, { metadata: lock, spec: { holderIdentity: 'test-kept-0', leaseDurationSeconds: 5 } } as never)
  const before = await startRegistry({ ...options, client: kube })
  await before.stop()

  await api.stop()
  const started = await startRegistry({ ...options, client: kube })
  expect(await ask(started)).toEqual(['test-kept-0.test-kept'])
  const age = async () => Number(/^tarsregistry_knowledge_age_seconds (\S+)$/m.exec(await (await fetch(`http://127.0.0.1:${started.healthPort}/metrics`)).text())?.[1])
  expect(await age()).toBeGreaterThan(0)
  expect(await age()).toBeLessThan(600)
  // What it is told counts at once, as ever.
  const pod = new Communicator({ timeoutMs: 60_000, localAddress: '127.79.1.1' })
  onTestFinished(() => pod.close())
  await pod.proxy<RegistryProxy>(Registry, `tars.tarsregistry.RegistryObj@tcp -h 127.0.0.1 -p ${started.ports.registry}`).updateServerState('test-kept-0', 'Active', 'Inactive')
  expect(await ask(started)).toEqual([])

  api = await startApi(port)
  const again = createKubeClient(api.config)
  await until(async () => ((await again.get(pods, { namespace, name: 'test-kept-0' }))['status'].conditions as { reason?: string }[]).some(({ reason }) => reason === 'Active/Inactive/'))
  await again.delete(resources.tendpoints, { namespace, name: 'test-kept' })
  await until(async () => (await communicator.proxy<QueryFProxy>(QueryF, `tars.tarsregistry.QueryObj@tcp -h 127.0.0.1 -p ${started.ports.query}`).findObjectById4Any('Test.Kept.Obj')).inactiveEp.length === 0)
  await started.stop()
  kube.close()
  again.close()
})

test('a snapshot that is damaged is not believed', async () => {
  const data = join(folder, 'damaged')
  await mkdir(data)
  await writeFile(join(data, 'registry-snapshot.jsonl'), '{"layout": 1, "objects": {"endpo')
  const nobody = createKubeClient({ server: 'http://127.0.0.1:1' })
  const lines: string[] = []
  const told = Promise.withResolvers<void>()
  const log = createLogger({ write: (line) => { lines.push(line); if (line.includes('is not used')) told.resolve() } })
  const abort = new AbortController()
  const starting = startRegistry({ client: nobody, namespace, address: '127.0.0.1', data, ports: { query: 0, registry: 0 }, patienceMs: 10, log, signal: abort.signal })
  starting.catch(() => {})
  await told.promise
  abort.abort()
  await expect(starting).rejects.toThrow(/stopped before it was synced/)
  nobody.close()
})

test('it does not serve before it knows, and gives up waiting when asked to', async () => {
  const nobody = createKubeClient({ server: 'http://127.0.0.1:1' })
  const abort = new AbortController()
  const starting = startRegistry({ client: nobody, namespace, address: '127.0.0.1', ports: { query: 0, registry: 0 }, log: silentLogger, signal: abort.signal })
  starting.catch(() => {})
  abort.abort()
  await expect(starting).rejects.toThrow(/stopped before it was synced/)
  nobody.close()
})
