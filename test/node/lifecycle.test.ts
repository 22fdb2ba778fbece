import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { exitCode, type PidNamespace } from '../rig/pidns.ts'
import { descriptor, NotingRegistry, pod, type Pod, removeScratch, supervise } from './rig.ts'

afterAll(removeScratch)

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function registryWith(extra: readonly string[] = []): Promise<NotingRegistry> {
  const registry = new NotingRegistry(descriptor(extra))
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
    expect(registry.reports.map(({ present }) => present)).toEqual(['Inactive', 'Activating', 'Active', 'Deactivating', 'Inactive'])
    expect(space.stdout).toContain('asked to shut down')
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
