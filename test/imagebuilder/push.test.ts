// `tarsk8s image push`, and images of several platforms: what goes round through every kind of place comes back the same.
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { composeImage } from '../../imagebuilder/compose.ts'
import { layerFromFiles } from '../../imagebuilder/layer.ts'
import { parseLocation } from '../../imagebuilder/oci/location.ts'
import { dockerEngine, type DockerEngine } from '../rig/docker.ts'
import { distributionRegistry, type ForeignRegistry } from '../rig/registry.ts'
import { debianTool } from '../rig/tools.ts'
import { elf, tgz, write } from './rig/archives.ts'
import { imageCommand, type Outcome } from './rig/command.ts'
import { runCrane, workbench, type Workbench } from './rig/image.ts'

const execute = promisify(execFile)
const arm64 = 183
let bench: Workbench
let registry: ForeignRegistry
/** A base image of two platforms. */
let base: string

beforeAll(async () => {
  bench = await workbench()
  registry = await distributionRegistry(bench.path('registry'))
  for (const architecture of ['amd64', 'arm64']) {
    const layer = await layerFromFiles([{ path: '/etc/platform', content: architecture }], bench.path(`${architecture}.tar.gz`))
    await composeImage({ layers: [layer], config: { Env: ['LANG=C.UTF-8'] }, destination: parseLocation(`${registry.address}/tars/base:${architecture}`), platform: { os: 'linux', architecture } })
  }
  base = `${registry.address}/tars/base:both`
  await runCrane('index', 'append', '-m', `${registry.address}/tars/base:amd64`, '-m', `${registry.address}/tars/base:arm64`, '-t', base)
  const other = await layerFromFiles([{ path: '/tarsnode/tarsnode.mjs', content: '// arm64' }], bench.path('arm64-supervisor.tar.gz'))
  await writeFile(bench.path('supervisors.json'), JSON.stringify([bench.supervisor, { ...other, path: 'arm64-supervisor.tar.gz', entrypoint: bench.supervisor.entrypoint, architecture: 'arm64' }]))
  await write(bench.path('app.tgz'), tgz([{ name: 'app.js', content: '// runs on each' }, { name: 'data', content: randomBytes(50_000) }]))
  for (const [name, machine] of [['x86', 62], ['arm', arm64]] as const) await write(bench.path(`${name}.tgz`), tgz([{ name: 'HelloServer', mode: 0o755, content: elf(machine) }]))
})
afterAll(async () => {
  await registry.stop()
  await bench.clean()
})

const command = (...args: readonly string[]): Promise<Outcome> => imageCommand(args, bench.dir, { TARSIMAGE_SUPERVISOR: 'supervisors.json' })

const build = (file: string, to: string, type = 'cpp', ...more: readonly string[]): ReturnType<typeof command> =>
  command('build', file, '--app', 'Demo', '--server', 'HelloServer', '--type', type, '--base', base, '--to', to, '--json', ...more)

interface Index {
  readonly manifests: readonly { readonly platform: { readonly architecture: string } }[]
  readonly annotations: Record<string, string>
}

async function platforms(image: string): Promise<string[]> {
  const { manifests } = JSON.parse(await runCrane('manifest', image)) as Partial<Index>
  return manifests === undefined ? [(JSON.parse(await runCrane('config', image)) as { architecture: string }).architecture] : manifests.map(({ platform }) => platform.architecture)
}

