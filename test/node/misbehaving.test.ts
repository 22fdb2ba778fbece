// Services that do what no service should, and what some do.
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { LaunchPlan } from '../../node/launch/plan.ts'
import { ServiceProcess, type Ending } from '../../node/service/process.ts'
import { eventually as until } from '../rig/eventually.ts'
import { exitCode, type PidNamespace } from '../rig/pidns.ts'
import { debianTool } from '../rig/tools.ts'
import { command, descriptor, NotingRegistry, pod, type Pod, removeScratch, runtime, supervise } from './rig.ts'

afterAll(removeScratch)

const services = join(import.meta.dirname, 'services')
let perl = ''
beforeAll(async () => {
  perl = await debianTool('perl', 'perl-base')
})

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function run(container: Pod): Promise<PidNamespace> {
  const space = await supervise(container)
  cleanups.push(() => space.destroy())
  return space
}

interface Status {
  readonly pid: number
  readonly state: string
  readonly restarts: number
  readonly lostLines: number
  readonly message: string
}

/** What tarsnode says, once it says something that matches. */
const status = ({ address }: Pod, matches: (status: Status) => boolean): Promise<Status> =>
  until(async () => {
    const response = await fetch(`http://${address}:19387/status`).catch(() => undefined)
    const told = response === undefined ? undefined : ((await response.json()) as Status)
    return told !== undefined && matches(told) ? told : undefined
  })

const zombies = (space: PidNamespace): number => space.processes().filter(({ state }) => state === 'Z').length

describe('a service that forks itself away', () => {
  it('is followed as a daemon, with its outcome, and is launched again when it ends', async () => {
    const container = pod('none', {})
    const file = join(container.root, 'daemon.pid')
    const daemon = { ...container, env: { ...container.env, ...command(perl, `perl ${join(services, 'daemon.pl')} ${file}`) } }
    const space = await run(daemon)
    const pid = await until(() => (existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined))
    expect(await status(daemon, (told) => told.pid === pid)).toMatchObject({ state: 'active', restarts: 0 })
    expect(zombies(space)).toBe(0)
    const inside = space.processes()
    expect(inside).toHaveLength(2)
    process.kill(inside[1]?.pid ?? 0, 'SIGKILL')
    const again = await status(daemon, (told) => told.restarts === 1 && told.state === 'active' && told.pid !== pid)
    expect(again.message).toContain('killed by SIGKILL')
    await until(() => (Number(readFileSync(file, 'utf8')) === pid ? undefined : true))
    await status(daemon, (told) => told.pid === Number(readFileSync(file, 'utf8')))
    space.kill('SIGTERM')
    expect(exitCode(await space.ended)).toBe(9)
  })

  it('is followed while it forks itself away a thousand times, whenever it is looked at', async () => {
    const container = pod('none', {})
    const file = join(container.root, 'wanderer.pid')
    const wanderer = { ...container, env: { ...container.env, ...command(perl, `perl ${join(services, 'wanderer.pl')} ${file}`) } }
    const space = await run(wanderer)
    const pid = await until(() => (existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined))
    expect(await status(wanderer, (told) => told.pid === pid || told.restarts > 0)).toMatchObject({ state: 'active', restarts: 0, pid })
    space.kill('SIGTERM')
    await space.ended
  })

  it('has ended when what it left cannot be watched, and nobody looks for ever', () => {
    const left = spawn('sleep', ['60'])
    cleanups.push(async () => void left.kill('SIGKILL'))
    const endings: Ending[] = []
    const process = new ServiceProcess({ plan: {} as LaunchPlan, spawn: () => 7, onGone: (ending) => endings.push(ending), watch: () => false, mayDaemonise: true })
    process.ended(7, 0)
    expect(endings).toEqual([{ code: 0, signal: null, core: false }])
  })

  it('is the same service after a graceful restart: the process that sends the heartbeats stands for it', async () => {
    const registry = new NotingRegistry(descriptor())
    await registry.start()
    cleanups.push(() => registry.stop())
    const space = await run(pod(registry, {}, `trap 'exit 0' USR1\n${runtime} ${join(services, 'beating.ts')} "$@" &\nwait`))
    const first = await registry.report(({ present }) => present === 'Active')
    const from = registry.reports.length
    space.kill('SIGUSR1')
    const after = await registry.report(({ pid }) => pid !== first.pid, from)
    expect(after).toMatchObject({ present: 'Active', restarts: 0 })
    expect(registry.reports.map(({ present }) => present)).not.toContain('Deactivating')
    space.kill('SIGTERM')
    expect(exitCode(await space.ended)).toBe(0)
  })
})

describe('a service that does not care', () => {
  it('forks thousands of children that leave orphans: none stays, and its own outcome is told', async () => {
    const space = await run(pod('none', { ...command(perl, `perl ${join(services, 'swarm.pl')}`), TARSNODE_ON_EXIT: 'exit' }))
    await space.output(/forked 5000/)
    space.kill('SIGUSR2')
    await space.output(/quiet/)
    await until(() => (space.processes().length === 2 ? true : undefined))
    space.kill('SIGTERM')
    expect(exitCode(await space.ended)).toBe(21)
  })

  it('closes its output, or executes another program: it is the same run', async () => {
    const container = pod('none', command('/bin/sh', `sh -c 'exec >&- 2>&-; exec sleep 1000'`))
    const space = await run(container)
    const { pid } = await status(container, ({ state }) => state === 'active')
    await until(() => (space.processes()[1]?.name === 'sleep' ? true : undefined))
    expect(await status(container, () => true)).toMatchObject({ pid, restarts: 0, state: 'active' })
  })
})
