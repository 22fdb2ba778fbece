// `tarsk8s image build`: exit codes, messages, progress.
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { Writable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { run } from '../../imagebuilder/cli.ts'
import { digestOf } from '../../imagebuilder/oci/digest.ts'
import type { OciRegistry } from '../../framework/local/oci/server.ts'
import { elf, tgz, write } from './rig/archives.ts'
import { runCrane, startOciRegistry, workbench, type Workbench } from './rig/image.ts'

let bench: Workbench
let registry: OciRegistry


beforeAll(async () => {
  bench = await workbench()
  registry = await startOciRegistry({ dir: bench.path('registry') })
  await bench.base(registry.address)
  await write(bench.path('release.tgz'), tgz([{ name: 'HelloServer', mode: 0o755, content: elf() }, { name: 'data', content: randomBytes(3 << 20) }]))
  await writeFile(bench.path('supervisor.json'), JSON.stringify({ ...bench.supervisor, path: 'supervisor.tar.gz' }))
})
afterAll(async () => {
  await registry.stop()
  await bench.clean()
})

class Sink extends Writable {
  text = ''
  readonly isTTY: boolean
  constructor(isTTY = false) {
    super()
    this.isTTY = isTTY
  }
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString()
    done()
  }
}

async function command(args: readonly string[], options: { tty?: boolean; env?: Record<string, string>; signal?: AbortSignal } = {}): Promise<{ code: number; out: string; err: string }> {
  const out = new Sink()
  const err = new Sink(options.tty)
  const code = await run(args, { out, err, env: options.env ?? {}, signal: options.signal ?? new AbortController().signal, cwd: bench.dir })
  return { code, out: out.text, err: err.text }
}

const usual = (): string[] => ['build', 'release.tgz', '--app', 'Demo', '--server', 'HelloServer', '--type', 'cpp', '--base', `${registry.address}/tars/base:amd64`, '--platform', 'linux/amd64', '--supervisor', 'supervisor.json']

test('builds, tells how far it is, and prints what became of each layer', async () => {
  const { code, out, err } = await command([...usual(), '--to', `${registry.address}/tars/demo.helloserver`, '--tag', 'v1'])
  expect([code, err.split('\n')[0]]).toEqual([0, 'reading base image …'])
  expect(err).toMatch(/\npackage …\n(package: \d+ % of 3\.\d MB\n)*publishing …\n$/)
  expect(out).toMatch(new RegExp(`^${registry.address}/tars/demo.helloserver:v1\ndigest sha256:[0-9a-f]{64}\nlayers\n.*mounted\n.*copied\n.*built\n$`))
  expect(await runCrane('validate', '--remote', `${registry.address}/tars/demo.helloserver:v1`)).toMatch(/^PASS/)
})

test('--json into an OCI layout; a bar on a terminal', async () => {
  const { code, out, err } = await command([...usual(), '--to', 'oci:layout:v1', '--json'], { tty: true })
  expect(code).toBe(0)
  expect(JSON.parse(out)).toMatchObject({ image: `oci:${bench.path('layout')}:v1`, digest: expect.stringMatching(/^sha256:/), package: { files: 2 } })
  expect(err).toContain('\r\u001B[Kpackage [')
  await runCrane('push', bench.path('layout'), `${registry.address}/from/layout:1`)
  expect(await runCrane('validate', '--remote', `${registry.address}/from/layout:1`)).toMatch(/^PASS/)
})

test('a base from a layout folder, the supervisor from the environment or the data folder', async () => {
  await runCrane('pull', '--format=oci', `${registry.address}/tars/base:amd64`, bench.path('base'))
  const flags = usual().slice(0, -2).map((flag) => (flag.includes('/tars/base') ? 'base' : flag))
  expect((await command([...flags, '--to', 'oci:out'], { env: { TARSIMAGE_SUPERVISOR: 'supervisor.json' } })).code).toBe(0)
  const none = await command([...flags, '--to', 'oci:out'])
  expect([none.code, none.err]).toEqual([1, expect.stringMatching(/no supervisor layer: .*run "tarsk8s up" once/)])
  await mkdir(bench.path('.tarsk8s/cache'), { recursive: true })
  await writeFile(bench.path('.tarsk8s/cache/supervisor-1.json'), JSON.stringify(bench.supervisor))
  expect((await command([...flags, '--to', 'oci:out'])).code).toBe(0)
})

