import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { Communicator } from '#tars/client.ts'
import { Node, type NodeProxy } from '#tars/protocol/Node.ts'
import { descriptor, NotingRegistry, pod, type Pod, removeScratch, supervise } from './rig.ts'

afterAll(removeScratch)

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function running(env: Readonly<Record<string, string>> = {}): Promise<{ readonly registry: NotingRegistry; readonly container: Pod }> {
  const registry = new NotingRegistry(descriptor())
  await registry.start()
  cleanups.push(() => registry.stop())
  const container = pod(registry, env)
  const space = await supervise(container)
  cleanups.push(() => space.destroy())
  return { registry, container }
}

async function see({ address }: Pod, path: string, method = 'GET'): Promise<{ readonly status: number; readonly type: string | null; readonly body: string }> {
  const response = await fetch(`http://${address}:19387${path}`, { method })
  return { status: response.status, type: response.headers.get('content-type'), body: await response.text() }
}

/** A page once it answers so; the listener opens after the launch. */
async function seen(container: Pod, path: string, status: number): Promise<string> {
  for (;;) {
    const page = await see(container, path).catch(() => undefined)
    if (page?.status === status) return page.body
  }
}

const value = (metrics: string, name: string): number => Number(new RegExp(`^tarsnode_${name} (\\S+)$`, 'm').exec(metrics)?.[1])

describe('the eyes of tarsnode', () => {
  it('is healthy from the start, and ready exactly while the service is active', async () => {
    const { registry, container } = await running({ BEAT: 'none' })
    await registry.report(({ present }) => present === 'Activating')
    expect(await seen(container, '/healthz', 200)).toBe('ok\n')
    expect(await see(container, '/readyz')).toMatchObject({ status: 503, body: 'Active/Activating: \n' })
  })

  it('tells the state as JSON and in the format of Prometheus, and no more ready once it is stopped', async () => {
    const { registry, container } = await running()
    const active = await registry.report(({ present }) => present === 'Active')
    await seen(container, '/readyz', 200)
    const status = JSON.parse((await see(container, '/status')).body) as Record<string, unknown>
    expect(status).toMatchObject({ server: 'Test.EchoServer', pod: 'echo-0', setting: 'Active', present: 'Active', state: 'active', pid: active.pid, restarts: 0, lostLines: 0 })
    expect((status['heartbeats'] as { adapter: string }[]).map(({ adapter }) => adapter)).toEqual(['Test.EchoServer.EchoObjAdapter', 'AdminAdapter'])
    const { body: metrics, type } = await see(container, '/metrics')
    expect(type).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(metrics).toContain('tarsnode_service_state{state="Active"} 1\n')
    expect(value(metrics, 'service_pid')).toBe(active.pid)
    expect(value(metrics, 'heartbeats_total')).toBeGreaterThan(0)
    for (const name of ['service_memory_bytes', 'service_cpu_seconds_total', 'supervisor_memory_bytes', 'service_processes']) expect(value(metrics, name), name).toBeGreaterThan(0)
    const names = [...metrics.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name)
    expect(new Set(names).size).toBe(names.length)
    const communicator = new Communicator({ timeoutMs: 60_000 })
    cleanups.push(() => communicator.close())
    await communicator.proxy<NodeProxy>(Node, `tars.tarsnode.NodeObj@tcp -h ${container.address} -p 19385`).stopServer('Test', 'EchoServer')
    await registry.report(({ setting, present }) => setting === 'Inactive' && present === 'Inactive')
    expect(await see(container, '/readyz')).toMatchObject({ status: 503, body: expect.stringMatching(/^Inactive\/Inactive: /) })
    expect(await see(container, '/healthz')).toMatchObject({ status: 200 })
  })

  it('refuses what it does not know, and shuts out who is slow', async () => {
    const { container } = await running()
    await seen(container, '/healthz', 200)
    expect(await see(container, '/')).toMatchObject({ status: 404, body: expect.stringContaining('/metrics') })
    expect(await see(container, '/metrics', 'POST')).toMatchObject({ status: 405 })
    const stranger = connect(19387, container.address)
    stranger.write('not http at all\r\n\r\n')
    stranger.resume()
    await once(stranger, 'close')
    const slow = connect(19387, container.address)
    slow.write('GET /healthz HTTP/1.1\r\n')
    slow.resume()
    await once(slow, 'close')
    expect(await see(container, '/healthz')).toMatchObject({ status: 200 })
  })
})
