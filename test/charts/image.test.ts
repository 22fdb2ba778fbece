// The framework's image as a node runs it: pushed by the command, pulled, read-only, without any right.
import { createHash } from 'node:crypto'
import { globSync, lstatSync, readFileSync } from 'node:fs'
import { chmod, copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { customResourceDefinitions } from '#api/crds.ts'
import { resources } from '#api/resources.ts'
import { bundleFramework } from '../../framework/images/bundle.ts'
import { run as imagesCommand } from '../../framework/images/images-command.ts'
import { startOciRegistry, type OciRegistry } from '../../framework/local/oci/server.ts'
import { Images } from '../../framework/local/pods/images.ts'
import { supervisorLayer } from '../../framework/local/supervisor-layer.ts'
import { listing, runCrane } from '../imagebuilder/rig/image.ts'
import { installDefinition, startTestCluster, type TestCluster } from '../rig/kube.ts'
import { ownAddress } from '../rig/own-address.ts'
import { exitCode, PidNamespace } from '../rig/pidns.ts'
import { cacheDir } from '../rig/tools.ts'
import { command } from './rig.ts'

/** Longest first build, with everything to fetch. */
const BUILD_MS = 300_000
const kept = join(cacheDir, 'local')

interface Pushed { readonly name: string; readonly image: string; readonly digest: string }

let folder: string
let registry: OciRegistry
let cluster: TestCluster
let namespace: string
let pushed: readonly Pushed[]
/** Folders of the image's layers, uppermost first. */
let layers: readonly string[]
let env: Readonly<Record<string, string>>
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tarsk8s-framework-'))
  await chmod(folder, 0o755)
  registry = await startOciRegistry({ dir: join(folder, 'registry') })
  const { code, out, err } = await command(imagesCommand, ['push', `${registry.address}/tars/`, '--version', '1.2.3', '--only', 'node,framework', '--cache', kept, '--json'])
  if (code !== 0) throw new Error(err)
  pushed = JSON.parse(out) as Pushed[]
  const images = new Images(join(folder, 'images'), false)
  await images.open()
  const { layers: unpacked, config } = await images.obtain(pushed[0]?.image ?? '', 'IfNotPresent', () => undefined, () => {})
  layers = unpacked
  env = Object.fromEntries((config.Env ?? []).map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]))
  expect(config).toMatchObject({ User: '1000:1000', Entrypoint: ['/usr/bin/tarsk8s'] })
  cluster = await startTestCluster()
  for (const definition of customResourceDefinitions()) await installDefinition(cluster.client, definition as never)
  namespace = await cluster.namespace()
}, BUILD_MS)
afterAll(async () => {
  await cluster?.stop()
  await registry?.stop()
  await rm(folder, { recursive: true, force: true })
})

/** Runs `tarsk8s …` in the image: as its user, with no capability and no way to one; what it writes to is a volume at /run/data. */
async function container(name: string, args: readonly string[], own: Readonly<Record<string, string>>): Promise<PidNamespace> {
  const [root, data] = [join(folder, name, 'root'), join(folder, name, 'data')]
  for (const dir of [root, data]) await mkdir(dir, { recursive: true })
  await chmod(data, 0o777)
  await copyFile(cluster.kubeconfigPath, join(data, 'kubeconfig'))
  await chmod(join(data, 'kubeconfig'), 0o644)
  // Without an upper folder an overlay cannot be written to; its volume lies in a tmpfs, where the image has a folder.
  const mounts = `mount -t overlay overlay -o lowerdir=${layers.join(':')} ${root} && mount -t tmpfs none ${root}/run && mkdir ${root}/run/data && mount --bind ${data} ${root}/run/data && mount -t proc proc ${root}/proc && mount --bind /dev ${root}/dev`
  const script = `${mounts} && exec setpriv --no-new-privs /usr/sbin/chroot --userspec=1000:1000 ${root} /usr/bin/tarsk8s "$@"`
  return new PidNamespace({ argv: ['/bin/sh', '-c', script, 'sh', ...args], env: { ...env, KUBECONFIG: '/run/data/kubeconfig', ...own } })
}

