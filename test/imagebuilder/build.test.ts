// Real packages onto real registries, checked by crane.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { mkdir } from 'node:fs/promises'
import { parseLocation } from '../../imagebuilder/oci/location.ts'
import { craneRegistry, distributionRegistry } from '../rig/registry.ts'
import { elf, pax, tar, tgz, write, zip } from './rig/archives.ts'
import { listing, runCrane, startOciRegistry, workbench, type Workbench } from './rig/image.ts'

const registries = {
  ours: (bench: Workbench) => startOciRegistry({ dir: bench.path('registry-ours') }),
  'crane registry': (bench: Workbench) => craneRegistry(bench.path('registry-crane')),
  'docker-registry': (bench: Workbench) => distributionRegistry(bench.path('registry-distribution')),
}

const release = tgz([
  { name: 'HelloServer/', flag: '5', mode: 0o700 },
  { name: 'HelloServer/HelloServer', mode: 0o4775, content: elf() },
  { name: 'HelloServer/conf/hello.conf', mode: 0o600, content: 'a=b' },
  { name: 'HelloServer/lib/libx.so.1', mode: 0o644, content: Buffer.alloc(70_000, 'x') },
  { name: 'HelloServer/lib/libx.so', flag: '2', target: 'libx.so.1' },
  { name: 'HelloServer/copy', flag: '1', target: 'HelloServer/HelloServer' },
  pax({ path: `HelloServer/${'long/'.repeat(40)}name` }),
  { name: 'short', content: 'long path' },
  pax({ path: 'HelloServer/名字.txt' }),
  { name: 'short', content: 'unicode' },
])

const expected = [
  'drwxr-xr-x 0/0 0 1970-01-01 00:00:00 usr/local/server/bin',
  '-rwxr-xr-x 0/0 64 1970-01-01 00:00:00 usr/local/server/bin/HelloServer',
  'drwxr-xr-x 0/0 0 1970-01-01 00:00:00 usr/local/server/bin/conf',
  '-rw-r--r-- 0/0 3 1970-01-01 00:00:00 usr/local/server/bin/conf/hello.conf',
  '-rw-r--r-- 0/0 70000 1970-01-01 00:00:00 usr/local/server/bin/lib/libx.so.1',
  'lrwxrwxrwx 0/0 0 1970-01-01 00:00:00 usr/local/server/bin/lib/libx.so -> libx.so.1',
  'hrwxr-xr-x 0/0 0 1970-01-01 00:00:00 usr/local/server/bin/copy link to usr/local/server/bin/HelloServer',
  `-rw-r--r-- 0/0 9 1970-01-01 00:00:00 usr/local/server/bin/${'long/'.repeat(40)}name`,
]

describe.each(Object.entries(registries))('onto %s', (_name, start) => {
  let bench: Workbench
  let registry: { readonly address: string; stop(): Promise<void> }

  beforeAll(async () => {
    bench = await workbench()
    registry = await start(bench)
    await bench.base(registry.address)
  })
  afterAll(async () => {
    await registry.stop()
    await bench.clean()
  })

  test('a package becomes an image that validates; the same again is the same', async () => {
    const file = await write(bench.path('release.tgz'), release)
    const first = await bench.build(registry.address, { package: file })
    expect(await runCrane('validate', '--remote', first.image)).toMatch(/^PASS/)
    expect(first.layers.map((layer) => layer.placement)).toEqual([expect.stringMatching(/present|mounted|copied/), 'copied', 'built'])
    expect(first.package.topFolder).toBe('HelloServer')
    const lines = await listing(first.image, bench.dir)
    for (const line of expected) expect(lines).toContain(line)

    const again = await bench.build(registry.address, { package: file, destination: parseLocation(`${registry.address}/tars/other:v2`) })
    expect(again.digest).toBe(first.digest)
    expect(again.layers.map((layer) => layer.placement)[0]).toMatch(/present|mounted|copied/)
    expect((await runCrane('digest', again.image)).trim()).toBe(first.digest)
  })

  test('the configuration starts the supervisor and tells what is inside', async () => {
    const { image } = await bench.build(registry.address, { package: await write(bench.path('release.tgz'), release), serverType: 'go' })
    const config = JSON.parse(await runCrane('config', image)) as { config: Record<string, unknown>; architecture: string }
    expect(config.architecture).toBe('amd64')
    expect(config.config).toEqual({
      Env: ['LANG=C.UTF-8', 'ServerType=go'],
      Entrypoint: ['/tarsnode/bin/node', '/tarsnode/tarsnode.mjs'],
      Labels: {
        'tars.io/ServerApp': 'Demo', 'tars.io/ServerName': 'HelloServer', 'tars.io/ServerType': 'go', 'tars.io/Builder': 'tarsk8s-imagebuilder/1', 'org.opencontainers.image.title': 'Demo.HelloServer',
        'org.opencontainers.image.base.digest': expect.stringMatching(/^sha256:/), 'org.opencontainers.image.base.name': `${registry.address}/tars/base:amd64`,
      },
    })
    const manifest = JSON.parse(await runCrane('manifest', image)) as { annotations: Record<string, string> }
    expect(manifest.annotations).toMatchObject({ 'org.opencontainers.image.title': 'Demo.HelloServer', 'org.opencontainers.image.base.name': `${registry.address}/tars/base:amd64` })
  })
})