describe('several platforms', () => {
  test('a package that runs on each becomes a list of images', async () => {
    const image = `${registry.address}/tars/demo.app:1`
    const { code, out } = await build('app.tgz', image, 'nodejs')
    expect(code).toBe(0)
    const built = JSON.parse(out) as { digest: string; platforms: { platform: string }[] }
    expect(built.platforms.map(({ platform }) => platform)).toEqual(['linux/amd64', 'linux/arm64'])
    expect((await runCrane('digest', image)).trim()).toBe(built.digest)
    expect(await platforms(image)).toEqual(['amd64', 'arm64'])
    for (const one of ['amd64', 'arm64']) {
      expect(await runCrane('validate', '--platform', `linux/${one}`, '--remote', image)).toMatch(/^PASS/)
      const file = bench.path(`${one}.tar`)
      await runCrane('export', '--platform', `linux/${one}`, image, file)
      expect((await execute('tar', ['-xOf', file, 'etc/platform'])).stdout).toBe(one)
      expect((await execute('tar', ['-xOf', file, 'tarsnode/tarsnode.mjs'])).stdout).toBe(one === 'arm64' ? '// arm64' : '// supervisor')
    }
    const { annotations } = JSON.parse(await runCrane('manifest', image)) as Index
    expect(annotations).toMatchObject({ 'org.opencontainers.image.title': 'Demo.HelloServer', 'tars.io/ServerType': 'nodejs' })
  })

  test.each([['x86', 'amd64'], ['arm', 'arm64']])('an executable becomes an image of its own platform: %s', async (name, architecture) => {
    const image = `${registry.address}/tars/demo.${name}:1`
    expect((await build(`${name}.tgz`, image)).code).toBe(0)
    expect(await platforms(image)).toEqual([architecture])
  })

  test('platforms that are asked for', async () => {
    const image = `${registry.address}/tars/demo.asked:1`
    expect((await build('app.tgz', image, 'nodejs', '--platform', 'linux/arm64')).code).toBe(0)
    expect(await platforms(image)).toEqual(['arm64'])
    expect((await build('app.tgz', image, 'nodejs', '--platform', 'linux/arm64,linux/amd64')).code).toBe(0)
    expect(await platforms(image)).toEqual(['arm64', 'amd64'])
    expect(await build('x86.tgz', image, 'cpp', '--platform', 'linux/arm64,linux/amd64')).toMatchObject({ code: 1, err: expect.stringMatching(/is for amd64, the base image for arm64 and amd64 \(give linux\/amd64 as the only platform\)/) })
    expect(await build('x86.tgz', image, 'cpp', '--platform', 'linux/s390x')).toMatchObject({ code: 1, err: expect.stringMatching(/is not for linux\/s390x; it is for linux\/amd64, linux\/arm64/) })
    expect(await build('app.tgz', 'docker-archive:two.tar:demo', 'nodejs', '--platform', 'linux/arm64,linux/amd64')).toMatchObject({ code: 1, err: expect.stringMatching(/can be of one platform only/) })
  })

  test('a supervisor that is not there for a platform', async () => {
    await writeFile(bench.path('only.json'), JSON.stringify(bench.supervisor))
    expect(await build('app.tgz', 'oci:none', 'nodejs', '--supervisor', 'only.json', '--platform', 'linux/arm64')).toMatchObject({ code: 1, err: expect.stringMatching(/there is no supervisor layer for linux\/arm64; there is one for amd64/) })
    const image = `${registry.address}/tars/demo.only:1`
    expect((await build('app.tgz', image, 'nodejs', '--supervisor', 'only.json')).code).toBe(0)
    expect(await platforms(image)).toEqual(['amd64'])
  })

  test('a rebase keeps the list', async () => {
    const image = `${registry.address}/tars/demo.listed:1`
    await build('app.tgz', image, 'nodejs')
    const mended = await Promise.all(['amd64', 'arm64'].map(async (architecture) => {
      const layer = await layerFromFiles([{ path: '/etc/platform', content: `${architecture}, mended` }], bench.path(`${architecture}-mended.tar.gz`))
      return (await composeImage({ layers: [layer], config: {}, destination: parseLocation(`${registry.address}/tars/mended:${architecture}`), platform: { os: 'linux', architecture } })).image
    }))
    const to = `${registry.address}/tars/mended:both`
    await runCrane('index', 'append', ...mended.flatMap((one) => ['-m', one]), '-t', to)
    expect((await command('rebase', image, '--base', to)).code).toBe(0)
    expect(await platforms(image)).toEqual(['amd64', 'arm64'])
    for (const one of ['amd64', 'arm64']) {
      expect(await runCrane('validate', '--platform', `linux/${one}`, '--remote', image)).toMatch(/^PASS/)
      await runCrane('export', '--platform', `linux/${one}`, image, bench.path('mended.tar'))
      expect((await execute('tar', ['-xOf', bench.path('mended.tar'), 'etc/platform'])).stdout).toBe(`${one}, mended`)
    }
  })
})

