// Layers by zstd: read by tools that nobody here wrote, and the same bytes whatever the writes were.
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { zstdDecompressSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { zstd } from '../../imagebuilder/compression/zstd.ts'
import { LayerStream } from '../../imagebuilder/layer-stream.ts'
import { distributionRegistry, type ForeignRegistry } from '../rig/registry.ts'
import { debianTool } from '../rig/tools.ts'
import { elf, tgz, write } from './rig/archives.ts'
import { imageCommand, type Outcome } from './rig/command.ts'
import { runCrane, workbench, type Workbench } from './rig/image.ts'

const execute = promisify(execFile)
const text = Buffer.from('a line of text that shrinks\n'.repeat(50_000))
const noise = randomBytes(3_000_000)

let bench: Workbench
let registry: ForeignRegistry
beforeAll(async () => {
  bench = await workbench()
  registry = await distributionRegistry(bench.path('registry'))
  await bench.base(registry.address)
  await writeFile(bench.path('supervisor.json'), JSON.stringify(bench.supervisor))
  await write(bench.path('release.tgz'), tgz([{ name: 'HelloServer', mode: 0o755, content: elf() }, { name: 'text', content: text }, { name: 'noise', content: noise }]))
})
afterAll(async () => {
  await registry.stop()
  await bench.clean()
})

const command = (...args: readonly string[]): Promise<Outcome> => imageCommand(args, bench.dir, { TARSIMAGE_SUPERVISOR: 'supervisor.json' })

const build = (...more: readonly string[]): ReturnType<typeof command> =>
  command('build', 'release.tgz', '--app', 'Demo', '--server', 'HelloServer', '--type', 'cpp', '--base', `${registry.address}/tars/base:amd64`, '--json', ...more)

test('crane, skopeo and zstd read the image; it is smaller than by gzip', async () => {
  const image = `${registry.address}/tars/zstd:1`
  const { code, out } = await build('--to', image, '--compression', 'zstd')
  expect(code).toBe(0)
  const built = JSON.parse(out) as { digest: string; package: { digest: string; size: number } }
  const { layers } = JSON.parse(await runCrane('manifest', image)) as { layers: { mediaType: string; digest: string }[] }
  expect(layers.map(({ mediaType }) => mediaType.split('.').at(-1))).toEqual(['tar+gzip', 'tar+gzip', 'tar+zstd'])
  expect((await command('validate', image)).code).toBe(0)
  await runCrane('export', image, bench.path('export.tar'))
  const files = await execute('tar', ['-xOf', bench.path('export.tar'), 'usr/local/server/bin/text', 'usr/local/server/bin/noise'], { encoding: 'buffer', maxBuffer: 1 << 26 })
  expect(files.stdout.equals(Buffer.concat([text, noise]))).toBe(true)

  const skopeo = await debianTool('skopeo', 'skopeo')
  await execute(skopeo, ['copy', '--src-tls-verify=false', `docker://${image}`, `oci:${bench.path('copied')}:1`])
  const blob = bench.path(`copied/blobs/sha256/${built.package.digest.slice(7)}`)
  const zstdTool = await debianTool('zstd', 'zstd')
  await execute(zstdTool, ['--test', '-q', blob])
  const { stdout } = await execute('tar', ['-I', `${zstdTool} -d`, '-tf', blob])
  expect(stdout.split('\n')).toEqual(expect.arrayContaining(['usr/local/server/bin/HelloServer', 'usr/local/server/bin/noise']))

  const gzip = JSON.parse((await build('--to', `${registry.address}/tars/gzip:1`)).out) as typeof built
  expect(built.package.size).toBeLessThan(gzip.package.size)
  expect((JSON.parse((await build('--to', `${registry.address}/tars/again:1`, '--compression', 'zstd')).out) as typeof built).digest).toBe(built.digest)
})

test('stored blocks of every length are what they were, in whatever writes', async () => {
  for (const length of [4096, 65_536, 131_072, 131_073, 1_000_000]) {
    const content = noise.subarray(0, length)
    const layers = await Promise.all([1 << 20, 10_007].map(async (size) => {
      const parts: Buffer[] = []
      const layer = new LayerStream(async (bytes) => void parts.push(Buffer.from(bytes)), { codec: zstd })
      await layer.entry({ path: 'noise', type: 'file', mode: 0o644, size: length }, Array.from({ length: Math.ceil(length / size) }, (_, index) => content.subarray(index * size, (index + 1) * size)))
      return { ...(await layer.end()), bytes: Buffer.concat(parts) }
    }))
    const [one, other] = layers
    expect(one?.digest).toBe(other?.digest)
    expect(one?.mediaType).toBe('application/vnd.oci.image.layer.v1.tar+zstd')
    const tar = zstdDecompressSync(one?.bytes ?? Buffer.alloc(0))
    expect(tar.subarray(512, 512 + length).equals(content)).toBe(true)
  }
})

test('another compression is wrong usage', async () => {
  expect(await build('--to', 'oci:x', '--compression', 'xz')).toMatchObject({ code: 2, err: expect.stringMatching(/--compression "xz" is neither gzip nor zstd/) })
})
