// `tarsk8s image rebase`: other layers under an image, at the registry, with what a registry was asked for counted.
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { OciRegistry } from '../../framework/local/oci/server.ts'
import { composeImage } from '../../imagebuilder/compose.ts'
import { layerFromFiles } from '../../imagebuilder/layer.ts'
import { parseLocation } from '../../imagebuilder/oci/location.ts'
import { faultyRegistry, type FaultyRegistry } from '../rig/faulty-registry.ts'
import { distributionRegistry, type ForeignRegistry } from '../rig/registry.ts'
import { elf, tgz, write } from './rig/archives.ts'
import { imageCommand, type Outcome } from './rig/command.ts'
import { platform, runCrane, startOciRegistry, workbench, type Workbench } from './rig/image.ts'

let bench: Workbench
let distribution: ForeignRegistry
let ours: OciRegistry
/** A record of what distribution is asked for. */
let watched: FaultyRegistry
let file: string

beforeAll(async () => {
  bench = await workbench()
  distribution = await distributionRegistry(bench.path('distribution'))
  ours = await startOciRegistry({ dir: bench.path('ours') })
  watched = await faultyRegistry(distribution.address)
  file = await write(bench.path('release.tgz'), tgz([{ name: 'HelloServer', mode: 0o755, content: elf() }, { name: 'data', content: randomBytes(100_000) }]))
  for (const address of [watched.address, ours.address]) {
    await bench.base(address)
    await newBase(address)
  }
})
afterAll(async () => {
  await watched.stop()
  await ours.stop()
  await distribution.stop()
  await bench.clean()
})

/** A base of two layers, one of them new, with another environment. */
async function newBase(address: string): Promise<string> {
  const layers = [await layerFromFiles([{ path: '/etc/os-release', content: 'NAME=test' }], bench.path('kept.tar.gz')), await layerFromFiles([{ path: '/etc/mended', content: 'CVE' }], bench.path('mended.tar.gz'))]
  return (await composeImage({ layers, config: { Env: ['LANG=C.UTF-8', 'TZ=UTC'], Labels: { of: 'the base' } }, destination: parseLocation(`${address}/tars/base:new`), platform })).image
}

const command = (...args: readonly string[]): Promise<Outcome> => imageCommand(['rebase', ...args], bench.dir)

const build = (address: string, name: string, base = 'amd64'): ReturnType<Workbench['build']> =>
  bench.build(address, { package: file, base: parseLocation(`${address}/tars/base:${base}`), destination: parseLocation(`${address}/${name}`), labels: { 'org.opencontainers.image.revision': 'abc' } })

test.each<['distribution' | 'ours']>([['distribution'], ['ours']])('the image is that of a build on the new base, at %s', async (kind) => {
  const address = kind === 'ours' ? ours.address : watched.address
  await build(address, 'tars/demo.moved:1')
  const meant = await build(address, 'tars/demo.meant:1', 'new')
  const { code, out, err } = await command(`${address}/tars/demo.moved:1`, '--base', `${address}/tars/base:new`)
  expect([code, err]).toEqual([0, ''])
  expect(out).toMatch(new RegExp(`^${address}/tars/demo.moved:1  ${meant.digest}  \\w{12} mounted\n$`))
  expect((await runCrane('digest', `${address}/tars/demo.moved:1`)).trim()).toBe(meant.digest)
  expect(await runCrane('validate', '--remote', `${address}/tars/demo.moved:1`)).toMatch(/^PASS/)
  expect(await command(`${address}/tars/demo.moved:1`, '--base', `${address}/tars/base:new`)).toMatchObject({ code: 0, out: expect.stringContaining('has it already') })
})

