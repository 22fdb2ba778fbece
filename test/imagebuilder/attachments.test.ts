// What stands beside an image: its bill of materials, judged by the CycloneDX schema, and its signature, judged by cosign.
import { Spec, Validation } from '@cyclonedx/cyclonedx-library'
import { execFile } from 'node:child_process'
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { composeImage } from '../../imagebuilder/compose.ts'
import { layerFromFiles } from '../../imagebuilder/layer.ts'
import { parseLocation } from '../../imagebuilder/oci/location.ts'
import { startOciRegistry, runCrane, workbench, type Workbench } from './rig/image.ts'
import type { OciRegistry } from '../../framework/local/oci/server.ts'

import { cosign, crane, distributionRegistry, type ForeignRegistry } from '../rig/registry.ts'
import { elf, tgz, write, zip } from './rig/archives.ts'
import { imageCommand, type Outcome } from './rig/command.ts'

const execute = promisify(execFile)
const server = { name: 'HelloServer', mode: 0o755, content: elf() }

let bench: Workbench
let ours: OciRegistry
/** Lists no referrers itself. */
let distribution: ForeignRegistry

beforeAll(async () => {
  bench = await workbench()
  ours = await startOciRegistry({ dir: bench.path('ours') })
  distribution = await distributionRegistry(bench.path('distribution'))
  for (const { address } of [ours, distribution]) {
    await bench.base(address)
    const layer = await layerFromFiles([{ path: '/etc/mended', content: 'CVE' }], bench.path('mended.tar.gz'))
    await composeImage({ layers: [layer], destination: parseLocation(`${address}/tars/base:new`), platform: { os: 'linux', architecture: 'amd64' } })
  }
  await writeFile(bench.path('supervisor.json'), JSON.stringify(bench.supervisor))
  await write(bench.path('cpp.tgz'), tgz([server, { name: 'lib/libz.so.1', content: 'so' }]))
})
afterAll(async () => {
  await ours.stop()
  await distribution.stop()
  await bench.clean()
})

const command = (env: Record<string, string>, ...args: readonly string[]): Promise<Outcome> => imageCommand(args, bench.dir, { TARSIMAGE_SUPERVISOR: 'supervisor.json', ...env })

const build = (address: string, file: string, type: string, ...more: readonly string[]): Promise<Outcome> =>
  command({}, 'build', file, '--app', 'Demo', '--server', 'HelloServer', '--type', type, '--base', `${address}/tars/base:amd64`, '--to', `${address}/tars/${type}:1`, ...more)

interface Component {
  readonly name: string
  readonly version?: string
  readonly purl?: string
  readonly hashes?: readonly { readonly content: string }[]
}

/** The bill that is attached to an image, valid by the schema. */
async function bill(address: string, repository: string, tag = '1'): Promise<readonly Component[]> {
  const digest = (await runCrane('digest', `${address}/${repository}:${tag}`)).trim()
  const listed = await fetch(`http://${address}/v2/${repository}/referrers/${digest}`)
  const index = listed.status === 200 ? ((await listed.json()) as object) : (JSON.parse(await runCrane('manifest', `${address}/${repository}:${digest.replace(':', '-')}`)) as object)
  const { manifests } = index as { manifests: { digest: string; artifactType: string }[] }
  expect(manifests.map(({ artifactType }) => artifactType)).toEqual(['application/vnd.cyclonedx+json'])
  const { layers, subject } = JSON.parse(await runCrane('manifest', `${address}/${repository}@${manifests[0]?.digest}`)) as { layers: { digest: string }[]; subject: { digest: string } }
  expect(subject.digest).toBe(digest)
  const { stdout } = await execute(await crane(), ['blob', `${address}/${repository}@${layers[0]?.digest}`], { encoding: 'utf8' })
  expect(await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(stdout)).toBeNull()
  return (JSON.parse(stdout) as { components: Component[] }).components
}

const sha1 = (text: string): string => createHash('sha1').update(text).digest('hex')

