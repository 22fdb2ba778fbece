// What an executable is linked with must be in the package or in the base image.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Failure } from '#base/errors.ts'
import { composeImage } from '../../imagebuilder/compose.ts'
import { layerFromFiles } from '../../imagebuilder/layer.ts'
import { parseLocation } from '../../imagebuilder/oci/location.ts'
import type { OciRegistry } from '../../framework/local/oci/server.ts'
import { debianTool, which } from '../rig/tools.ts'
import { tgz, write, type TarEntry } from './rig/archives.ts'
import { platform, runCrane, startOciRegistry, workbench, type Workbench } from './rig/image.ts'

let bench: Workbench
let registry: OciRegistry
/** A real executable of this machine, and what binutils say that it is linked with. */
let program: Buffer
let linked: string[]

beforeAll(async () => {
  bench = await workbench()
  registry = await startOciRegistry({ dir: bench.path('registry') })
  const file = which('ls') ?? ''
  program = readFileSync(file)
  const told = execFileSync(await debianTool('readelf', 'binutils'), ['--dynamic', '--program-headers', '--wide', file], { encoding: 'utf8' })
  const names = [/program interpreter: .*\/([^\]]+)\]/g, /\(NEEDED\).*\[(.+)\]/g].flatMap((pattern) => [...told.matchAll(pattern)].map(([, name = '']) => name))
  linked = names
})
afterAll(async () => {
  await registry.stop()
  await bench.clean()
})

const server = (content: Buffer): TarEntry => ({ name: 'HelloServer', mode: 0o755, content })

/** A base image whose layers bring empty files of these names. */
async function baseWith(name: string, ...layers: readonly (readonly string[])[]): Promise<ReturnType<typeof parseLocation>> {
  const made = await Promise.all(layers.map((paths, i) => layerFromFiles(paths.map((path) => ({ path, content: '' })), bench.path(`${name}-${i}.tar.gz`))))
  const location = parseLocation(`${registry.address}/tars/${name}:1`)
  await composeImage({ layers: made, destination: location, platform })
  return location
}

async function build(base: ReturnType<typeof parseLocation>, entries: readonly TarEntry[]): Promise<unknown> {
  return bench.build(registry.address, { package: await write(bench.path('release.tgz'), tgz(entries)), base }).catch((error: unknown) => error)
}

const missing = (outcome: unknown): string[] => {
  expect(outcome).toBeInstanceOf(Failure)
  expect((outcome as Failure).code).toBe('PACKAGE_LIBRARIES')
  return (outcome as Failure).message.replace(/^executable "HelloServer" needs /, '').replace(/, and neither.*/, '').split(', ')
}

describe('an executable that is linked with libraries', () => {
  test('is refused on a base image that lacks them, with the name of each, and nothing is published', async () => {
    expect(linked.length).toBeGreaterThan(1)
    const outcome = await build(await baseWith('empty', ['/etc/os-release']), [server(program)])
    expect(missing(outcome).sort()).toEqual([...linked].sort())
    expect((outcome as Failure).remedy).toMatch(/folder lib/)
    await expect(runCrane('manifest', `${registry.address}/tars/demo.helloserver:v1`)).rejects.toThrow()
  })

  test('needs only what the package does not bring', async () => {
    const [loader = '', ...libraries] = linked
    const brought = libraries.map((name) => ({ name: `lib/${name}`, content: '' }))
    expect(missing(await build(await baseWith('none', ['/etc/os-release']), [server(program), ...brought]))).toEqual([loader])
  })

  test('is built when the layers of the base image have them together', async () => {
    const [loader = '', ...libraries] = linked
    const base = await baseWith('full', [`/usr/lib64/${loader}`], libraries.map((name) => `/usr/lib/somewhere/${name}`), ['/etc/os-release'])
    expect(await build(base, [server(program)])).toMatchObject({ digest: expect.stringMatching(/^sha256:/) })
  })

  test('is not asked for anything when it is static', async () => {
    const content = readFileSync(await debianTool('busybox', 'busybox-static'))
    expect(await build(await baseWith('bare', ['/etc/os-release']), [server(content)])).toMatchObject({ digest: expect.stringMatching(/^sha256:/) })
  })
})