test.each<[string, (args: string[]) => string[], number, RegExp]>([
  ['no arguments', () => [], 2, /usage: tarsk8s image build/],
  ['another verb', () => ['bake'], 2, /no "image bake"/],
  ['a missing flag', (args) => args.slice(0, 4), 2, /--server is missing/],
  ['an unknown flag', (args) => [...args, '--colour'], 2, /--colour/],
  ['no package', (args) => ['build', ...args.slice(2)], 2, /the package is missing/],
  ['a bad name', (args) => [...args, '--app', '1x'], 2, /--app "1x" is not an application's name/],
  ['a bad type', (args) => [...args, '--type', 'cobol'], 2, /--type "cobol" is not a server type .*use one of cpp/],
  ['a bad label', (args) => [...args, '--to', 'oci:x', '--label', 'nothing'], 2, /--label "nothing" is not KEY=VALUE/],
  ['a bad target', (args) => [...args, '--to', 'UPPER/Case:1'], 2, /"Case" is not a repository name/],
  ['two tags', (args) => [...args, '--to', 'oci:x:1', '--tag', '2'], 2, /--to has a tag too/],
  ['a missing package', (args) => ['build', 'nosuch.tgz', ...args.slice(2), '--to', 'oci:x'], 1, /nosuch\.tgz cannot be read: ENOENT/],
  ['a folder that cannot be made', (args) => [...args, '--to', 'oci:/proc/nope'], 1, /\/proc\/nope\/blobs\/sha256 of the image layout cannot be made/],
  ['another platform', (args) => [...args, '--to', 'oci:x', '--platform', 'linux/arm64'], 1, /is not for linux\/arm64; it is for linux\/amd64/],
])('%s', async (_name, change, code, says) => {
  const result = await command(change(usual()))
  expect([result.code, result.err]).toEqual([code, expect.stringMatching(says)])
})

test('inspect tells what an image is made of', async () => {
  const image = `${registry.address}/tars/looked.at:v1`
  const { out: digestLine } = await command([...usual(), '--to', image, '--json', '--label', 'org.opencontainers.image.source=git=1', '--label', 'tars.io/ServerName=Other'])
  const { digest } = JSON.parse(digestLine) as { digest: string }
  const { code, out } = await command(['inspect', image])
  expect([code, out]).toEqual([0, expect.stringMatching(new RegExp(`^${image}\ndigest      ${digest}\nplatform    linux/amd64\nsize        3\\.\\d MB\nentry point /tarsnode/bin/node /tarsnode/tarsnode.mjs\nlabels      `))])
  expect(out).toMatch(/\n {12}tars\.io\/ServerName=HelloServer\n/)
  expect(out.match(/ org\.opencontainers\.image\.source=git=1\n/g)).toHaveLength(2)
  expect(out).toMatch(/layers\n.* MB {2}tarsk8s\n.* MB {2}tarsnode\n.* MB {2}release package of Demo\.HelloServer\n$/)
  const told = JSON.parse((await command(['inspect', image, '--json'])).out) as { layers: { diffId: string }[]; labels: Record<string, string> }
  const config = JSON.parse(await runCrane('config', image)) as { rootfs: { diff_ids: string[] }; config: { Labels: Record<string, string> } }
  expect([told.layers.map(({ diffId }) => diffId), told.labels]).toEqual([config.rootfs.diff_ids, config.config.Labels])
})

describe('validate', () => {
  const layout = async (name: string): Promise<{ layers: readonly { digest: string }[]; blob: (digest: string) => string }> => {
    const { code } = await command([...usual(), '--to', `oci:${name}:v1`])
    expect(code).toBe(0)
    const blob = (digest: string): string => bench.path(`${name}/blobs/sha256/${digest.slice(7)}`)
    const index = JSON.parse(await readFile(bench.path(`${name}/index.json`), 'utf8')) as { manifests: { digest: string }[] }
    const { layers } = JSON.parse(await readFile(blob(index.manifests[0]?.digest ?? ''), 'utf8')) as { layers: { digest: string }[] }
    return { layers, blob }
  }

  test('a sound image, in a registry and in a layout', async () => {
    const image = `${registry.address}/tars/sound:v1`
    await command([...usual(), '--to', image])
    expect(await command(['validate', image])).toMatchObject({ code: 0, out: expect.stringMatching(/ is sound: 3 layers, sha256:/), err: '' })
    await layout('sound')
    expect(await command(['validate', 'oci:sound:v1', '--json'])).toMatchObject({ code: 0, out: expect.stringContaining('"faults": []') })
  })

  test.each<[string, (content: Buffer) => Buffer, RegExp]>([
    ['a byte that is another', (content) => (content.writeUInt8((content[content.length >> 1] ?? 0) ^ 1, content.length >> 1), content), /damaged|cannot be unpacked/],
    ['a cut layer', (content) => content.subarray(0, content.length >> 1), /damaged|cannot be unpacked/],
    ['a layer of something else', () => gzipSync(Buffer.alloc(1024)), /damaged/],
    ['no layer', () => Buffer.alloc(0), /damaged|cannot be unpacked|bytes/],
  ])('%s is named', async (_name, harm, says) => {
    const { layers, blob } = await layout('harmed')
    const last = layers.at(-1)?.digest ?? ''
    await writeFile(blob(last), harm(await readFile(blob(last))))
    const { code, out, err } = await command(['validate', 'oci:harmed:v1'])
    expect([code, out, err]).toEqual([1, '', expect.stringMatching(new RegExp(`^layer ${last}: .*(${says.source})`))])
    await rm(bench.path('harmed'), { recursive: true })
  })

  test('layers that are not those of the configuration', async () => {
    const { layers, blob } = await layout('swapped')
    const indexFile = bench.path('swapped/index.json')
    const index = JSON.parse(await readFile(indexFile, 'utf8')) as { manifests: { digest: string; size: number }[] }
    const [entry] = index.manifests
    const manifest = JSON.parse(await readFile(blob(entry?.digest ?? ''), 'utf8')) as { layers: object[] }
    const body = JSON.stringify({ ...manifest, layers: manifest.layers.toReversed() })
    const digest = digestOf(body)
    await writeFile(blob(digest), body)
    await writeFile(indexFile, JSON.stringify({ ...index, manifests: [{ ...entry, digest, size: Buffer.byteLength(body) }] }))
    const { code, err } = await command(['validate', 'oci:swapped:v1'])
    expect(code).toBe(1)
    expect(err.split('\n').filter((line) => /unpacks to sha256:.*configuration says/.test(line))).toHaveLength(layers.length - 1)
  })
})

test.each<[string, string[], number, RegExp]>([
  ['no image', ['inspect'], 2, /the image is missing[^]*usage: tarsk8s image inspect/],
  ['two images', ['validate', 'a', 'b'], 2, /"b" is one argument too many/],
  ['an image that is not there', ['inspect', 'oci:nothing'], 1, /nothing/],
  ['a platform that it is not for', ['validate', 'base', '--platform', 'linux/arm64'], 1, /is not for linux\/arm64/],
])('looking at %s', async (_name, args, code, says) => {
  const result = await command(args)
  expect([result.code, result.err]).toEqual([code, expect.stringMatching(says)])
})

test('Ctrl-C ends a build with its reason', async () => {
  const abort = new AbortController()
  abort.abort(new Error('stopped by SIGINT'))
  const { code, err } = await command([...usual(), '--to', 'oci:stopped'], { signal: abort.signal })
  expect([code, err]).toEqual([1, expect.stringContaining('stopped by SIGINT')])
})

test('--help', async () => {
  expect(await command(['build', '--help'])).toMatchObject({ code: 0, out: expect.stringContaining('Exit codes: 0 done, 1 failed, 2 wrong usage.') })
})

test('a limit is refused with the setting that raises it, and the setting does', async () => {
  await write(bench.path('zeros.tgz'), tgz([{ name: 'HelloServer', mode: 0o755, content: elf() }, { name: 'zeros', content: Buffer.alloc(70 << 20) }]))
  const zeros = (env: Record<string, string>): ReturnType<typeof command> => command([...usual().with(1, 'zeros.tgz'), '--to', 'oci:zeros:v1'], { env })
  expect((await zeros({})).err).toMatch(/unpacks to more than 200 times .*raise TARSIMAGE_MAX_RATIO/)
  expect((await zeros({ TARSIMAGE_MAX_UNPACKED: '1000000' })).err).toMatch(/unpacks to more than 1000000 bytes .*raise TARSIMAGE_MAX_UNPACKED/)
  expect((await zeros({ TARSIMAGE_MAX_RATIO: '5000' })).code).toBe(0)
})
