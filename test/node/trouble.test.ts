// What a person is told when a service or its supervisor cannot run: why, and what to do.
import { once } from 'node:events'
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, readSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { memoryShortages } from '../../node/system/memory.ts'
import { exitCode, PidNamespace } from '../rig/pidns.ts'
import { descriptor, NotingRegistry, pod, type Pod, removeScratch, runtime, scratch, supervise, supervisorCommand } from './rig.ts'

afterAll(removeScratch)

const cleanups: (() => Promise<unknown> | void)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function registryWith(): Promise<NotingRegistry> {
  const registry = new NotingRegistry(descriptor())
  await registry.start()
  cleanups.push(() => registry.stop())
  return registry
}

async function run(container: Pod): Promise<PidNamespace> {
  const space = await supervise(container)
  cleanups.push(() => space.destroy())
  return space
}

const executable = ({ root }: Pod): string => join(root, 'usr/local/server/bin/EchoServer')

/** The runtime's own file with a few bytes changed, and not all of it: what is not looked at is not there. */
function elf(change: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.alloc(1 << 16)
  const file = openSync(runtime, 'r')
  readSync(file, bytes)
  closeSync(file)
  change(bytes)
  return bytes
}

const otherMachine = process.arch === 'x64' ? { number: 183, name: 'arm64' } : { number: 62, name: 'amd64' }
const ownName = process.arch === 'x64' ? 'amd64' : 'arm64'

describe('a program that is not executed', () => {
  it.each([
    ['for another machine', elf((bytes) => bytes.writeUInt16LE(otherMachine.number, 18)), `ENOEXEC, it is an executable for ${otherMachine.name}, and this machine is ${ownName}; release one for ${ownName}, or `],
    ['without its loader', elf((bytes) => bytes.write('no', bytes.indexOf('/ld-linux') + 1)), /ENOENT, its interpreter "\/lib\S*\/no-linux\S*" is not in this image; use a base image that has it/],
    ['without its interpreter', '#!/opt/none/python -u\n', 'ENOENT, its interpreter "/opt/none/python" is not in this image; use a base image that has it'],
    ['written on Windows', '#!/bin/sh\r\nexit 0\r\n', 'ENOENT, its interpreter "/bin/sh\\r" is not in this image; its first line ends in CR LF: save the script with LF alone'],
    ['for another system', Buffer.from('MZ\0\0 a program of Windows'), 'ENOEXEC, it is neither an executable of Linux nor a script; correct the package'],
    ['that is empty', '', 'ENOEXEC, it is empty or cannot be read; correct the package'],
  ])('%s says so', async (_what, content, says) => {
    const registry = await registryWith()
    const container = pod(registry)
    writeFileSync(executable(container), content)
    const space = await run(container)
    const { present, message } = await registry.report((report) => report.message !== '')
    expect({ present, message }).toEqual({ present: 'Inactive', message: expect.stringMatching(/^\S+\/bin\/EchoServer cannot be started: [^;]+; [^;]+$/) })
    expect(message).toEqual(typeof says === 'string' ? expect.stringContaining(says) : expect.stringMatching(says))
    expect(await registry.alarm(/cannot be started/)).toMatch(/^\[alarm\] server \S+ cannot be started: .+; 1 in a row$/)
    space.kill('SIGTERM')
    expect(exitCode(await space.ended)).toBe(message.includes('ENOENT') ? 127 : 126)
  })

  it.each(['background', 'foreground'])('but is text is given to the shell, in the %s', async (launcher) => {
    const registry = await registryWith()
    const container = pod(registry, { LauncherType: launcher })
    writeFileSync(executable(container), readFileSync(executable(container), 'utf8').replace('#!/bin/sh\n', ''))
    const space = await run(container)
    await registry.report(({ present }) => present === 'Active')
    space.kill(launcher === 'background' ? 'SIGTERM' : 'SIGKILL')
    await space.ended
  })

  it('in the foreground says so, too', async () => {
    const registry = await registryWith()
    const container = pod(registry, { LauncherType: 'foreground' })
    writeFileSync(executable(container), '#!/opt/none/python -u\n')
    await run(container)
    const { message } = await registry.report((report) => report.message !== '')
    expect(message).toMatch(/^cannot start: \S+ cannot be executed: its interpreter "\/opt\/none\/python" is not in this image; use a base image that has it; next try in /)
  })
})

