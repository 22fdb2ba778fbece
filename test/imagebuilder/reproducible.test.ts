// The same package gives the same image, by processes that differ in umask, time zone, locale, folder and number of threads.
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { cp, mkdir, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { packageKinds, packageOf } from './rig/packages.ts'
import { runCrane, startOciRegistry, workbench, type Workbench } from './rig/image.ts'

const execute = promisify(execFile)
const launcher = join(import.meta.dirname, '../../framework/bootstrap.mjs')

let bench: Workbench
beforeAll(async () => {
  bench = await workbench()
  const registry = await startOciRegistry({ dir: bench.path('registry') })
  await runCrane('pull', '--format=oci', await bench.base(registry.address), bench.path('base'))
  await registry.stop()
  await writeFile(bench.path('supervisor.json'), JSON.stringify(bench.supervisor))
})
afterAll(() => bench.clean())

interface Machine {
  readonly name: string
  readonly umask: string
  readonly env: Readonly<Record<string, string>>
}

const machines: readonly Machine[] = [
  { name: 'one', umask: '022', env: { TZ: 'UTC', LC_ALL: 'C' } },
  { name: 'other', umask: '077', env: { TZ: 'Pacific/Auckland', LC_ALL: 'tr_TR.UTF-8', LANG: 'tr_TR.UTF-8', UV_THREADPOOL_SIZE: '1' } },
]

async function build({ name, umask, env }: Machine, kind: string, serverType: string): Promise<string> {
  const dir = bench.path(name)
  const args = ['image', 'build', join(dir, `release.${kind}`), '--app', 'Demo', '--server', 'HelloServer', '--type', serverType, '--base', `oci:${join(dir, 'base')}`, '--platform', 'linux/amd64', '--to', `oci:${join(dir, 'out')}:${kind}`, '--supervisor', bench.path('supervisor.json'), '--json']
  const { stdout } = await execute('sh', ['-c', 'umask "$0"; exec "$@"', umask, process.execPath, launcher, ...args], { env: { PATH: process.env['PATH'] ?? '', HOME: dir, ...env }, cwd: dir })
  return (JSON.parse(stdout) as { digest: string }).digest
}

test.each(packageKinds)('%s', async (kind) => {
  const { serverType, file } = packageOf(kind, randomBytes(300_000))
  const digests = await Promise.all(
    machines.map(async (machine, index) => {
      const dir = bench.path(machine.name)
      await mkdir(dir, { recursive: true })
      // What the package was made from is in it; when and where it lies is not.
      await writeFile(join(dir, `release.${kind}`), file)
      await utimes(join(dir, `release.${kind}`), index, index)
      await cp(bench.path('base'), join(dir, 'base'), { recursive: true })
      return build(machine, kind, serverType)
    }),
  )
  expect(digests[0]).toMatch(/^sha256:/)
  expect(digests[1]).toBe(digests[0])
})