describe('the bill of materials', () => {
  const npm = (path: string, name: string, version: string): { name: string; content: string } => ({ name: `${path}package.json`, content: JSON.stringify({ name, version }) })

  test('node_modules at every depth; a registry that lists referrers', async () => {
    await write(bench.path('app.tgz'), tgz([
      { name: 'app.js', content: '' }, npm('', 'demo', '1.0.0'), npm('node_modules/left-pad/', 'left-pad', '1.3.0'), npm('node_modules/@tars/rpc/', '@tars/rpc', '2.0.15'),
      npm('node_modules/@tars/rpc/node_modules/left-pad/', 'left-pad', '1.1.0'), npm('node_modules/left-pad/test/', 'no-package', '0.0.0'), { name: 'node_modules/broken/package.json', content: '{' },
    ]))
    expect((await build(ours.address, 'app.tgz', 'nodejs', '--sbom')).code).toBe(0)
    expect((await bill(ours.address, 'tars/nodejs')).map(({ purl }) => purl)).toEqual(['pkg:npm/%40tars/rpc@2.0.15', 'pkg:npm/left-pad@1.1.0', 'pkg:npm/left-pad@1.3.0'])
  })

  test('jars of a war with their hashes; a registry that does not list referrers', async () => {
    await write(bench.path('app.war'), zip([{ name: 'WEB-INF/web.xml', content: '<web-app/>' }, { name: 'WEB-INF/lib/tars-core-1.7.2.jar', content: 'jar' }, { name: 'WEB-INF/lib/plain.jar', content: 'other' }, { name: 'META-INF/maven/com.demo/shop/pom.properties', content: 'version=2.1\ngroupId=com.demo\nartifactId=shop\n' }]))
    expect((await build(distribution.address, 'app.war', 'java-war', '--sbom')).code).toBe(0)
    expect(await bill(distribution.address, 'tars/java-war')).toMatchObject([
      { name: 'shop', version: '2.1', purl: 'pkg:maven/com.demo/shop@2.1' }, { name: 'plain', hashes: [{ content: sha1('other') }] }, { name: 'tars-core', version: '1.7.2', hashes: [{ content: sha1('jar') }] },
    ])
  })

  test('what was packed into a jar', async () => {
    await write(bench.path('HelloServer.jar'), zip([{ name: 'META-INF/MANIFEST.MF', content: 'Main-Class: a.B\n' }, { name: 'META-INF/maven/org.x/y/pom.properties', content: 'groupId=org.x\nartifactId=y\nversion=3\n' }, { name: 'BOOT-INF/lib/netty-4.1.100.Final.jar', content: 'n' }]))
    expect((await build(ours.address, 'HelloServer.jar', 'java-jar', '--sbom')).code).toBe(0)
    expect((await bill(ours.address, 'tars/java-jar')).map(({ name, version }) => [name, version])).toEqual([['netty', '4.1.100.Final'], ['y', '3']])
  })

  test('PHP and Python', async () => {
    await write(bench.path('php.tgz'), tgz([{ name: 'src/index.php', content: '<?php' }, { name: 'src/vendor/composer/installed.json', content: JSON.stringify({ packages: [{ name: 'phptars/tars-server', version: '0.7.0' }, { version: '1' }] }) }]))
    expect((await build(ours.address, 'php.tgz', 'php', '--sbom')).code).toBe(0)
    expect((await bill(ours.address, 'tars/php')).map(({ purl }) => purl)).toEqual(['pkg:composer/phptars/tars-server@0.7.0'])
    await write(bench.path('python.tgz'), tgz([{ name: 'main.py', content: '' }, { name: 'lib/requests-2.32.0.dist-info/METADATA', content: 'Metadata-Version: 2.1\nName: requests\nVersion: 2.32.0\n\nName: not this\n' }]))
    expect((await build(ours.address, 'python.tgz', 'python', '--sbom')).code).toBe(0)
    expect((await bill(ours.address, 'tars/python')).map(({ purl }) => purl)).toEqual(['pkg:pypi/requests@2.32.0'])
  })

  test('the modules of a Go executable: crane itself', async () => {
    await write(bench.path('go.tgz'), tgz([{ name: 'HelloServer', mode: 0o755, content: await readFile(await crane()) }]))
    expect((await build(ours.address, 'go.tgz', 'go', '--sbom')).code).toBe(0)
    const told = (await execute('go', ['version', '-m', await crane()])).stdout.split('\n').map((line) => line.trim().split('\t')).filter(([kind]) => kind === 'dep')
    const found = await bill(ours.address, 'tars/go')
    expect(found.map(({ purl }) => decodeURIComponent(purl ?? ''))).toEqual(told.map(([, path, version]) => `pkg:golang/${path?.toLowerCase()}@${version}`).toSorted())
  })

  test('libraries; the same package has the same bill; a rebase keeps it; a layout cannot have it', async () => {
    expect((await build(distribution.address, 'cpp.tgz', 'cpp', '--sbom')).code).toBe(0)
    expect(await bill(distribution.address, 'tars/cpp')).toEqual([{ 'bom-ref': `libz.so.1@#${sha1('so')}`, type: 'library', name: 'libz.so.1', hashes: [{ alg: 'SHA-1', content: sha1('so') }] }])
    expect((await build(distribution.address, 'cpp.tgz', 'cpp', '--sbom')).code).toBe(0)
    expect(await bill(distribution.address, 'tars/cpp')).toHaveLength(1)
    expect((await command({}, 'rebase', `${distribution.address}/tars/cpp:1`, '--base', `${distribution.address}/tars/base:new`, '--suffix=-r2', '--sbom')).code).toBe(0)
    expect(await bill(distribution.address, 'tars/cpp', '1-r2')).toHaveLength(1)
    expect(await build(distribution.address, 'cpp.tgz', 'cpp', '--sbom', '--to', 'oci:layout:1')).toMatchObject({ code: 1, err: expect.stringMatching(/is in no registry, where a bill of materials or a signature could stand/) })
  })
})