describe('a supervisor that cannot serve', () => {
  it.each([
    [19385, 'cannot listen on "tcp -h <ip> -p 19385 -t 10000": the port is in use', 'TARSNODE_NODE_PORT'],
    [19386, 'cannot listen on "tcp -h <ip> -p 19386 -t 60000": the port is in use', 'TARSNODE_SERVER_PORT'],
    [19387, 'cannot listen on <ip>:19387 for probes and metrics', 'TARSNODE_HTTP_PORT'],
  ])('for who has its port %i tells the registry and Kubernetes why', async (port, says, remedy) => {
    const registry = await registryWith()
    const container = pod(registry)
    const termination = join(container.root, 'dev/termination-log')
    mkdirSync(join(container.root, 'dev'))
    writeFileSync(termination, '')
    const taken = createServer().listen(port, container.address)
    await once(taken, 'listening')
    cleanups.push(() => void taken.close())
    const space = await run(container)
    expect(exitCode(await space.ended)).toBe(255)
    const { setting, present, pid, message } = registry.reports.at(-1) ?? expect.fail('nothing was told')
    expect({ setting, present, pid }).toEqual({ setting: 'Active', present: 'Inactive', pid: 0 })
    expect(message).toContain(says.replaceAll('<ip>', container.address))
    expect(message).toContain(remedy)
    expect(readFileSync(termination, 'utf8')).toBe(message)
  })

  it('for its environment tells Kubernetes why, where there is a place for it', async () => {
    const container = pod('none', { TARSNODE_GRACE_SECONDS: 'long' })
    expect(exitCode(await (await run(container)).ended)).toBe(255)
    const termination = join(container.root, 'dev/termination-log')
    mkdirSync(join(container.root, 'dev'))
    writeFileSync(termination, '')
    expect(exitCode(await (await run(container)).ended)).toBe(255)
    expect(readFileSync(termination, 'utf8')).toBe('tarsnode: environment variable TARSNODE_GRACE_SECONDS must be a whole number from 1 to 86400, not "long" (set TARSNODE_GRACE_SECONDS)')
  })
})

describe('core files', () => {
  const core = (): Buffer => elf((bytes) => bytes.writeUInt16LE(4, 16)).subarray(0, 64)

  it('are named, and of a service that crashes again and again the newest three are kept', async () => {
    const registry = await registryWith()
    const left = join(scratch('core'), 'core')
    writeFileSync(left, core())
    // What the kernel leaves, a second later each time.
    const container = pod(registry, {}, `echo >> runs\nn=$(wc -l < runs)\ncp ${left} core.$n\ntouch -d @$n core.$n\nkill -SEGV $$`)
    const bin = join(container.root, 'usr/local/server/bin')
    writeFileSync(join(bin, 'core.js'), 'module.exports = 1')
    await run(container)
    const { message } = await registry.report((report) => report.restarts === 3 && report.present === 'Inactive')
    expect(message).toMatch(/last run killed by SIGSEGV after [\d.]+ s \(core file \S+\/data\/Test\.EchoServer\/bin\/core\.4\)/)
    expect(readdirSync(bin).filter((name) => name.startsWith('core'))).toEqual(['core.2', 'core.3', 'core.4', 'core.js'])
  })
})

describe('a service that has no memory left', () => {
  it.each([
    ['version 2', { 'memory.events': 'low 0\nhigh 3\nmax 9\noom 1\noom_kill <n>\n', 'memory.max': '268435456\n' }, /^out of memory: the container may have 256 MiB; raise spec\.k8s\.resources\.limits\.memory/],
    ['version 2, without a limit', { 'memory.events': 'oom_kill <n>\n', 'memory.max': 'max\n' }, /^out of memory: the node has no more; /],
    ['version 1', { 'memory/memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\noom_kill <n>\n', 'memory/memory.limit_in_bytes': '536870912\n' }, /^out of memory: the container may have 512 MiB; /],
    ['version 1, without a limit', { 'memory/memory.oom_control': 'oom_kill <n>\n', 'memory/memory.limit_in_bytes': '9223372036854771712\n' }, /^out of memory: the node has no more; /],
  ])('is told by its control group, %s', (_version, files, says) => {
    const folder = scratch('cgroup')
    const killed = (count: number): void => {
      for (const [name, text] of Object.entries(files)) {
        mkdirSync(join(folder, 'memory'), { recursive: true })
        writeFileSync(join(folder, name), text.replace('<n>', String(count)))
      }
    }
    expect(memoryShortages(join(folder, 'none'))()).toBeUndefined()
    killed(3)
    const shortage = memoryShortages(folder)
    expect(shortage()).toBeUndefined()
    killed(4)
    expect(shortage()).toMatch(says)
    expect(shortage()).toBeUndefined()
  })

  it('is told from one that was killed otherwise', async () => {
    const registry = await registryWith()
    const cgroup = scratch('cgroup')
    const events = join(cgroup, 'memory.events')
    writeFileSync(events, 'oom_kill 7\n')
    writeFileSync(join(cgroup, 'memory.max'), '268435456\n')
    const { env } = pod(registry, {}, `[ -e ${cgroup}/again ] || echo oom_kill 8 > ${events}\n: > ${cgroup}/again\nkill -KILL $$`)
    const space = new PidNamespace({ argv: await supervisorCommand(), env, within: ['unshare', '--mount', 'sh', '-c', 'mount --bind "$0" /sys/fs/cgroup && exec "$@"', cgroup] })
    cleanups.push(() => space.destroy())
    const first = await registry.report(({ message }) => message !== '')
    expect(first.message).toMatch(/^last run killed by SIGKILL after [\d.]+ s \(out of memory: the container may have 256 MiB; raise spec\.k8s\.resources\.limits\.memory, or have the service take less\)/)
    expect(await registry.alarm(/out of memory/)).toMatch(/^\[alarm\] server exit with signal 9 \(SIGKILL\) \(out of memory: .*\); 1 in a row$/)
    expect(await registry.alarm(/2 in a row/)).toBe('[alarm] server exit with signal 9 (SIGKILL); 2 in a row')
  })
})
