// What survives a restart and a kill -9.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '#base/log.ts'
import { createKubeClient } from '#kube/client.ts'
import { parseKubeconfig } from '#kube/config.ts'
import { configMaps, namespaces, secrets } from '#kube/resources.ts'
import { startApiServer } from '../../../framework/local/apiserver/server.ts'
import { eventually, installDefinition, startTestCluster, widgetDefinition, widgets } from '../../rig/kube.ts'

let folder: string
let dataFile: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tarsk8s-restart-'))
  dataFile = join(folder, 'cluster.db')
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

describe('restart', () => {
  it('keeps objects, kinds, revisions and the authority; watches go on where they were', async () => {
    const first = await startTestCluster({ dataFile, token: 't' })
    await installDefinition(first.client, widgetDefinition())
    const widget = await first.client.create(widgets, { metadata: { name: 'w', namespace: 'default' }, spec: { size: 2 } } as never)
    const map = await first.client.create(configMaps, { metadata: { name: 'm', namespace: 'default' }, data: { a: '1' } } as never)
    await first.client.delete(configMaps, { namespace: 'default', name: 'm' })
    const authority = first.server?.config.ca
    await first.stop()

    expect(statSync(dataFile).mode & 0o777).toBe(0o600)
    const second = await startTestCluster({ dataFile, token: 't' })
    try {
      expect(second.server?.config.ca).toBe(authority)
      expect(await second.client.get(widgets, { namespace: 'default', name: 'w' })).toEqual(widget)
      const made = await second.client.create(configMaps, { metadata: { name: 'n', namespace: 'default' } })
      expect(Number(made.metadata.resourceVersion)).toBeGreaterThan(Number(map.metadata.resourceVersion))
      const types: string[] = []
      for await (const event of second.client.watch(configMaps, { namespace: 'default', resourceVersion: map.metadata.resourceVersion })) {
        if (event.type !== 'BOOKMARK') types.push(`${event.type} ${event.object.metadata.name}`)
        if (types.length === 2) break
      }
      expect(types).toEqual(['DELETED m', 'ADDED n'])
    } finally {
      await second.stop()
    }
  })
  it('finishes garbage collection and namespace deletion that it was stopped in', async () => {
    const first = await startTestCluster({ dataFile, token: 't' })
    await first.client.create(namespaces, { metadata: { name: 'going' } })
    await first.client.create(configMaps, { metadata: { name: 'inside', namespace: 'going', finalizers: ['test.tarsk8s.io/hold'] } })
    await first.client.delete(namespaces, { name: 'going' })
    const owner = await first.client.create(configMaps, { metadata: { name: 'owner', namespace: 'default' } })
    const ownerReferences = [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: owner.metadata.uid ?? '' }]
    await first.client.create(secrets, { metadata: { name: 'child', namespace: 'default', ownerReferences } })
    // Not waited for: the dependent may still be there when the server stops.
    await first.client.delete(configMaps, { namespace: 'default', name: 'owner' })
    await first.stop()
    const second = await startTestCluster({ dataFile, token: 't' })
    try {
      await second.client.patch(configMaps, { namespace: 'going', name: 'inside' }, { metadata: { finalizers: null } })
      await eventually(() => second.client.get(secrets, { namespace: 'default', name: 'child' }).then(() => false, () => true), 'the dependent is gone')
      await eventually(() => second.client.get(namespaces, { name: 'going' }).then(() => false, () => true), 'the namespace is gone')
    } finally {
      await second.stop()
    }
  })
  it('refuses a second server on the same file, saying what to do', async () => {
    const first = await startTestCluster({ dataFile, token: 't' })
    await expect(startApiServer({ dataFile, host: '127.0.0.1', port: 0, token: 't', log: silentLogger })).rejects.toMatchObject({ code: 'STORE_UNUSABLE', remedy: expect.stringContaining('stop the other process') as string })
    await first.stop()
  })
})

describe('kill -9', () => {
  it('loses no write that was answered', async () => {
    const answered = new Set<string>()
    for (let round = 0; round < 3; round++) {
      const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'serve.ts'), dataFile], { stdio: ['ignore', 'pipe', 'inherit'] })
      const [kubeconfig] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
      const client = createKubeClient(parseKubeconfig(JSON.parse(kubeconfig) as string))
      const present = new Set((await client.list(configMaps, { namespace: 'default' })).items.map(({ metadata }) => metadata.name))
      expect([...answered].filter((name) => !present.has(name))).toEqual([])
      let open = true
      const writer = async (id: number): Promise<void> => {
        for (let index = 0; open; index++) {
          const name = `r${round}-w${id}-${index}`
          const ok = await client.create(configMaps, { metadata: { name, namespace: 'default' } }).then(() => true, () => false)
          if (ok) answered.add(name)
        }
      }
      const writers = [1, 2, 3].map(writer)
      await eventually(() => answered.size >= 30 * (round + 1), 'some writes were answered')
      child.kill('SIGKILL')
      open = false
      await Promise.all([...writers, once(child, 'exit')])
      client.close()
    }
    expect(answered.size).toBeGreaterThanOrEqual(90)
  })
})