describe('the signature', () => {
  let tool: string
  const password = { COSIGN_PASSWORD: 'open sesame' }
  beforeAll(async () => {
    tool = await cosign()
    await execute(tool, ['generate-key-pair'], { cwd: bench.dir, env: { ...process.env, ...password } })
  }, 1_500_000)

  const verified = async (image: string, key = 'cosign.pub'): Promise<boolean> => {
    const args = ['verify', '--key', bench.path(key), '--insecure-ignore-tlog=true', '--allow-insecure-registry', '--allow-http-registry', image]
    return execute(tool, args, { env: { ...process.env, HOME: bench.dir } }).then(() => true, () => false)
  }
  const sign = (env: Record<string, string>, key: string, name: string, address = ours.address): Promise<Outcome> =>
    command(env, 'build', 'cpp.tgz', '--app', 'Demo', '--server', 'HelloServer', '--type', 'cpp', '--base', `${address}/tars/base:amd64`, '--to', `${address}/signed/${name}:1`, '--sign-key', key)

  test("by cosign's own key is verified by cosign, and by no other key", async () => {
    for (const { address } of [ours, distribution]) {
      expect(await sign(password, 'cosign.key', 'one', address)).toMatchObject({ code: 0 })
      expect(await verified(`${address}/signed/one:1`)).toBe(true)
    }
    await mkdir(bench.path('other'))
    await execute(tool, ['generate-key-pair'], { cwd: bench.path('other'), env: { ...process.env, ...password } })
    expect(await verified(`${ours.address}/signed/one:1`, 'other/cosign.pub')).toBe(false)
  })

  test('is made once a key; those by others stay', async () => {
    const layers = async (): Promise<unknown[]> => {
      const digest = (await runCrane('digest', `${ours.address}/signed/twice:1`)).trim()
      return (JSON.parse(await runCrane('manifest', `${ours.address}/signed/twice:${digest.replace(':', '-')}.sig`)) as { layers: unknown[] }).layers
    }
    await sign(password, 'cosign.key', 'twice')
    await sign(password, 'cosign.key', 'twice')
    expect(await layers()).toHaveLength(1)
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256', privateKeyEncoding: { type: 'pkcs8', format: 'pem' }, publicKeyEncoding: { type: 'spki', format: 'pem' } })
    await writeFile(bench.path('plain.key'), privateKey)
    await writeFile(bench.path('plain.pub'), publicKey)
    expect((await sign({}, 'plain.key', 'twice')).code).toBe(0)
    expect(await layers()).toHaveLength(2)
    expect([await verified(`${ours.address}/signed/twice:1`), await verified(`${ours.address}/signed/twice:1`, 'plain.pub')]).toEqual([true, true])
  })

  test('of a rebased image', async () => {
    await sign(password, 'cosign.key', 'rebased')
    expect((await command(password, 'rebase', `${ours.address}/signed/rebased:1`, '--base', `${ours.address}/tars/base:new`, '--sign-key', 'cosign.key')).code).toBe(0)
    expect(await verified(`${ours.address}/signed/rebased:1`)).toBe(true)
  })

  test.each<[string, () => Promise<string>, RegExp]>([
    ['a wrong password', async () => 'cosign.key', /the password does not open it/],
    ['a key of another kind', async () => (await writeFile(bench.path('rsa.key'), generateKeyPairSync('rsa', { modulusLength: 2048, privateKeyEncoding: { type: 'pkcs8', format: 'pem' }, publicKeyEncoding: { type: 'spki', format: 'pem' } }).privateKey), 'rsa.key'), /not a key of ECDSA on the curve P-256/],
    ['no key', async () => (await writeFile(bench.path('no.key'), randomBytes(100)), 'no.key'), /cannot be read/],
    ['no file', async () => 'none.key', /--sign-key: .*none\.key cannot be read/],
  ])('%s is refused before anything is built', async (_name, key, says) => {
    expect(await sign({ COSIGN_PASSWORD: 'wrong' }, await key(), 'refused')).toMatchObject({ code: 1, err: expect.stringMatching(says) })
    await expect(runCrane('digest', `${ours.address}/signed/refused:1`)).rejects.toThrow()
  })
})