describe('push', () => {
  test('a list of images goes through layout and registry, and stays what it is', async () => {
    const image = `${registry.address}/tars/demo.round:1`
    await build('app.tgz', image, 'nodejs')
    const digest = (await runCrane('digest', image)).trim()
    expect(await command('push', image, 'oci:round:1')).toMatchObject({ code: 0, out: expect.stringContaining(digest) })
    expect(await command('push', 'oci:round:1', `${registry.address}/tars/again:1`)).toMatchObject({ code: 0, out: expect.stringContaining('copied') })
    expect((await runCrane('digest', `${registry.address}/tars/again:1`)).trim()).toBe(digest)
    for (const one of ['amd64', 'arm64']) expect(await runCrane('validate', '--platform', `linux/${one}`, '--remote', `${registry.address}/tars/again:1`)).toMatch(/^PASS/)
    expect(await command('push', image, `${registry.address}/tars/mounted:1`)).toMatchObject({ code: 0, out: expect.not.stringContaining('copied') })
    expect((await command('push', image, `${registry.address}/tars/one:1`, '--platform', 'linux/arm64')).code).toBe(0)
    expect(await platforms(`${registry.address}/tars/one:1`)).toEqual(['arm64'])
  })

  test('an archive is what skopeo reads, and comes back', async () => {
    expect((await build('x86.tgz', 'docker-archive:x86.tar:demo.x86:7')).code).toBe(0)
    const skopeo = await debianTool('skopeo', 'skopeo')
    const told = JSON.parse((await execute(skopeo, ['inspect', `docker-archive:${bench.path('x86.tar')}:docker.io/library/demo.x86:7`])).stdout) as { Architecture: string; Labels: Record<string, string>; Layers: string[] }
    expect(told).toMatchObject({ Architecture: 'amd64', Labels: { 'tars.io/ServerName': 'HelloServer' } })
    expect(told.Layers).toHaveLength(3)
    expect((await command('push', 'docker-archive:x86.tar', `${registry.address}/tars/unpacked:1`)).code).toBe(0)
    expect(await runCrane('validate', '--remote', `${registry.address}/tars/unpacked:1`)).toMatch(/^PASS/)
    expect((await command('validate', 'docker-archive:x86.tar:demo.x86:7')).code).toBe(0)
  })

  describe('by a Docker engine', () => {
    let engine: DockerEngine
    beforeAll(async () => {
      engine = await dockerEngine()
    })
    afterAll(() => engine.stop(), 60_000)

    test('loads our archive, and what it saves is pushed and is a base', async () => {
      await build('x86.tgz', 'docker-archive:loaded.tar:demo.loaded:1')
      await engine.docker('load', '-i', bench.path('loaded.tar'))
      await engine.docker('save', '-o', bench.path('saved.tar'), 'demo.loaded:1')
      const image = `${registry.address}/tars/saved:1`
      expect((await command('push', 'docker-archive:saved.tar', image)).code).toBe(0)
      expect(await runCrane('validate', '--remote', image)).toMatch(/^PASS/)
      expect((await build('x86.tgz', `${registry.address}/tars/based:1`, 'cpp', '--base', 'docker-archive:saved.tar:demo.loaded:1')).code).toBe(0)
      expect(await runCrane('validate', '--remote', `${registry.address}/tars/based:1`)).toMatch(/^PASS/)
    })
  })

  test.each<[string, () => string[], number, RegExp]>([
    ['no source', () => [], 2, /the source is missing/],
    ['no destination', () => ['a:1'], 2, /the destination is missing/],
    ['a source that an engine has', () => ['docker:a', 'oci:x'], 1, /cannot be read from a Docker engine .*docker save/],
    ['a file that is compressed', () => ['docker-archive:packed.tgz', 'oci:x'], 1, /packed\.tgz is no docker-archive: .*as "docker save" writes it, not compressed/],
    ['a file that is something else', () => ['docker-archive:supervisors.json', 'oci:x'], 1, /is no docker-archive/],
    ['a tar that is something else', () => ['docker-archive:other.tar', 'oci:x'], 1, /is no docker-archive: it lacks manifest\.json/],
    ['a name that is not in it', () => ['docker-archive:x86.tar:other:1', 'oci:x'], 1, /has no image "other:1": demo\.x86:7/],
    ['no file', () => ['docker-archive:none.tar', 'oci:x'], 1, /none\.tar is no docker-archive: .*ENOENT/],
    ['a platform that is not there', () => [`${registry.address}/tars/base:both`, 'oci:x', '--platform', 'linux/s390x'], 1, /is not for linux\/s390x/],
  ])('%s', async (_name, args, code, says) => {
    await writeFile(bench.path('packed.tgz'), gzipSync('docker save | gzip'))
    await execute('tar', ['-cf', bench.path('other.tar'), '-C', bench.dir, 'supervisors.json'])
    const result = await command('push', ...args())
    expect([result.code, result.err]).toEqual([code, expect.stringMatching(says)])
  })
})
