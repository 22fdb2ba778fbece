import { once } from 'node:events'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { Communicator } from '#tars/client.ts'
import { Node, type NodeProxy } from '#tars/protocol/Node.ts'
import { ServerState } from '#tars/protocol/NodeDescriptor.ts'
import { ServerF, type ServerFProxy } from '#tars/protocol/NodeF.ts'
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

function proxies({ address }: Pod): { readonly heart: ServerFProxy; readonly node: NodeProxy } {
  const communicator = new Communicator({ timeoutMs: 60_000 })
  cleanups.push(() => communicator.close())
  return {
    heart: communicator.proxy<ServerFProxy>(ServerF, `tars.tarsnode.ServerObj@tcp -h ${address} -p 19386`),
    node: communicator.proxy<NodeProxy>(Node, `tars.tarsnode.NodeObj@tcp -h ${address} -p 19385`),
  }
}

describe('what is reported is true', () => {
  it('believes no heartbeat for another server, of a dead process, or of one that is not below it', async () => {
    const registry = await registryWith()
    const container = pod(registry, { BEAT: 'none' })
    const space = await run(container)
    const { pid } = await registry.report(({ present }) => present === 'Activating')
    await space.output(/serving/)
    const { heart } = proxies(container)
    const genuine = { application: 'Test', serverName: 'EchoServer', pid, adapter: '' }
    const forged = [{ ...genuine, serverName: 'OtherServer' }, { ...genuine, application: 'Other' }, { ...genuine, pid: 1 }, { ...genuine, pid: 99_999 }, { ...genuine, pid: 0 }, { ...genuine, pid: -1 }]
    for (const heartbeat of forged) expect(await heart.keepAlive(heartbeat), JSON.stringify(heartbeat)).toBe(-1)
    expect(await heart.getLatestKeepAliveTime()).toBe(0)
    expect(registry.reports.map(({ present }) => present)).not.toContain('Active')
    expect(await heart.keepAlive(genuine)).toBe(0)
    await registry.report(({ present }) => present === 'Active')
    const from = registry.reports.length
    expect(await heart.keepActiving(genuine)).toBe(0)
    expect((await registry.report(({ present }) => present === 'Activating', from)).pid).toBe(pid)
  })

  it('takes no large packet: strangers shall not fill the memory of the pod', async () => {
    const registry = await registryWith()
    const container = pod(registry)
    await run(container)
    await registry.report(({ present }) => present === 'Active')
    for (const port of [19385, 19386]) {
      const stranger = connect(port, container.address)
      const length = Buffer.alloc(4)
      length.writeUInt32BE((1 << 20) + 1)
      stranger.write(length)
      await once(stranger, 'close')
    }
    expect(await proxies(container).node.stopServer('Other', 'EchoServer')).toMatchObject({ return: -1 })
  })

  it('restarts a service whose heartbeat is overdue', async () => {
    const registry = await registryWith(['hearttimeout=5'])
    const space = await run(pod(registry, { BEAT: 'none' }))
    await registry.report(({ present }) => present === 'Deactivating')
    const again = await registry.report(({ present, restarts }) => present === 'Activating' && restarts === 1)
    expect(again.message).toContain('(heartbeat overtime of Test.EchoServer.EchoObjAdapter, AdminAdapter: none came since its launch; a program that sends none is of ServerType not-tars)')
    await registry.alarm(/heartbeat overtime/)
    await space.output(/asked to shut down/)
  })

  it('gives a service its activating-timeout until its first heartbeat', async () => {
    const registry = await registryWith(['hearttimeout=1', 'activating-timeout=60000'])
    const slow = pod(registry, {})
    const file = join(slow.root, 'usr/local/server/bin/EchoServer')
    writeFileSync(file, readFileSync(file, 'utf8').replace('exec', 'sleep 2; exec'))
    await run(slow)
    expect(await registry.report(({ present }) => present === 'Active' || present === 'Deactivating')).toMatchObject({ present: 'Active', restarts: 0 })
  })

  it('says why a service crashes again and again, and keeps the container', async () => {
    const registry = await registryWith()
    const space = await run(pod(registry, {}, 'echo "cannot open /etc/rates.json" >&2\nexit 3'))
    const loop = await registry.report(({ message }) => message.startsWith('crash loop'))
    expect(loop).toMatchObject({ present: 'Inactive', setting: 'Active', pid: 0 })
    expect(loop.message).toMatch(/^crash loop, \d+ in a row: last run exited with code 3 after [\d.]+ s; last output: cannot open \/etc\/rates\.json; next try in [\d.]+ s$/)
    space.kill('SIGTERM')
    expect(exitCode(await space.ended)).toBe(3)
  })

  it('names the missing executable and where it was looked for', async () => {
    const registry = await registryWith()
    const container = pod(registry)
    rmSync(join(container.root, 'usr/local/server/bin/EchoServer'))
    await run(container)
    const { message } = await registry.report(({ message: text }) => text.startsWith('cannot start'))
    expect(message).toMatch(/no executable .*data\/Test\.EchoServer\/bin\/EchoServer, and no executable file named \*Server in .*; next try in/)
  })
})

