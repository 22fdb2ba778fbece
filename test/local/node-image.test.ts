import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { resources } from '#api/resources.ts'
import { silentLogger } from '#base/log.ts'
import { run } from '../../framework/local/base-command.ts'
import { startOciRegistry, type OciRegistry } from '../../framework/local/oci/server.ts'
import { supervisorLayer } from '../../framework/local/supervisor-layer.ts'
import { startCluster, type TestCluster } from '../controller/cluster.ts'
import { listing, runCrane } from '../imagebuilder/rig/image.ts'
import { cacheDir } from '../rig/tools.ts'

let dir: string
let registry: OciRegistry
let cluster: TestCluster
const cache = join(cacheDir, 'local')

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tarsk8s-node-image-'))
  registry = await startOciRegistry({ dir: join(dir, 'registry'), log: silentLogger })
  cluster = await startCluster()
  await writeFile(join(dir, 'cluster.json'), JSON.stringify({ kubeconfig: cluster.kubeconfigPath, namespace: cluster.namespace, registry: registry.address, cacheDir: cache }))
})
afterAll(async () => {
  await cluster?.stop()
  await registry?.stop()
  await rm(dir, { recursive: true, force: true })
})

async function base(...args: readonly string[]): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const [out, err] = [new PassThrough(), new PassThrough()]
  const texts = Promise.all([text(out), text(err)])
  const code = await run(args, { out, err, env: {}, signal: new AbortController().signal, cwd: dir })
  out.end()
  err.end()
  const [written, told] = await texts
  return { code, out: written, err: told }
}

interface Manifest { readonly layers: readonly { readonly digest: string }[] }
interface Config { readonly config: object; readonly rootfs: { readonly diff_ids: readonly string[] } }

test('the node image is the layer of every business image and nothing else, and installs itself', async () => {
  const { code, out, err } = await base('node', '--data', dir)
  expect({ code, err: code === 0 ? '' : err }).toEqual({ code: 0, err: '' })
  const image = out.trim()
  expect(image).toMatch(new RegExp(`^${registry.address}/tars\\.tarsnode:[0-9a-f]{12}$`))
  const { layer } = await supervisorLayer(cache)
  const manifest = JSON.parse(await runCrane('manifest', image)) as Manifest
  expect(manifest.layers.map(({ digest }) => digest)).toEqual([layer.digest])
  const { config, rootfs } = JSON.parse(await runCrane('config', image)) as Config
  expect(config).toEqual({ Entrypoint: ['/tarsnode/bin/tarsk8s', 'node', 'install'] })
  expect(rootfs.diff_ids).toEqual([layer.diffId])
  const names = (await listing(image, dir)).map((line) => line.split(' ').at(-1) ?? '')
  expect(names.length).toBeGreaterThan(0)
  expect(names.filter((name) => !/^tarsnode(\/|$)/.test(name))).toEqual([])

  const timage = await cluster.client.get(resources.timages, { namespace: cluster.namespace, name: 'tarsnode' })
  expect(timage).toMatchObject({ imageType: 'node', releases: [{ image }] })
  expect((await base('node', '--data', dir)).out.trim(), 'the same supervisor is the same image').toBe(image)
})

test('it can be set for all servers, the way of reaching the pods with it', async () => {
  const image = (await base('node', '--data', dir)).out.trim()
  const target = { namespace: cluster.namespace, name: 'tars-framework' }
  await cluster.client.patch(resources.tframeworkconfigs, target, { nodeImage: { image, injection: 'imageVolume' } })
  const { nodeImage } = await cluster.client.get(resources.tframeworkconfigs, target)
  expect(nodeImage).toEqual({ image, injection: 'imageVolume', probes: true })
  await expect(cluster.client.patch(resources.tframeworkconfigs, target, { nodeImage: { image, injection: 'bind' } })).rejects.toThrow(/nodeImage\.injection: Unsupported value: "bind": supported values: "copy", "imageVolume"/)
  await expect(cluster.client.patch(resources.tframeworkconfigs, target, { nodeImage: { image: '' } })).rejects.toThrow(/field nodeImage\.image: injection imageVolume mounts an image, and none is named; remedy: name the image/)
})

test('no cluster is needed to make it', async () => {
  // What it is made of is here already: without a cluster it is kept below the working directory.
  await mkdir(join(dir, '.tarsk8s'))
  await symlink(cache, join(dir, '.tarsk8s/cache'))
  const { code, out } = await base('node', '--to', `${registry.address}/elsewhere/tarsnode:v1`)
  expect({ code, out }).toEqual({ code: 0, out: `${registry.address}/elsewhere/tarsnode:v1\n` })
  expect((JSON.parse(await runCrane('manifest', `${registry.address}/elsewhere/tarsnode:v1`)) as Manifest).layers).toHaveLength(1)
})

test('a language that there is no base image for is named, and so are those that there are', async () => {
  const { code, err } = await base('cobol', '--data', dir)
  expect(code).toBe(1)
  expect(err).toContain('there is no base image for "cobol"')
})
