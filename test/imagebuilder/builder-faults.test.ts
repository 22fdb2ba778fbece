// A builder that dies in the middle of a build, and disks that are full: no TImage is left as running, none has a release
// without an image, and the next build succeeds.
import { spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { completeFramework } from '#api/default.ts'
import { names } from '#api/names.ts'
import { resources } from '#api/resources.ts'
import type { TImage } from '#api/types.ts'
import { composeImage } from '../../imagebuilder/compose.ts'
import { layerFromFiles } from '../../imagebuilder/layer.ts'
import { parseLocation } from '../../imagebuilder/oci/location.ts'
import { namespace, startCluster, type TestCluster } from '../registry/cluster.ts'
import { faultyRegistry, phases, type FaultyRegistry } from '../rig/faulty-registry.ts'
import { ownAddress } from '../rig/own-address.ts'
import { distributionRegistry, type ForeignRegistry } from '../rig/registry.ts'
import { platform, runCrane, workbench, type Workbench } from './rig/image.ts'
import { packageKinds, packageOf, type PackageKind } from './rig/packages.ts'

const apiVersion = 'k8s.tars.io/v1beta3'
const main = join(import.meta.dirname, '..', '..', 'framework', 'main.ts')
const small = randomBytes(20_000)
/** More than goes to the registry in one request. */
const large = randomBytes(2_000_000)

let cluster: TestCluster
let bench: Workbench
let layer: Awaited<ReturnType<typeof layerFromFiles>>
const closing: (() => Promise<void>)[] = []

beforeAll(async () => {
  ;[cluster, bench] = await Promise.all([startCluster(), workbench()])
  layer = await layerFromFiles([{ path: '/etc/os-release', content: 'NAME=test' }], bench.path('layer.tar.gz'))
  await writeFile(bench.path('supervisor.json'), JSON.stringify(bench.supervisor))
  await writeFile(bench.path('kubeconfig'), cluster.api.kubeconfig(namespace))
  await cluster.client.create(resources.tframeworkconfigs, completeFramework({ name: names.framework, namespace }, { imageBuild: { maxBuildTime: 300 }, imageUpload: { registry: 'none/tars', secret: '' }, recordLimit: { timageRelease: 10, texitedPod: 10, tconfigHistory: 10 } }))
})
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})
afterAll(async () => {
  await cluster.stop()
  await bench.clean()
})

/** Images go to this registry from now on. */
const pushTo = (address: string): Promise<unknown> => cluster.client.patch(resources.tframeworkconfigs, { namespace, name: names.framework }, { imageUpload: { registry: `${address}/tars` } })

/** tarsimage as a process of its own. */
class BuilderProcess {
  readonly url: string
  readonly #process: ChildProcess
  #said = ''