const pod = (role: string, address: string): Record<string, string> => ({ Namespace: namespace, PodName: `tars-tars${role}-0`, PodIP: address })

const roles: readonly (readonly [role: string, env: Readonly<Record<string, string>>, says: RegExp])[] = [
  ['registry', {}, /registry serves/],
  ['config', { TARSCONFIG_PORT: '0' }, /config serves/],
  ['notify', { TARSNOTIFY_PORT: '0', TARSNOTIFY_HTTP_PORT: '0', TARSSTORE_DATA: '/run/data/notify' }, /notify serves/],
  ['stat', { TARSSTAT_PORT: '0', TARSSTAT_HTTP_PORT: '0', TARSSTORE_DATA: '/run/data/stat' }, /stat serves/],
  ['property', { TARSPROPERTY_PORT: '0', TARSPROPERTY_HTTP_PORT: '0', TARSSTORE_DATA: '/run/data/property' }, /property serves/],
  ['querystat', { TARSQUERYSTAT_PORT: '0', TARSQUERYSTAT_HTTP_PORT: '0', TARSQUERYSTAT_TEXT_PORT: '0' }, /query serves/],
  ['queryproperty', { TARSQUERYPROPERTY_PORT: '0', TARSQUERYPROPERTY_HTTP_PORT: '0', TARSQUERYPROPERTY_TEXT_PORT: '0' }, /query serves/],
  ['kevent', { TARSKEVENT_HTTP_PORT: '0', TARSSTORE_DATA: '/run/data/kevent' }, /kevent follows events/],
  ['log', { TARSLOG_PORT: '0', TARSLOG_TOPOLOGY_PORT: '0', TARSLOG_PATH: '/run/data/log' }, /log serves/],
  ['image', { TARSIMAGE_PORT: '0', TARSIMAGE_WORKSPACE: '/run/data/work', NODE_OPTIONS: '--max-semi-space-size=2', MALLOC_ARENA_MAX: '1' }, /tarsimage serves/],
  ['admin', { TARSADMIN_PORT: '0' }, /admin serves/],
]

