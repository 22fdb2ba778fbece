// Mirrors: where a base image is read from, and what happens when they fail.
import { writeFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { OciRegistry } from '../../framework/local/oci/server.ts'
import { faultyRegistry, type FaultyRegistry } from '../rig/faulty-registry.ts'
import { nobodyThere } from '../rig/registry.ts'
import { elf, tgz, write } from './rig/archives.ts'
import { imageCommand } from './rig/command.ts'
import { runCrane, startOciRegistry, workbench, type Workbench } from './rig/image.ts'

let bench: Workbench
let origin: OciRegistry
let mirrorStore: OciRegistry
let watched: FaultyRegistry
let mirror: FaultyRegistry

beforeAll(async () => {
  bench = await workbench()
  origin = await startOciRegistry({ dir: bench.path('origin') })
  mirrorStore = await startOciRegistry({ dir: bench.path('mirror') })
  ;[watched, mirror] = await Promise.all([faultyRegistry(origin.address), faultyRegistry(mirrorStore.address)])
  for (const { address } of [watched, mirror]) await bench.base(address)
  await writeFile(bench.path('supervisor.json'), JSON.stringify(bench.supervisor))
  await write(bench.path('release.tgz'), tgz([{ name: 'HelloServer', mode: 0o755, content: elf() }]))
})
afterAll(async () => {
  for (const one of [watched, mirror, origin, mirrorStore]) await one.stop()
  await bench.clean()
})

async function build(to: string, ...mirrors: readonly string[]): Promise<{ code: number; err: string; asked: { origin: number; mirror: number } }> {
  const before = [watched.requests.length, mirror.requests.length] as const
  const args = ['build', 'release.tgz', '--app', 'Demo', '--server', 'HelloServer', '--type', 'cpp', '--base', `${watched.address}/tars/base:amd64`, '--to', to, ...mirrors.flatMap((one) => ['--mirror', one])]
  const { code, err } = await imageCommand(args, bench.dir, { TARSIMAGE_SUPERVISOR: 'supervisor.json' })
  return { code, err, asked: { origin: watched.requests.length - before[0], mirror: mirror.requests.length - before[1] } }
}

test('the mirror is asked, and the registry is not', async () => {
  const { code, asked } = await build('oci:mirrored:1', `${watched.address}=${mirror.address}`)
  expect([code, asked.origin, asked.mirror > 0]).toEqual([0, 0, true])
})

test('the image names the registry and not the mirror; at the mirror itself, layers are mounted', async () => {
  const image = `${mirror.address}/tars/demo:1`
  expect((await build(image, `${watched.address}=${mirror.address}`)).code).toBe(0)
  const { annotations } = JSON.parse(await runCrane('manifest', image)) as { annotations: Record<string, string> }
  expect(annotations['org.opencontainers.image.base.name']).toBe(`${watched.address}/tars/base:amd64`)
  expect(mirror.requests.map(({ line }) => line)).toEqual(expect.arrayContaining([expect.stringMatching(/^POST \/v2\/tars\/demo\/blobs\/uploads\/\?mount=.*&from=tars%2Fbase$/)]))
})

test.each<[string, () => Promise<string[]>]>([
  ['is not there', async () => [nobodyThere]],
  ['answers with errors only', async () => [mirror.address]],
  ['breaks off', async () => [mirror.address]],
  ['is the second of which the first is not there', async () => [nobodyThere, mirror.address]],
])('a mirror that %s', async (what, mirrors) => {
  const [phase, harm] = what === 'breaks off' ? (['read blob', 'cut'] as const) : (['read manifest', '500'] as const)
  const plan = mirror.plan('tars/base', phase, harm, what === 'answers with errors only' || what === 'breaks off' ? Infinity : 0)
  const { code, err, asked } = await build('oci:other:1', ...(await mirrors()).map((one) => `${watched.address}=${one}`))
  plan.lift()
  expect([code, err.includes('mirror'), asked.origin > 0]).toEqual([0, false, !what.startsWith('is the second')])
})

test('what is no mirror is refused', async () => {
  for (const wrong of ['docker.io', 'a=b=c', 'A B=c.example', '=x.example']) expect(await build('oci:no:1', wrong)).toMatchObject({ code: 1, err: expect.stringMatching(/is not a registry and its mirror .*REGISTRY=MIRROR/) })
})
