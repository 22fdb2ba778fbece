import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { forwardedSignals } from '../../node/system/signals.ts'
import { eventually } from '../rig/eventually.ts'
import { exitCode, PidNamespace } from '../rig/pidns.ts'
import { debianTool } from '../rig/tools.ts'
import { command, pod, removeScratch, runtime, supervise } from './rig.ts'

afterAll(removeScratch)

const services = join(import.meta.dirname, 'services')
const spaces: PidNamespace[] = []
afterEach(async () => {
  await Promise.all(spaces.splice(0).map((space) => space.destroy()))
})

async function run(file: string, argv: string, env: Record<string, string> = {}): Promise<PidNamespace> {
  const space = await supervise(pod('none', { ...command(file, argv), ...env }))
  spaces.push(space)
  return space
}


describe('PID 1', () => {
  it('exits with each of the 256 exit codes of the service', { timeout: 600_000 }, async () => {
    const seen: number[] = []
    const codes = Array.from({ length: 256 }, (_, code) => code)
    const worker = async (): Promise<void> => {
      for (let code = codes.shift(); code !== undefined; code = codes.shift()) {
        const space = await run('/bin/sh', `sh -c 'exit ${code}'`, { TARSNODE_ON_EXIT: 'exit' })
        seen[code] = exitCode(await space.ended)
      }
    }
    await Promise.all([worker(), worker(), worker()])
    expect(seen).toEqual(seen.map((_, code) => code))
    expect(seen).toHaveLength(256)
  })

  it.each([['KILL', 137], ['TERM', 143], ['SEGV', 139], ['ABRT', 134]])('exits with 128 + the number of SIG%s that killed the service', async (name, code) => {
    const space = await run('/bin/sh', `sh -c 'kill -${name} $$; sleep 10'`, { TARSNODE_ON_EXIT: 'exit' })
    expect(exitCode(await space.ended)).toBe(code)
  })

  it('passes every forwardable signal to the service', async () => {
    const space = await run(runtime, `node ${join(services, 'print-signals.mjs')}`)
    await space.output(/ready/)
    for (const signal of forwardedSignals) {
      space.kill(signal)
      await space.output(new RegExp(`got ${signal === 'SIGIO' ? '(SIGIO|SIGPOLL)' : signal}\\b`))
    }
    space.kill('SIGTERM')
    expect(exitCode(await space.ended)).toBe(0)
  })

  it('reaps 10,000 orphans, leaves no zombie and steals no exit status', async () => {
    const perl = await debianTool('perl', 'perl-base')
    const space = await run(perl, `perl ${join(services, 'orphans.pl')} 10000 42`, { TARSNODE_ON_EXIT: 'exit' })
    await space.output(/done 0/)
    // Neither zombies nor those that are still on their way to their end.
    await eventually(() => space.processes().length === 2)
    space.kill('SIGUSR2')
    expect(exitCode(await space.ended)).toBe(42)
  })

  it.each(['new', 'old', 'refuses', 'hidden'])('has the status of each of 200 children that end at once, on a kernel that is %s', async (kernel) => {
    const init = [runtime, '--disable-warning=ExperimentalWarning', join(services, 'init.ts'), kernel, '200', '/bin/sh', '-c', '(:&) ; exit $(($0 % 256))']
    const space = new PidNamespace({ argv: init })
    spaces.push(space)
    const [, words = ''] = await space.output(/statuses (.*)/)
    expect(words.split(' ').map(Number)).toEqual(Array.from({ length: 200 }, (_, code) => code << 8))
    expect(exitCode(await space.ended)).toBe(0)
    expect(space.stdout).not.toMatch(/told twice/)
  })

  it('ends a service that ignores SIGTERM by SIGKILL within the grace', async () => {
    const space = await run('/bin/sh', `sh -c 'trap "" TERM; echo ready; while :; do sleep 1; done'`, { TARSNODE_GRACE_SECONDS: '2' })
    await space.output(/ready/)
    space.kill('SIGTERM')
    expect(exitCode(await space.ended)).toBe(137)
  })

  it('leaves nothing behind that the service forked into sessions of its own', async () => {
    const space = await run('/bin/sh', `sh -c 'setsid sleep 1000 & setsid sleep 1001 & echo ready; wait'`, { TARSNODE_ON_EXIT: 'exit' })
    await space.output(/ready/)
    space.kill('SIGINT')
    expect(exitCode(await space.ended)).toBe(143)
  })

  it('says what is wrong with its environment and exits with 255', async () => {
    const cases = [
      [{ ServerName: '' }, /ServerName is required and is not set/],
      [{ ServerType: 'cobol', ServerLauncherFile: '' }, /ServerType must be one of cpp, go, .*not "cobol"/],
      [{ PodName: '../etc' }, /PodName must consist of/],
      [{ TARSNODE_GRACE_SECONDS: 'long' }, /TARSNODE_GRACE_SECONDS must be a whole number/],
    ] as const
    for (const [env, message] of cases) {
      const space = await run('/bin/true', 'true', env)
      expect(exitCode(await space.ended)).toBe(255)
      expect(space.stderr).toMatch(message)
    }
  })
})