describe('the framework image', () => {
  it.each(roles)('runs %s, and ends it in order', async (role, own, says) => {
    const space = await container(role, [role], { ...pod(role, ownAddress()), ...own })
    await space.output(says)
    space.kill('SIGTERM')
    expect(exitCode(await space.ended), space.stderr).toBe(0)
  })

  it("keeps what it keeps in the bundle's own thread", async () => {
    const address = ownAddress()
    const space = await container('thread', ['stat'], { ...pod('stat', address), TARSSTAT_PORT: '0', TARSSTORE_DATA: '/run/data/stat' })
    await space.output(/stat serves/)
    const answer = await fetch(`http://${address}:17001/store/last`, { method: 'POST' })
    expect([answer.status, await answer.text()]).toEqual([200, 'null'])
    space.kill('SIGTERM')
    expect(exitCode(await space.ended), space.stderr).toBe(0)
  })

  it('runs the controller', async () => {
    const space = await container('controller', ['controller'], { TARSCONTROLLER_RUN: 'reconcilers', TARSCONTROLLER_NAMESPACE: namespace, TARSCONTROLLER_ELECT: 'false' })
    await space.output(/controller is running/)
    space.kill('SIGTERM')
    expect(exitCode(await space.ended), space.stderr).toBe(0)
  })

  it('runs the seed', async () => {
    const space = await container('seed', ['seed'], { Namespace: namespace, TARSSEED_IMAGES: 'r.test/tars', TARSSEED_TAG: '1.2.3', TARSSEED_UPLOAD: 'r.test/services' })
    expect(exitCode(await space.ended), space.stderr).toBe(0)
    expect((await cluster.client.list(resources.ttemplates as never, { namespace })).items).toHaveLength(6)
  })

  it('says so where a command needs the sources', async () => {
    const space = await container('up', ['up'], {})
    expect(exitCode(await space.ended)).toBe(1)
    expect(space.stderr).toBe('tarsk8s: this command works from a clone of the repository, not in the framework image\n')
  })

  it('has the runtime of business images, the same bytes, and their layer for tarsimage', async () => {
    const { layer } = await supervisorLayer(kept)
    const manifest = JSON.parse(await runCrane('manifest', pushed[0]?.image ?? '')) as { readonly layers: readonly { readonly digest: string; readonly size: number }[] }
    expect(manifest.layers.map(({ digest }) => digest)).toContain(layer.digest)
    const file = globSync('usr/lib/tarsk8s/supervisor/*.gz', { cwd: layers[0] ?? '' })[0] ?? ''
    const { path: _, ...description } = layer
    expect(JSON.parse(readFileSync(join(layers[0] ?? '', 'usr/lib/tarsk8s/supervisor/layer.json'), 'utf8'))).toEqual({ path: basename(file), ...description })
    expect(`sha256:${createHash('sha256').update(readFileSync(join(layers[0] ?? '', file))).digest('hex')}`).toBe(layer.digest)
    // What a role costs a node that runs any service, but for tarsimage's file.
    const own = manifest.layers.filter(({ digest, size }) => digest !== layer.digest && size < 40e6).reduce((sum, { size }) => sum + size, 0)
    expect(own).toBeLessThan(1.5e6)
  })

  it('has no shell, and no file that gives rights or that all may write', async () => {
    const names = await listing(pushed[0]?.image ?? '', folder)
    expect(names.filter((line) => /\/(sh|bash|busybox)$/.test(line))).toEqual([])
    const wrong = layers.flatMap((root) => globSync('**/*', { cwd: root }).filter((path) => {
      const stat = lstatSync(join(root, path))
      return !stat.isSymbolicLink() && ((stat.mode & 0o6000) !== 0 || (path !== 'tmp' && (stat.mode & 0o002) !== 0))
    }))
    expect(wrong).toEqual([])
  })

  it('is the same bytes from the same sources', async () => {
    expect(await bundleFramework()).toEqual(await bundleFramework())
    const { out } = await command(imagesCommand, ['push', registry.address, '--version', '1.2.4', '--only', 'framework', '--cache', kept, '--json'])
    expect((JSON.parse(out) as Pushed[]).map(({ digest }) => digest)).toEqual([pushed[0]?.digest])
    const code = JSON.stringify(await bundleFramework())
    expect(code).not.toContain(join(import.meta.dirname, '../..'))
    // No pod has an engine.
    expect(code).not.toContain('docker.sock')
  })
})

describe('images push', () => {
  it('names what it pushed', async () => {
    expect(pushed.map(({ name, image }) => [name, image])).toEqual([['framework', `${registry.address}/tars/tars.framework:1.2.3`], ['node', `${registry.address}/tars/tars.tarsnode:1.2.3`]])
    for (const { image, digest } of pushed) expect((await runCrane('digest', image)).trim()).toBe(digest)
  })

  it('pushes base images, and prints a table', { timeout: BUILD_MS }, async () => {
    const { code, out } = await command(imagesCommand, ['push', registry.address, '--version', '1.2.3', '--only', 'static', '--only', 'cpp', '--cache', kept])
    expect(code).toBe(0)
    expect(out).toMatch(new RegExp(`^NAME +IMAGE +DIGEST\ncpp +${registry.address}/tars\\.cppbase:1\\.2\\.3 +sha256:[0-9a-f]{64}\nstatic +${registry.address}/tars\\.staticbase:1\\.2\\.3 +sha256:[0-9a-f]{64}\n$`))
  })

  it.each([
    [['push'], 2, 'the registry is missing'],
    [['pull', 'r.test'], 2, 'there is no "images pull"'],
    [['push', 'r.test', '--only', 'framework,pearl'], 2, 'there is no image "pearl"'],
    [['push', 'r.test', 'x'], 2, '"x" is one argument too many'],
    [['push', 'r.test', '--version', 'new'], 1, '"new" is no version'],
    [['push', 'https://r.test', '--only', 'node'], 1, 'https://r.test/tars.tarsnode'],
  ])('%j exits %d: %s', async (args, code, says) => {
    const ended = await command(imagesCommand, [...args, '--cache', kept])
    expect(ended.err).toContain(says)
    expect(ended.code).toBe(code)
  })
})