describe('exit reports', () => {
  it('tell an end that was asked for from one that was not, also to a tarsnotify that knows the older function only', async () => {
    const registry = await registryWith()
    registry.knowsNotifyInfo = false
    const container = pod(registry, { STOP_CODE: '4' })
    const space = await run(container)
    await registry.report(({ present }) => present === 'Active')
    const { node } = proxies(container)
    await node.restartServer('Test', 'EchoServer')
    expect(await registry.alarm(/exit with/)).toBe('[normal] server exit with code 4')
    await registry.report(({ present, restarts }) => present === 'Active' && restarts === 1)
    process.kill(space.processes()[1]?.pid ?? 0, 'SIGKILL')
    expect(await registry.alarm(/signal 9/)).toBe('[alarm] server exit with signal 9 (SIGKILL); 1 in a row')
    expect(registry.oldAlarms).toEqual(registry.alarms)
  })
})

describe('without a registry', () => {
  it('starts from the last good descriptor, and tells its state once the registry is back', async () => {
    const registry = await registryWith()
    const container = pod(registry)
    const first = await run(container)
    await registry.report(({ present }) => present === 'Active')
    first.kill('SIGTERM')
    await first.ended
    await registry.stop()
    const second = await run(container)
    await second.output(/serving with pid/)
    const from = registry.reports.length
    await registry.start()
    expect(await registry.report(({ present }) => present === 'Active', from)).toMatchObject({ restarts: 0 })
  })

  it('resumes with the kept descriptor at once, and restarts the service when the registry has a newer one', async () => {
    const registry = await registryWith()
    const container = pod(registry)
    const first = await run(container)
    await registry.report(({ present }) => present === 'Active')
    first.kill('SIGTERM')
    await first.ended
    registry.descriptor = descriptor(['loglevel=INFO'])
    const from = registry.reports.length
    await run(container)
    const renewed = await registry.report(({ present, restarts }) => present === 'Active' && restarts === 1, from)
    expect(renewed.message).toContain('the registry has a newer descriptor')
    const conf = readFileSync(join(container.root, 'usr/local/app/tars/tarsnode/data/Test.EchoServer/conf/Test.EchoServer.config.conf'), 'utf8')
    expect(conf).toContain('      loglevel=INFO\n')
  })

  it('says what it waits for when there is no descriptor yet, and starts when there is one', async () => {
    const registry = await registryWith()
    const good = registry.descriptor
    registry.descriptor = undefined
    await run(pod(registry))
    const { message } = await registry.report(({ message: text }) => text !== '')
    expect(message).toMatch(/cannot start: the registry has no descriptor for Test\.EchoServer \(code -1\)/)
    registry.descriptor = good
    await registry.report(({ present }) => present === 'Active')
  })

  it('tells its state again to a registry that was restarted', async () => {
    const registry = await registryWith()
    await run(pod(registry))
    await registry.report(({ present }) => present === 'Active')
    await registry.stop()
    const from = registry.reports.length
    await registry.start()
    expect(await registry.report(() => true, from)).toMatchObject({ present: 'Active', setting: 'Active' })
  })

  it('is heard by a registry that has a word of it from a clock that was ahead', async () => {
    const registry = await registryWith()
    registry.latest = Math.floor(Date.now() / 1000) + 86_400
    const space = await run(pod(registry))
    const { time } = await registry.report(({ present }) => present === 'Active')
    expect(time).toBeGreaterThan(registry.latest)
    expect(space.stderr).not.toContain('the registry did not take the state')
  })
})

