// The role as `tarsk8s controller` runs it, and an API server that goes away and comes back.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { customResourceDefinitions } from '#api/crds.ts'
import { resources } from '#api/resources.ts'
import { createLogger, silentLogger } from '#base/log.ts'
import { createKubeClient } from '#kube/client.ts'
import { customResourceDefinitions as crdResource, statefulSets } from '#kube/resources.ts'
import type { Resource } from '#kube/types.ts'
import { start } from '../../framework/controller/role.ts'
import { startApiServer, type ApiServer } from '../../framework/local/apiserver/server.ts'
import { ownAddress } from '../rig/own-address.ts'
import { eventually, peek } from './cluster.ts'
import { tarsServer } from './fixtures.ts'

let folder: string
beforeAll(async () => { folder = await mkdtemp(join(tmpdir(), 'tarsk8s-controller-')) })
afterAll(() => rm(folder, { recursive: true, force: true }))

/** While it is away nobody takes its port: the address is its own. */
const address = ownAddress()
const serve = (port: number): Promise<ApiServer> =>
  startApiServer({ dataFile: join(folder, 'state.sqlite'), host: address, port, token: 'role-test', namespaces: ['ns'], log: silentLogger })
const context = (env: Record<string, string>) => ({ env: { TARSCONTROLLER_RUN: 'reconcilers', TARSCONTROLLER_ELECT: 'false', ...env }, log: process.env['DEBUG'] === undefined ? silentLogger : createLogger({ format: 'text' }), signal: new AbortController().signal })

test('goes on where it was when the API server comes back', async () => {
  let api = await serve(0)
  const { port } = new URL(api.url)
  await writeFile(join(folder, 'kubeconfig'), api.kubeconfig())
  const client = createKubeClient(api.config)
  for (const crd of customResourceDefinitions()) await client.create(crdResource, crd as never)
  const create = async (name: string) => {
    const { metadata: { uid: _, ...metadata }, ...server } = tarsServer({ server: name }, { name: `demo-${name.toLowerCase()}` })
    await eventually(() => client.create(resources.tservers as unknown as Resource, { ...server, metadata } as never).catch(() => undefined))
    return eventually(() => peek(client, statefulSets, 'ns', metadata.name).catch(() => undefined))
  }
  const role = await start(context({ KUBECONFIG: join(folder, 'kubeconfig'), Namespace: 'ns' }))
  expect((await create('Before'))['spec'].replicas).toBe(1)
  client.close()
  await api.stop()
  api = await serve(Number(port))
  const again = createKubeClient(api.config)
  try {
    await again.patch(resources.tservers as unknown as Resource, { namespace: 'ns', name: 'demo-before' }, { spec: { k8s: { replicas: 4 } } })
    await eventually(async () => ((await peek(again, statefulSets, 'ns', 'demo-before'))?.['spec'].replicas === 4 ? true : undefined))
  } finally {
    await role.stop()
    await role.done
    again.close()
    await api.stop()
  }
})

test('says what is missing when it cannot reach a cluster', async () => {
  await expect(start(context({ KUBECONFIG: join(folder, 'absent') }))).rejects.toMatchObject({ code: 'KUBE_CONFIG_MISSING', remedy: expect.stringContaining('KUBECONFIG') })
})

test.each(['reconcilers', 'all'])('ends its start when it is told to stop: %s', async (run) => {
  const aborter = new AbortController()
  await writeFile(join(folder, 'nowhere'), JSON.stringify({ apiVersion: 'v1', kind: 'Config', 'current-context': 'x', clusters: [{ name: 'x', cluster: { server: 'http://127.0.0.1:1' } }], users: [{ name: 'x', user: {} }], contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }] }))
  const starting = start({ ...context({ KUBECONFIG: join(folder, 'nowhere'), TARSCONTROLLER_RUN: run, TARSCONTROLLER_NAMESPACE: 'ns', TARSCONTROLLER_WEBHOOK_LISTEN: '127.0.0.1', TARSCONTROLLER_WEBHOOK_PORT: '0', TARSCONTROLLER_WEBHOOK_DRAIN: '0' }), signal: aborter.signal })
  aborter.abort()
  await expect(starting).rejects.toThrow(/stopped|abort|no answer/)
})
