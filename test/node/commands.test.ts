import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { bundle, command, descriptor, NotingRegistry, ownAddress, pod, removeScratch, runtime, supervise } from './rig.ts'

afterAll(removeScratch)

const cleanups: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

interface Output {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** `tarsk8s node …` with the environment of a container. */
async function tarsk8s(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Output> {
  const run = promisify(execFile)(runtime, ['--disable-warning=ExperimentalWarning', await bundle(), 'node', ...args], { env: { ...env } })
  return run.then((out) => ({ code: 0, ...out }), (error: Output) => ({ code: error.code, stdout: error.stdout, stderr: error.stderr }))
}

describe('tarsk8s node', () => {
  it('status shows an active service and exits with 0', async () => {
    const registry = new NotingRegistry(descriptor())
    await registry.start()
    cleanups.push(() => registry.stop())
    const { env } = await started(registry)
    const { pid } = await registry.report(({ present }) => present === 'Active')
    const { code, stdout } = await untilAnswered(['status'], env)
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringMatching(new RegExp(`^server       Test\\.EchoServer in echo-0\\nstate        Active/Active \\(active since \\S+\\)\\nprocess      pid ${pid}\\nrestarts     0\\nlast exit    none\\nheartbeat    `)) })
    const json = await tarsk8s(['status', '--json'], env)
    expect(JSON.parse(json.stdout)).toMatchObject({ server: 'Test.EchoServer', present: 'Active', pid, crashLoop: false, lastExit: null })
  })

  it('status shows why a service does not run and exits with 1', async () => {
    const { env } = await started('none', command('/bin/sh', `sh -c 'echo no database; exit 3'`))
    for (;;) {
      const { code, stdout } = await tarsk8s(['status'], env)
      if (!stdout.includes('in a crash loop')) continue
      expect(code).toBe(1)
      expect(stdout).toMatch(/last exit    exit with code 3\n/)
      expect(stdout).toMatch(/message      crash loop, \d+ in a row: last run exited with code 3 .*no database/)
      return
    }
  })

  it('exec runs a program as the service runs, and as it would run when it does not', async () => {
    const registry = new NotingRegistry(descriptor(['env=GREETING=hello']))
    await registry.start()
    cleanups.push(() => registry.stop())
    const { env } = await started(registry)
    await registry.report(({ present }) => present === 'Active')
    const show = ['exec', '--', '/bin/sh', '-c', 'echo "$GREETING $ServerLauncherType"; exit 6']
    // Seen from outside of the namespace the pid of the service is another's, so the place is planned.
    expect(await tarsk8s(show, { ...env, TARSNODE_HTTP_PORT: '1' })).toEqual({ code: 6, stdout: 'hello background\n', stderr: '' })
    expect(await tarsk8s(['exec', '/no/such'], { ...env, TARSNODE_HTTP_PORT: '1' })).toMatchObject({ code: 127, stderr: expect.stringContaining('/no/such cannot be started') })
    expect(await tarsk8s(['exec'], env)).toMatchObject({ code: 2 })
  })

  it('top and exec work inside of the container', async () => {
    const container = pod('none', command('/bin/sh', `sh -c 'export SECRET=42; cd /usr; exec sleep 1000'`))
    const space = await supervise(container)
    cleanups.push(() => space.destroy())
    const inside = async (...args: readonly string[]): Promise<string> => (await promisify(execFile)('nsenter', ['-t', String(space.initPid), '-p', '-m', '--', runtime, '--disable-warning=ExperimentalWarning', await bundle(), 'node', ...args], { env: { ...container.env, PATH: process.env['PATH'] ?? '' } })).stdout
    await untilAnswered(['status'], container.env)
    for (;;) if ((await inside('exec', '/bin/sh', '-c', 'pwd; echo $SECRET')) === '/usr\n42\n') break
    const table = await inside('top', '-n', '0.2')
    expect(table).toMatch(/PID +CPU% +RSS MiB +THR +AGE +COMMAND\n +1 +[\d.]+ +[\d.]+ +\d+ +\d+m\d\ds  \S+.*tarsnode\.cjs\n +\d+ +[\d.]+ +[\d.]+ +1 +\d+m\d\ds    sleep 1000\n/)
    expect(await tarsk8s(['top', '-n', 'x'], container.env)).toMatchObject({ code: 2 })
  })

  it('says what to do where nothing answers, and refuses what it does not know', async () => {
    const env = { TARSNODE_LOCAL_ADDRESS: ownAddress() }
    const silent = await tarsk8s(['status'], env)
    expect(silent.code).toBe(255)
    expect(silent.stderr).toMatch(/no tarsnode answers at .*kubectl logs/)
    expect(await tarsk8s(['status', '--yaml'], env)).toMatchObject({ code: 2, stderr: expect.stringContaining('usage: tarsk8s node status') })
    expect(await tarsk8s(['frobnicate'], env)).toMatchObject({ code: 2, stderr: expect.stringContaining('there is no command "frobnicate"') })
    expect(await tarsk8s(['--help'], env)).toMatchObject({ code: 0, stdout: expect.stringContaining('install') })
  })
})

async function started(registry: NotingRegistry | 'none', env: Readonly<Record<string, string>> = {}): Promise<{ readonly env: Readonly<Record<string, string>> }> {
  const container = pod(registry, env)
  const space = await supervise(container)
  cleanups.push(() => space.destroy())
  return container
}

/** The listener opens shortly after the launch. */
async function untilAnswered(args: readonly string[], env: Readonly<Record<string, string>>): Promise<Output> {
  for (;;) {
    const answer = await tarsk8s(args, env)
    if (!answer.stderr.includes('no tarsnode answers')) return answer
  }
}
