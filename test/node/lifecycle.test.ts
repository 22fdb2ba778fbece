import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Communicator } from '#tars/client.ts'
import { Node, type NodeProxy } from '#tars/protocol/Node.ts'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { exitCode, type PidNamespace } from '../rig/pidns.ts'
import { descriptor, NotingRegistry, pod, type Pod, removeScratch, supervise } from './rig.ts'

afterAll(removeScratch)

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

/** @param refreshMs how often callers ask for endpoints */
async function registryWith(refreshMs = 60_000): Promise<NotingRegistry> {
  const { profile, ...rest } = descriptor()
  const registry = new NotingRegistry({ ...rest, profile: profile.replace('<client>', `<client>\nrefresh-endpoint-interval=${refreshMs}`) })
  await registry.start()
  cleanups.push(() => registry.stop())
  return registry
}

async function run(container: Pod): Promise<PidNamespace> {
  const space = await supervise(container)
  cleanups.push(() => space.destroy())
  return space
}

/** The service's pid as seen from here: PID 1's only child. */
const serviceOf = (space: PidNamespace): number => space.processes()[1]?.pid ?? 0

describe('a service under tarsnode', () => {
  it('becomes Active by its heartbeats and leaves cleanly on SIGTERM', async () => {
    const registry = await registryWith()
    const container = pod(registry, { STOP_CODE: '5' })
    const space = await run(container)
    const active = await registry.report(({ present }) => present === 'Active')
    expect(active).toMatchObject({ pod: 'echo-0', peer: container.address, setting: 'Active', restarts: 0, message: '' })
    expect(active.pid).toBeGreaterThan(1)
    expect(readFileSync(join(container.root, 'etc/hosts'), 'utf8')).toContain(`${container.address}\techo-0.test-echoserver`)
    space.kill('SIGTERM')
    expect(exitCode(await space.ended)).toBe(5)
    expect(registry.story).toEqual(['Inactive', 'Activating', 'Active', 'Deactivating', 'Inactive'])
    expect(space.stdout).toContain('asked to shut down')
  })

  it('serves on when its pod ends, until callers that have another pod to go to have asked again', async () => {
    const registry = await registryWith(1000)
    registry.serving = ['echo-0.test-echoserver', 'echo-1.test-echoserver']
    const space = await run(pod(registry, { TARSNODE_GRACE_SECONDS: '60' }))
    await registry.report(({ present }) => present === 'Active')
    const began = performance.now()
    space.kill('SIGTERM')
    await registry.report(({ present }) => present === 'Deactivating')
    await space.output(/asked to shut down/)
    // TarsJava adds up to 29 s to its interval.
    expect(performance.now() - began).toBeGreaterThan(30_000)
    expect(exitCode(await space.ended)).toBe(0)
  })

  // Whoever waits for callers that ask again so seldom takes longer than these may.
  it('does not wait for callers that have nowhere else to go', async () => {
    const registry = await registryWith(1_000_000)
    registry.serving = ['echo-0.test-echoserver']
    const space = await run(pod(registry, { TARSNODE_GRACE_SECONDS: '2000' }))
    await registry.report(({ present }) => present === 'Active')
    space.kill('SIGTERM')
    expect(exitCode(await space.ended)).toBe(0)
  })

  it('is restarted at once by command, whoever else serves', async () => {
    const registry = await registryWith(1_000_000)
    registry.serving = ['echo-0.test-echoserver', 'echo-1.test-echoserver']
    const container = pod(registry, { TARSNODE_GRACE_SECONDS: '2000' })
    await run(container)
    await registry.report(({ present }) => present === 'Active')
    const communicator = new Communicator({ timeoutMs: 60_000 })
    cleanups.push(() => communicator.close())
    const node = communicator.proxy<NodeProxy>(Node, `tars.tarsnode.NodeObj@tcp -h ${container.address} -p 19385`)
    const from = registry.reports.length
    expect(await node.restartServer('Test', 'EchoServer')).toMatchObject({ return: 0 })
    expect((await registry.report(({ present }) => present === 'Active', from)).restarts).toBe(1)
  })

  it('comes back after kill -9, and the registry hears of the death at once', async () => {
    const registry = await registryWith()
    const space = await run(pod(registry))
    const first = await registry.report(({ present }) => present === 'Active')
    const from = registry.reports.length
    process.kill(serviceOf(space), 'SIGKILL')
    const dead = await registry.report(({ present }) => present === 'Inactive', from)
    expect(dead).toMatchObject({ pid: 0, setting: 'Active' })
    expect(dead.message).toMatch(/killed by SIGKILL after [\d.]+ s; last output: serving with pid/)
    const again = await registry.report(({ present }) => present === 'Active', from)
    expect(again.pid).not.toBe(first.pid)
    expect(again.restarts).toBe(1)
    expect(await registry.alarm(/exit with/)).toBe('[alarm] server exit with signal 9 (SIGKILL); 1 in a row')
  })
})