describe('packages', () => {
  let bench: Workbench
  const layout = (): string => `oci:${bench.path('layout')}:v1`
  beforeAll(async () => {
    bench = await workbench()
    await mkdir(bench.path('layout'), { recursive: true })
    const registry = await startOciRegistry({ dir: bench.path('registry') })
    const base = await bench.base(registry.address)
    await runCrane('pull', '--format=oci', base, bench.path('base'))
    await registry.stop()
  })
  afterAll(() => bench.clean())

  /** Builds from a layout into a layout, and lists the package's own layer. */
  async function paths(content: Buffer, options: Partial<Parameters<Workbench['build']>[1]> = {}): Promise<string[]> {
    const file = await write(bench.path('package'), content)
    const { package: layer } = await bench.build('unused.invalid', { package: file, base: parseLocation(`oci:${bench.path('base')}`), destination: parseLocation(layout()), ...options })
    const { execFile } = await import('node:child_process')
    const out = await new Promise<string>((resolve, reject) => execFile('tar', ['-tzf', bench.path(`layout/blobs/sha256/${layer.digest.slice(7)}`)], (error, stdout) => (error ? reject(error) : resolve(stdout))))
    return out.trim().split('\n').filter((path) => path.startsWith('usr/local/server/bin/') && !path.endsWith('/')).map((path) => path.slice('usr/local/server/bin/'.length))
  }
  const server = { name: 'HelloServer', mode: 0o755, content: elf() }

  test('no top folder: nothing is stripped', async () => {
    expect(await paths(tgz([server, { name: 'conf/x', content: '1' }]))).toEqual(['HelloServer', 'conf/x'])
  })
  const jarOf = (manifest: string): Buffer => zip([{ name: 'META-INF/MANIFEST.MF', content: manifest }, { name: 'a/B.class', content: 'class' }])
  test.each<[string, Buffer, boolean]>([
    ['a jar', jarOf('Manifest-Version: 1.0\r\nMain-Class: a.B\r\n'), true],
    ['a jar in a tgz', tgz([{ name: 'HelloServer.jar', content: jarOf('main-class: a.B\n') }]), true],
    ['a jar in a zip', zip([{ name: 'Demo/HelloServer.jar', content: jarOf('Main-Class: a.B\n') }, { name: 'Demo/lib/other.jar', content: jarOf('') }]), true],
    ['a jar without a class to start', jarOf('Manifest-Version: 1.0\nX-Main-Class: a.B\n'), false],
    ['such a jar in a tgz', tgz([{ name: 'HelloServer.jar', content: jarOf('Main-Class:  \n') }, { name: 'lib/other.jar', content: jarOf('Main-Class: a.B\n') }]), false],
  ])('%s', async (_name, content, starts) => {
    const outcome = await paths(content, { serverType: 'java-jar' }).then(() => '', (error: unknown) => String(error))
    expect(outcome).toMatch(starts ? /^$/ : /HelloServer\.jar has no Main-Class in its META-INF\/MANIFEST\.MF/)
  })
  test('dots before every path are no folder', async () => {
    expect(await paths(tgz([{ name: './', flag: '5' }, { name: './Top/', flag: '5' }, { ...server, name: './Top/HelloServer' }]))).toEqual(['HelloServer'])
  })
  test('two folders: the first was not the only one, and the pass is made again', async () => {
    expect(await paths(tgz([{ name: 'lib/a', content: Buffer.alloc(3_000_000, 'a') }, server]))).toEqual(['lib/a', 'HelloServer'])
  })
  test('a folder of the layout is kept though it is alone', async () => {
    expect(await paths(tgz([{ name: 'src/index.php', content: '<?php' }]), { serverType: 'php' })).toEqual(['src/index.php'])
    expect(await paths(tgz([{ name: 'src/main.py', content: 'pass' }]), { serverType: 'python' })).toEqual(['src/main.py'])
  })
  test('a script that the profile names is as good as the usual one, wherever it lies', async () => {
    const entrances = ['./web/run.php']
    for (const top of ['', 'Shop/']) expect(await paths(tgz([{ name: `${top}web/run.php`, content: '<?php' }]), { serverType: 'php', entrances }), top).toEqual(['web/run.php'])
    expect(await paths(tgz([{ name: 'main.py', content: 'pass' }]), { serverType: 'python', entrances: ['work/other.py'] })).toEqual(['main.py'])
    expect(await paths(tgz([{ name: 'conf/x', content: '' }, { name: 'y', content: '' }]), { serverType: 'python', entrances: ['/opt/framework/serve.py'] })).toEqual(['conf/x', 'y'])
    await expect(paths(tgz([{ name: 'web/other.php', content: '<?php' }, { name: 'y', content: '' }]), { serverType: 'php', entrances })).rejects.toThrow('the php package lacks web/run.php, src/index.php (one of them); at its root are: web, y')
  })
  test('a Node service as the native node takes it: below its root, beside its runtime', async () => {
    const native = ['HelloServer/tars_nodejs/node', 'HelloServer/work/package.json'].map((name) => ({ name, content: '{}' }))
    expect(await paths(tgz(native), { serverType: 'nodejs' })).toEqual(['tars_nodejs/node', 'work/package.json'])
  })
  test('what packers of macOS put beside files is left out, and is no second folder', async () => {
    const double = Buffer.concat([Buffer.from('0005160700020000', 'hex'), Buffer.alloc(90)])
    const file = (name: string, content: Buffer | string): { name: string; content: Buffer | string; mode: number } => ({ name, content, mode: 0o755 })
    const files = [file('._Demo', double), { name: 'Demo/', flag: '5' }, file('Demo/._HelloServer', double), file('Demo/HelloServer', elf()), file('Demo/._mine', 'not of macOS')]
    expect(await paths(tgz(files))).toEqual(['HelloServer', '._mine'])
    expect(await paths(zip([{ name: 'Demo/HelloServer', content: elf() }, { name: '__MACOSX/' }, { name: '__MACOSX/Demo/._HelloServer', content: double }]))).toEqual(['HelloServer'])
  })
  test('a plain tar', async () => {
    expect(await paths(tar([server]))).toEqual(['HelloServer'])
  })
  test('a tar.zst', async () => {
    const { zstdCompressSync } = await import('node:zlib')
    expect(await paths(zstdCompressSync(tar([server])))).toEqual(['HelloServer'])
  })
  test('a jar in a zip lies beside what else is packed', async () => {
    expect(await paths(zip([{ name: 'Demo/HelloServer.jar', content: jarOf('Main-Class: a.B\n') }, { name: 'Demo/conf/x', content: '1' }]), { serverType: 'java-jar' })).toEqual(['HelloServer.jar', 'conf/x'])
  })
  test('a jar is copied whole under the name of the server', async () => {
    expect(await paths(zip([{ name: 'META-INF/MANIFEST.MF', content: 'Manifest-Version: 1.0\nMain-Class: a.B\n' }]), { serverType: 'java-jar' })).toEqual(['HelloServer.jar'])
  })
  test('a war is expanded', async () => {
    const war = zip([{ name: 'WEB-INF/' }, { name: 'WEB-INF/web.xml', content: '<web-app/>' }, { name: 'index.html', content: 'x' }])
    expect(await paths(war, { serverType: 'java-war' })).toEqual(['WEB-INF/web.xml', 'index.html'])
  })
  test('a zip without modes: programs are executable', async () => {
    expect(await paths(zip([{ name: 'HelloServer', content: elf() }]))).toEqual(['HelloServer'])
  })
  test('another *Server is taken for the executable', async () => {
    expect(await paths(tgz([{ ...server, name: 'OtherServer' }]))).toEqual(['OtherServer'])
  })
  test('a lower-case name as the web sends it', async () => {
    expect(await paths(tgz([server]), { server: 'helloserver', anyCase: true })).toEqual(['HelloServer'])
  })
  test('how the bytes were cut does not matter', async () => {
    const { ParallelCompressor } = await import('../../imagebuilder/compression/parallel.ts')
    const { randomFillSync, createHash } = await import('node:crypto')
    const data = Buffer.concat([Buffer.alloc(1_500_000, 'text '), randomFillSync(Buffer.alloc(1_300_000)), Buffer.alloc(200_000, 'more')])
    const compress = async (size: number): Promise<string> => {
      const hash = createHash('sha256')
      const gzip = new ParallelCompressor(async (member) => void hash.update(member))
      for (let at = 0; at < data.length; at += size) await gzip.write(data.subarray(at, at + size))
      await gzip.end()
      return hash.digest('hex')
    }
    const [whole, ...others] = await Promise.all([data.length, 1_000_003, 65_536, 4097].map(compress))
    for (const other of others) expect(other).toBe(whole)
  })
})