describe('commands', () => {
  it('stop, start and restart take their turn, and a start during a stop is not lost', async () => {
    const registry = await registryWith()
    const { profile, ...rest } = descriptor()
    registry.descriptor = { ...rest, profile: profile.replace('deactivating-timeout=2000', 'deactivating-timeout=60000') }
    const container = pod(registry, { ADMIN: 'ignore' })
    const space = await run(container)
    // The service does not end when it is asked to, and so is still there for the calls in between.
    const end = (): unknown => process.kill(space.processes()[1]?.pid ?? expect.fail('there is no service'), 'SIGTERM')
    const first = await registry.report(({ present }) => present === 'Active')
    const { node } = proxies(container)
    expect(await node.stopServer('Test', 'Other')).toEqual({ return: -1, result: 'server Test.Other does not exist here; this node runs Test.EchoServer' })
    expect(await node.stopServer('Test', 'EchoServer')).toEqual({ return: 0, result: `Success: stopping Test.EchoServer, which was Active with pid ${first.pid}` })
    expect(await node.stopServer('Test', 'EchoServer')).toMatchObject({ return: 0 })
    expect(await node.startServer('Test', 'EchoServer')).toMatchObject({ return: 0, result: expect.stringContaining('which was Deactivating') })
    end()
    const second = await registry.report(({ present, restarts }) => present === 'Active' && restarts === 1)
    expect(second.pid).not.toBe(first.pid)
    await node.stopServer('Test', 'EchoServer')
    end()
    await registry.report(({ setting, present }) => setting === 'Inactive' && present === 'Inactive')
    expect(await node.startServer('Test', 'EchoServer')).toMatchObject({ result: 'Success: starting Test.EchoServer, which was Inactive' })
    await registry.report(({ present, restarts }) => present === 'Active' && restarts === 2)
    expect(await node.restartServer('Test', 'EchoServer')).toMatchObject({ return: 0 })
    end()
    await registry.report(({ present, restarts }) => present === 'Active' && restarts === 3)
    // By their times, registries know which of two words is the later.
    const times = registry.reports.map(({ time }) => time)
    expect((times[0] ?? Infinity) * 1000).toBeLessThanOrEqual(Date.now())
    expect(times).toEqual([...new Set(times)].toSorted((a, b) => a - b))
  })

  it('getStateInfo tells the state, loadServer writes the conf anew, both for their own server only', async () => {
    const registry = await registryWith()
    const container = pod(registry)
    await run(container)
    const { pid } = await registry.report(({ present }) => present === 'Active')
    const { node } = proxies(container)
    expect(await node.getStateInfo('Test', 'EchoServer')).toEqual({ return: 0, result: `Active/Active, pid ${pid}, 0 restarts`, info: expect.objectContaining({ serverState: ServerState.Active, settingState: ServerState.Active, processId: pid, nodeName: 'echo-0', application: 'Test', serverName: 'EchoServer' }) })
    expect(await node.getStateInfo('Test', 'Other')).toMatchObject({ return: -1, result: expect.stringContaining('does not exist here') })
    registry.descriptor = descriptor(['loglevel=INFO'])
    const loaded = await node.loadServer('Test', 'EchoServer')
    expect(loaded).toMatchObject({ return: 0, result: expect.stringMatching(/^Success: wrote .*Test\.EchoServer\.config\.conf$/) })
    expect(readFileSync(loaded.result.slice('Success: wrote '.length), 'utf8')).toContain('      loglevel=INFO\n')
    expect(await node.getStateInfo('Test', 'EchoServer')).toMatchObject({ info: { processId: pid } })
    expect(await node.loadServer('Other', 'EchoServer')).toMatchObject({ return: -1 })
    registry.descriptor = undefined
    expect(await node.loadServer('Test', 'EchoServer')).toMatchObject({ return: -1, result: expect.stringMatching(/^error: /) })
  })

  it('notifyServer reaches the service and says when it cannot', async () => {
    const registry = await registryWith()
    const container = pod(registry)
    await run(container)
    await registry.report(({ present }) => present === 'Active')
    const { node } = proxies(container)
    expect(await node.notifyServer('Test', 'EchoServer', 'tars.viewversion')).toEqual({ return: 0, result: 'did tars.viewversion' })
    const from = registry.reports.length
    await node.stopServer('Test', 'EchoServer')
    await registry.report(({ present }) => present === 'Inactive', from)
    expect(await node.notifyServer('Test', 'EchoServer', 'x')).toMatchObject({ return: -1, result: expect.stringMatching(/^error: /) })
  })
})

describe('the work folder', () => {
  it('keeps the former conf, and the captured output', async () => {
    const registry = await registryWith()
    const container = pod(registry)
    const conf = join(container.root, 'usr/local/app/tars/tarsnode/data/Test.EchoServer/conf/Test.EchoServer.config.conf')
    const first = await run(container)
    await registry.report(({ present }) => present === 'Active')
    const text = readFileSync(conf, 'utf8')
    first.kill('SIGTERM')
    await first.ended
    registry.descriptor = descriptor(['loglevel=INFO'])
    writeFileSync(join(container.root, 'etc/hosts'), `${container.address}\techo-0 echo-0.test-echoserver\n`)
    const from = registry.reports.length
    await run(container)
    await registry.report(({ present }) => present === 'Active', from)
    expect(readFileSync(`${conf}.bak`, 'utf8')).toBe(text)
    expect(readFileSync(conf, 'utf8')).toContain('      loglevel=INFO\n')
    expect(readFileSync(join(container.root, 'etc/hosts'), 'utf8')).toBe(`${container.address}\techo-0 echo-0.test-echoserver\n`)
    expect(readFileSync(join(container.root, 'usr/local/app/tars/app_log/Test/EchoServer/stdout_stderr'), 'utf8')).toMatch(/serving with pid/)
  })
})