  private constructor(url: string, child: ChildProcess) {
    this.url = url
    this.#process = child
    child.stderr?.on('data', (part: Buffer) => (this.#said = (this.#said + part.toString()).slice(-4000)))
  }

  /** @param diskBytes size of its workspace's own disk */
  static async start(diskBytes?: number): Promise<BuilderProcess> {
    const workspace = bench.path('workspace')
    await mkdir(workspace, { recursive: true })
    const address = ownAddress()
    const env = { PATH: process.env['PATH'] ?? '', KUBECONFIG: bench.path('kubeconfig'), Namespace: namespace, PodName: 'tars-tarsimage-0', PodIP: address, TARSIMAGE_WORKSPACE: workspace, TARSIMAGE_SUPERVISOR: bench.path('supervisor.json'), TARSIMAGE_BUILDS: '8' }
    const command = [process.execPath, '--disable-warning=ExperimentalWarning', main, 'image']
    const [program = '', ...args] = diskBytes === undefined ? command : ['unshare', '--mount', '/bin/sh', '-c', `mount -t tmpfs -o size=${diskBytes} tmpfs "$0" && exec "$@"`, workspace, ...command]
    const builder = new BuilderProcess(`http://${address}`, spawn(program, args, { env, stdio: ['ignore', 'ignore', 'pipe'] }))
    closing.push(() => builder.kill())
    while (!(await fetch(`${builder.url}/healthz`).then((answer) => answer.ok, () => false))) {
      if (builder.#process.exitCode !== null) throw new Error(`tarsimage ended: ${builder.#said}`)
      await delay(20)
    }
    return builder
  }

  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const gone = new Promise((resolve) => this.#process.once('exit', resolve))
    this.#process.kill('SIGKILL')
    await gone
  }

  /** Files of the workspace, as the builder itself sees it. */
  async files(): Promise<string[]> {
    const entries = await readdir(`/proc/${this.#process.pid}/root${bench.path('workspace')}`, { recursive: true, withFileTypes: true })
    return entries.filter((entry) => entry.isFile()).map((entry) => entry.name)
  }

  async build({ number, kind, base }: Server, content: Buffer, query = 'wait=true'): Promise<{ status: number; message: string }> {
    const { serverType, file } = packageOf(kind, content)
    const form = new FormData()
    for (const [name, value] of Object.entries({ ServerApp: 'Demo', ServerName: `S${number}`, ServerType: serverType, ServerTag: '', Secret: '', BaseImage: base, CreatePerson: 'me', Mark: '' })) form.set(name, value)
    form.set('ServerFile', new Blob([new Uint8Array(file)]), `S${number}.${kind}`)
    const answer = await fetch(`${this.url}/api/v1beta3/timage/demo-s${number}/building?${query}`, { method: 'POST', body: form })
    const { message } = (await answer.json()) as { message: string }
    return { status: answer.status, message }
  }
}

interface Server {
  readonly number: number
  readonly kind: PackageKind
  readonly base: string
}

let count = 0
/** A server without a release, and a base image of its own. @param through the address that a builder uses */
async function newServer(kind: PackageKind, registry: string, through = registry): Promise<Server> {
  const number = ++count
  await composeImage({ layers: [layer], destination: parseLocation(`${registry}/base/b${number}:1`), platform })
  await cluster.client.create(resources.timages, { apiVersion, kind: 'TImage', metadata: { name: `demo-s${number}`, namespace }, imageType: 'server' })
  return { number, kind, base: `${through}/base/b${number}:1` }
}

const timage = ({ number }: Server): Promise<TImage> => cluster.client.get<TImage>(resources.timages, { namespace, name: `demo-s${number}` })

/** The release that a build left is an image that can be pulled. */
async function expectRelease(server: Server, registry: string): Promise<void> {
  const { build, releases = [] } = await timage(server)
  expect([build?.running, build?.last?.phase, releases.length]).toEqual([undefined, 'Done', 1])
  const [, tag] = /:([^:]+)$/.exec(releases[0]?.image ?? '') ?? []
  expect(await runCrane('validate', '--remote', `${registry}/tars/demo.s${server.number}:${tag}`)).toMatch(/^PASS/)
}

describe('kill -9 of the builder', () => {
  let registry: ForeignRegistry
  let faulty: FaultyRegistry
  beforeAll(async () => {
    registry = await distributionRegistry(bench.path('registry'))
    faulty = await faultyRegistry(registry.address)
  })
  afterAll(async () => {
    await faulty.stop()
    await registry.stop()
  })

  test.each(phases)('while it is held in the phase "%s" with every kind of package: the builds have failed when it is back', async (phase) => {
    await pushTo(faulty.address)
    const first = await BuilderProcess.start()
    const servers = await Promise.all(packageKinds.map((kind) => newServer(kind, registry.address, faulty.address)))
    const plans = servers.map(({ number }) => faulty.plan(phase.startsWith('read') ? `base/b${number}` : `tars/demo.s${number}`, phase, 'slow', Infinity))
    const answers = await Promise.all(servers.map((server) => first.build(server, phase === 'chunk' ? large : small, '')))
    expect(answers.map(({ status }) => status)).toEqual(servers.map(() => 201))
    await Promise.all(plans.map((plan) => plan.first))
    await first.kill()
    for (const plan of plans) plan.lift()
    for (const server of servers) expect((await timage(server)).build?.running?.handler).toBe('tars-tarsimage-0')

    const second = await BuilderProcess.start()
    for (const server of servers) {
      const { build, releases = [] } = await timage(server)
      expect(build).toMatchObject({ last: { phase: 'Failed', message: expect.stringMatching(/restarted during the build; build again/) } })
      expect([build?.running, releases]).toEqual([undefined, []])
    }
    await expect.poll(() => second.files()).toEqual([])
    const again = await Promise.all(servers.map((server) => second.build(server, small)))
    expect(again.map(({ message }) => message)).toEqual(servers.map(() => 'OK'))
    for (const server of servers) await expectRelease(server, registry.address)
    await expect.poll(() => second.files()).toEqual([])
  })
})

describe('a disk that is full', () => {
  test.each(packageKinds)('at the builder: a %s is refused by name, nothing stays, and a smaller one is built', async (kind) => {
    const registry = await distributionRegistry(bench.path(`registry-${kind}`))
    closing.push(() => registry.stop())
    await pushTo(registry.address)
    const builder = await BuilderProcess.start(500_000)
    const server = await newServer(kind, registry.address)
    const { status, message } = await builder.build(server, large)
    expect([status, message]).toEqual([507, expect.stringMatching(/^the disk of the builder is full: ENOSPC.* \(free space under TARSIMAGE_WORKSPACE\)$/)])
    expect((await timage(server)).build).toBeUndefined()
    await expect.poll(() => builder.files()).toEqual([])
    expect((await builder.build(server, small)).message).toBe('OK')
    await expectRelease(server, registry.address)
  })

  test('at the builder, in the middle of an upload: it is told as such, and the upload goes on when there is room', async () => {
    const builder = await BuilderProcess.start(500_000)
    const tus = { 'tus-resumable': '1.0.0' }
    const begin = async (): Promise<string> => `${builder.url}${(await fetch(`${builder.url}/v1/uploads`, { method: 'POST', headers: { ...tus, 'upload-length': String(content.length) } })).headers.get('location') ?? ''}`
    const content = randomBytes(300_000)
    const send = (upload: string, offset: number): Promise<Response> => fetch(upload, { method: 'PATCH', headers: { ...tus, 'upload-offset': String(offset), 'content-type': 'application/offset+octet-stream' }, body: new Uint8Array(content.subarray(offset)) })
    const [first, second] = [await begin(), await begin()]
    expect((await send(first, 0)).status).toBe(204)
    const full = await send(second, 0)
    expect([full.status, await full.text()]).toEqual([507, expect.stringMatching(/^the disk of the builder is full \(free space under TARSIMAGE_WORKSPACE\)/)])
    expect((await fetch(first, { method: 'DELETE', headers: tus })).status).toBe(204)
    const offset = Number((await fetch(second, { method: 'HEAD', headers: tus })).headers.get('upload-offset'))
    expect((await send(second, offset)).status).toBe(204)
  })

  test.each(packageKinds)('at the registry: the build of a %s fails with the reason, and there is no release', async (kind) => {
    const registry = await distributionRegistry(bench.path(`full-${kind}`), { diskBytes: 1_000_000 })
    closing.push(() => registry.stop())
    await pushTo(registry.address)
    const builder = await BuilderProcess.start()
    const server = await newServer(kind, registry.address)
    expect((await builder.build(server, large)).status).toBe(500)
    const { build, releases = [] } = await timage(server)
    expect(build).toMatchObject({ last: { phase: 'Failed', message: expect.stringMatching(/^registry .* (?:answered HTTP 500|lost the unfinished upload) while (?:uploading|mounting) .*/) } })
    expect([build?.running, releases]).toEqual([undefined, []])
    await expect.poll(() => builder.files()).toEqual([])
  })
})