test('six requests an image and two for the base, and no byte of a layer', async () => {
  const names = Array.from({ length: 5 }, (_, index) => `${watched.address}/many/server${index}:1`)
  for (const name of names) await build(watched.address, name.slice(watched.address.length + 1))
  await writeFile(bench.path('list'), `# servers\n${names.slice(1).join('\n')}\n`)
  const before = watched.requests.length
  const { code, out } = await command(names[0] ?? '', '--from-file', 'list', '--base', `${watched.address}/tars/base:new`, '--suffix=-r2')
  const asked = watched.requests.slice(before)
  expect([code, out.trimEnd().split('\n').length]).toEqual([0, 5])
  expect(asked.filter(({ line }) => line.includes('/tars/base/'))).toHaveLength(2)
  for (const index of names.keys()) expect(asked.filter(({ line }) => line.includes(`/many/server${index}/`)).length).toBeLessThanOrEqual(6)
  const configs = asked.filter(({ line }) => /^(PUT|PATCH|POST) .*\/blobs\//.test(line)).reduce((sum, { bytes }) => sum + bytes, 0)
  expect(configs).toBeLessThan(5 * 4000)
  for (const name of names) expect(await runCrane('validate', '--remote', `${name}-r2`)).toMatch(/^PASS/)
  expect(await runCrane('digest', names[0] ?? '')).not.toBe(await runCrane('digest', `${names[0]}-r2`))
})

test('a new supervisor on the recorded base; a second image mounts it from the first', async () => {
  const first = await build(watched.address, 'guarded/one:1')
  await build(watched.address, 'guarded/two:1')
  const layer = await layerFromFiles([{ path: '/tarsnode/tarsnode.mjs', content: '// a newer one' }], bench.path('newer.tar.gz'))
  await writeFile(bench.path('newer.json'), JSON.stringify({ ...layer, path: 'newer.tar.gz', entrypoint: ['/tarsnode/bin/tarsk8s'] }))
  const { code, out } = await command(`${watched.address}/guarded/one:1`, `${watched.address}/guarded/two:1`, '--supervisor', 'newer.json', '--suffix=-r2', '--json')
  expect(code).toBe(0)
  const results = JSON.parse(out) as { image: string; from: string; layers: { placement: string; digest: string }[] }[]
  expect(results.map(({ image }) => image)).toEqual([`${watched.address}/guarded/one:1-r2`, `${watched.address}/guarded/two:1-r2`])
  expect(results.flatMap(({ layers }) => layers.map(({ placement }) => placement)).toSorted()).toEqual(['copied', 'mounted'])
  expect(results[0]?.from).toBe(first.digest)
  const config = JSON.parse(await runCrane('config', `${watched.address}/guarded/two:1-r2`)) as { config: { Entrypoint: string[]; Labels: Record<string, string> } }
  expect(config.config).toMatchObject({ Entrypoint: ['/tarsnode/bin/tarsk8s'], Labels: { 'org.opencontainers.image.revision': 'abc', 'tars.io/ServerName': 'HelloServer' } })
  expect(await runCrane('validate', '--remote', `${watched.address}/guarded/two:1-r2`)).toMatch(/^PASS/)
})

test('a base of another registry is copied once, and then mounted', async () => {
  await build(watched.address, 'far/one:1')
  await build(watched.address, 'far/two:1')
  const { code, out } = await command(`${watched.address}/far/one:1`, `${watched.address}/far/two:1`, '--base', `${ours.address}/tars/base:new`)
  expect([code, out.trimEnd().split('\n').map((line) => line.split(' ').at(-1) ?? '').toSorted()]).toEqual([0, ['copied', 'mounted']])
  expect(await runCrane('validate', '--remote', `${watched.address}/far/two:1`)).toMatch(/^PASS/)
})

test('one image that cannot be rebased stops no other, and changes nothing', async () => {
  await build(watched.address, 'mixed/good:1')
  await build(watched.address, 'mixed/harmed:1')
  const before = await runCrane('digest', `${watched.address}/mixed/harmed:1`)
  const plan = watched.plan('mixed/harmed', 'commit', '401', Infinity)
  const { code, out, err } = await command(`${watched.address}/tars/base:amd64`, `${watched.address}/mixed/harmed:1`, `${watched.address}/mixed/none:1`, `${watched.address}/mixed/good:1`, '--base', `${watched.address}/tars/base:new`)
  plan.lift()
  expect([code, out]).toEqual([1, expect.stringMatching(/^\S+\/mixed\/good:1 {2}sha256:\S+ {2}\w+ mounted\n$/)])
  expect(err).toMatch(/tars\/base:amd64: image .* was not built by tarsk8s.*build it from its release package/)
  expect(err).toMatch(/mixed\/harmed:1: .*refused the credentials/)
  expect(err).toMatch(/mixed\/none:1: image .* does not exist/)
  expect(await runCrane('digest', `${watched.address}/mixed/harmed:1`)).toBe(before)
})

test.each<[string, string[], RegExp]>([
  ['nothing to do', ['a:1'], /give --base, --supervisor, or both[^]*usage: tarsk8s image rebase/],
  ['no image', ['--base', 'b'], /the images are missing/],
  ['a bad name', ['A/B', '--base', 'b'], /is not an image reference/],
  ['a bad suffix', ['a:1', '--base', 'b', '--suffix', 'ü'], /cannot end a tag/],
  ['a digest with a suffix', [`a@sha256:${'0'.repeat(64)}`, '--base', 'b', '--suffix', 'x'], /has no tag/],
])('%s is wrong usage', async (_name, args, says) => {
  expect(await command(...args)).toMatchObject({ code: 2, err: expect.stringMatching(says) })
})
