import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { Communicator } from '#tars/client.ts'
import { Node, type NodeProxy } from '#tars/protocol/Node.ts'
import { ServerF, type ServerFProxy } from '#tars/protocol/NodeF.ts'
import { eventually } from '../rig/eventually.ts'
import { exitCode, type PidNamespace } from '../rig/pidns.ts'
import { descriptor, NotingRegistry, pod, type Pod, removeScratch, supervise } from './rig.ts'

afterAll(removeScratch)

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

interface Foreground {
  readonly registry: NotingRegistry
  readonly container: Pod
  readonly space: PidNamespace
  readonly node: NodeProxy
  readonly heart: ServerFProxy
}

async function foreground(extra: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<Foreground> {
  const registry = new NotingRegistry(descriptor(extra))
  await registry.start()
  cleanups.push(() => registry.stop())
  const container = pod(registry, { LauncherType: 'foreground', ...env })
  const space = await supervise(container)
  cleanups.push(() => space.destroy())
  const communicator = new Communicator({ timeoutMs: 60_000 })
  cleanups.push(() => communicator.close())
  const node = communicator.proxy<NodeProxy>(Node, `tars.tarsnode.NodeObj@tcp -h ${container.address} -p 19385`)
  const heart = communicator.proxy<ServerFProxy>(ServerF, `tars.tarsnode.ServerObj@tcp -h ${container.address} -p 19386`)
  return { registry, container, space, node, heart }
}

const health = async ({ address }: Pod, path: string): Promise<number> => (await fetch(`http://${address}:19387${path}`)).status

describe('a service in the foreground', () => {
  it('is PID 1, becomes active by its first heartbeat, and takes commands through tarsnode', async () => {
    const { registry, space, container, node } = await foreground()
    const active = await registry.report(({ present }) => present === 'Active')
    expect(active).toMatchObject({ setting: 'Active', pid: 1 })
    expect(registry.reports.map(({ present }) => present)).toContain('Activating')
    expect(readFileSync(`/proc/${space.initPid}/cmdline`, 'utf8')).toContain('beating.ts')
    expect(await health(container, '/readyz')).toBe(200)
    expect(await node.notifyServer('Test', 'EchoServer', 'tars.viewversion')).toEqual({ return: 0, result: 'did tars.viewversion' })
    // Its end is the container's end, with its own outcome, and the next container starts it anew.
    expect(await node.restartServer('Test', 'EchoServer')).toMatchObject({ return: 0 })
    await registry.report(({ present }) => present === 'Deactivating')
    expect(exitCode(await space.ended)).toBe(0)
    expect(space.stdout).toContain('asked to shut down')
  })

  it('is told of the pod\'s end by the preStop hook, which lasts as long as callers need to go', async () => {
    const { registry, space, container } = await foreground([], { TARSNODE_DRAIN_MS: '6000' })
    await registry.report(({ present }) => present === 'Active')
    let over = false
    // Longer than a request may take to arrive.
    const hook = health(container, '/prestop').finally(() => (over = true))
    await registry.report(({ present }) => present === 'Deactivating')
    expect(await health(container, '/readyz')).toBe(503)
    expect(over).toBe(false)
    expect(space.stdout).not.toContain('asked to shut down')
    expect(await hook).toBe(200)
    await space.output(/asked to shut down/)
    expect(exitCode(await space.ended)).toBe(0)
  })

  it('is not ready while its heartbeats are overdue, goes on, and is ready again when they come', async () => {
    const { registry, container, heart, space } = await foreground(['hearttimeout=1'], { BEAT: 'none' })
    await registry.report(({ present }) => present === 'Activating')
    await space.output(/serving/)
    const beat = { application: 'Test', serverName: 'EchoServer', pid: 1, adapter: '' }
    expect(await heart.keepAlive({ ...beat, pid: 99_999 })).toBe(-1)
    expect(await heart.keepAlive(beat)).toBe(0)
    await registry.report(({ present }) => present === 'Active')
    const from = registry.reports.length
    const late = await registry.report(({ present }) => present === 'Activating', from)
    expect(late.message).toBe('heartbeat overtime of Test.EchoServer.EchoObjAdapter, AdminAdapter')
    expect([await health(container, '/readyz'), await health(container, '/healthz')]).toEqual([503, 503])
    // Overdue again a second later.
    await eventually(async () => (await heart.keepAlive(beat)) === 0 && (await health(container, '/healthz')) === 200)
    await registry.report(({ present, message }) => present === 'Active' && message === '', from)
    expect(space.stdout).not.toContain('asked to shut down')
  })

  it('has another tarsnode beside it when the first could not listen', async () => {
    const registry = new NotingRegistry(descriptor())
    await registry.start()
    cleanups.push(() => registry.stop())
    const container = pod(registry, { LauncherType: 'foreground' })
    const other = createServer().listen(19387, container.address)
    await once(other, 'listening')
    const space = await supervise(container)
    cleanups.push(() => space.destroy())
    const { message } = await registry.report(({ message: text }) => text !== '')
    expect(message).toMatch(/^cannot start: the second tarsnode ended before it listened; next try in /)
    other.close()
    expect(await registry.report(({ present }) => present === 'Active')).toMatchObject({ pid: 1 })
    expect(await health(container, '/readyz')).toBe(200)
  })

  it('says why it cannot be executed, and stays to be asked', async () => {
    const { registry } = await foreground([], { ServerType: 'custom', ServerLauncherFile: '/etc/passwd' })
    const { message } = await registry.report(({ message: text }) => text !== '')
    expect(message).toMatch(/cannot start: ServerLauncherFile names \/etc\/passwd, which is missing or not executable/)
  })
})
