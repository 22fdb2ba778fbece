// Images pulled before a pod asks: a real containerd, our registry, and an API server with the TImages.
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { customResourceDefinitions } from '#api/crds.ts'
import { resources } from '#api/resources.ts'
import { createLogger } from '#base/log.ts'
import { Informer } from '#kube/informer.ts'
import { nodes } from '#kube/resources.ts'
import type { AnyObject, Resource } from '#kube/types.ts'
import { connectImageService } from '../../framework/agent/prepull/cri.ts'
import { loginFor } from '../../framework/agent/prepull/logins.ts'
import { startPrepuller, type Prepuller } from '../../framework/agent/prepull/prepuller.ts'
import { takesImages, wantedImages } from '../../framework/agent/prepull/wanted.ts'
import { startOciRegistry, type OciRegistry } from '../../framework/local/oci/server.ts'
import { startContainerd, type Containerd } from '../rig/containerd.ts'
import { eventually, installDefinition, startTestCluster, type TestCluster } from '../rig/kube.ts'
import { createNode, nodeName } from './rig.ts'

const timages = resources.timages as unknown as Resource
const login = { username: 'puller', password: 'secret: ü' }
const hour = 3600_000

let folder: string
let cluster: TestCluster
let namespace: string
let containerd: Containerd
let registry: OciRegistry
let node: Informer
let prepuller: Prepuller
const lines: string[] = []
const log = createLogger({ write: (line) => void lines.push(line) })

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tarsk8s-prepull-'))
  cluster = await startTestCluster()
  const { client } = cluster
  namespace = await cluster.namespace()
  for (const definition of customResourceDefinitions()) if ((definition.metadata as { name: string }).name === 'timages.k8s.tars.io') await installDefinition(client, definition as never)
  await createNode(client, namespace)
  containerd = await startContainerd()
  registry = await startOciRegistry({ dir: join(folder, 'registry'), auth: login })
  writeFileSync(join(folder, 'secret'), JSON.stringify({ auths: { [registry.address]: { auth: Buffer.from(`${login.username}:${login.password}`).toString('base64') } } }))
  node = new Informer({ client, resource: nodes, fieldSelector: `metadata.name=${nodeName}`, log })
  node.start()
  prepuller = startPrepuller({ client, nodeName, node, socket: containerd.socket, loginFile: join(folder, 'secret'), withinMs: hour, log })
})

afterAll(async () => {
  await prepuller?.stop()
  await node?.stop()
  await registry?.stop()
  await containerd?.stop()
  await cluster?.stop()
  rmSync(folder, { recursive: true, force: true })
})

/** Pushes a small image. @returns its reference */
async function push(name: string): Promise<string> {
  const headers = { authorization: `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}` }
  const base = `http://${registry.address}/v2/${name}`
  const blob = async (bytes: Buffer): Promise<{ digest: string; size: number }> => {
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
    const { headers: answer } = await fetch(`${base}/blobs/uploads/`, { method: 'POST', headers })
    const place = new URL(answer.get('location') ?? '', base)
    place.searchParams.set('digest', digest)
    expect((await fetch(place, { method: 'PUT', headers, body: new Uint8Array(bytes) })).status).toBe(201)
    return { digest, size: bytes.length }
  }
  const tar = Buffer.alloc(10_240)
  const layer = await blob(gzipSync(tar))
  const platform = { architecture: process.arch === 'arm64' ? 'arm64' : 'amd64', os: 'linux' }
  const config = await blob(Buffer.from(JSON.stringify({ ...platform, config: {}, rootfs: { type: 'layers', diff_ids: [`sha256:${createHash('sha256').update(tar).digest('hex')}`] } })))
  const manifest = JSON.stringify({
    schemaVersion: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config }, layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', ...layer }],
  })
  expect((await fetch(`${base}/manifests/v1`, { method: 'PUT', headers: { ...headers, 'content-type': 'application/vnd.oci.image.manifest.v1+json' }, body: manifest })).status).toBe(201)
  return `${registry.address}/${name}:v1`
}

async function release(name: string, image: string, ageMs = 0): Promise<void> {
  await cluster.client.create(timages, {
    metadata: { namespace, name, labels: { 'tars.io/ServerApp': 'Demo', 'tars.io/ServerName': name } }, imageType: 'server',
    releases: [{ id: 'v1', image, createTime: new Date(Date.now() - ageMs).toISOString() }],
  } as never)
}

test('a new release is on the node soon, and an old one is not', async () => {
  const service = connectImageService(containerd.socket)
  const [fresh, old] = [await push('demo/fresh'), await push('demo/old')]
  expect(await service.has(fresh)).toBe(false)
  await release('old', old, 2 * hour)
  await release('fresh', fresh)
  await eventually(() => service.has(fresh), 'the image')
  expect(await service.has(old)).toBe(false)
  await eventually(() => prepuller.counts.pulled === 1, 'its count')
  service.close()
})

test('one that cannot be pulled is told, tried again, and there in the end', async () => {
  const image = `${registry.address}/demo/late:v1`
  await release('late', image)
  await eventually(() => prepuller.counts.failed > 0, 'a failure')
  expect(lines.find((line) => line.includes('"reconciler":"image-pulls"'))).toMatch(/the container runtime refused PullImage: .*demo\/late:v1/)
  await push('demo/late')
  await eventually(() => prepuller.counts.pulled === 2, 'the image')
})

test('a runtime that is not there is named', async () => {
  const service = connectImageService(join(folder, 'no.sock'))
  await expect(service.has('x')).rejects.toMatchObject({ code: 'IMAGE_SERVICE', temporary: true, context: { socket: join(folder, 'no.sock') } })
  service.close()
})

describe('which images', () => {
  const image = { imageType: 'server' as const, metadata: { name: 'i', namespace: 'ns', labels: { 'tars.io/ServerApp': 'Demo', 'tars.io/ServerName': 'Hello' } }, releases: [{ id: 'b', image: 'new', createTime: '2024-01-02T00:00:00Z' }, { id: 'a', image: 'old', createTime: '2024-01-01T00:00:00Z' }, { id: 'c', image: 'undated' }] }
  const since = Date.parse('2024-01-01T12:00:00Z')

  test.each([
    [{ 'tars.io/node.ns': '' }, ['new']],
    [{ 'tars.io/node.other': '' }, []],
    [{ 'tars.io/node.ns': '', 'tars.io/ability.ns.Demo': '' }, ['new']],
    [{ 'tars.io/node.ns': '', 'tars.io/ability.ns.Demo-Hello': '' }, ['new']],
    [{ 'tars.io/node.ns': '', 'tars.io/ability.ns.Demo-Other': '' }, []],
    [{ 'tars.io/node.ns': '', 'tars.io/ability.other.Demo-Other': '' }, ['new']],
  ] as [Record<string, string>, string[]][])('on a node with %j', (labels, images) => {
    expect(wantedImages(image, labels, since)).toEqual(images)
  })

  test('none of base and node images', () => {
    expect(wantedImages({ ...image, imageType: 'base' }, { 'tars.io/node.ns': '' }, since)).toEqual([])
  })

  test.each([
    [{ spec: {} }, true], [{ spec: { unschedulable: true } }, false], [{ spec: { taints: [{ key: 'node.kubernetes.io/disk-pressure' }] } }, false], [{ spec: { taints: [{ key: 'gpu' }] } }, true],
    [{ spec: {}, status: { conditions: [{ type: 'DiskPressure', status: 'True' }] } }, false], [{ spec: {}, status: { conditions: [{ type: 'DiskPressure', status: 'False' }] } }, true],
  ])('a node that is %j takes them: %s', (given, takes) => {
    expect(takesImages(given as unknown as AnyObject)).toBe(takes)
  })
})

describe('logins', () => {
  const write = (text: string): string => {
    writeFileSync(join(folder, 'other'), text)
    return join(folder, 'other')
  }

  test('the longest key that fits counts, in each form that Kubernetes knows', async () => {
    const path = write(JSON.stringify({ auths: { 'r.test': { username: 'a', password: 'b' }, 'https://r.test/team/': { auth: Buffer.from('c:d:e').toString('base64') }, 'https://old.test/v1/': { username: 'f', password: 'g' } } }))
    expect(await loginFor('r.test/x:1', path)).toEqual({ username: 'a', password: 'b' })
    expect(await loginFor('r.test/team/x:1', path)).toEqual({ username: 'c', password: 'd:e' })
    expect(await loginFor('r.test/teams/x:1', path)).toEqual({ username: 'a', password: 'b' })
    expect(await loginFor('old.test/x', path)).toEqual({ username: 'f', password: 'g' })
    expect(await loginFor('r.testing/x', path)).toBeUndefined()
  })

  test('Docker Hub has many names', async () => {
    const [username, password] = ['hub', 'secret']
    for (const key of ['https://index.docker.io/v1/', 'docker.io', 'registry-1.docker.io']) {
      const path = write(JSON.stringify({ auths: { [key]: { username, password } } }))
      for (const image of ['docker.io/team/x:1', 'index.docker.io/team/x:1', 'team/x:1', 'x:1']) expect(await loginFor(image, path)).toEqual({ username, password })
      for (const image of ['localhost/x:1', 'r.test/x:1', 'r:5000/x:1']) expect(await loginFor(image, path)).toBeUndefined()
    }
  })

  test('none without the file, and no secret in the error of a bad one', async () => {
    expect(await loginFor('r.test/x', join(folder, 'absent'))).toBeUndefined()
    const error = await loginFor('r.test/x', write('{"auths": hunter2')).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ code: 'PULL_SECRET_INVALID' })
    expect(String(error)).not.toContain('hunter2')
  })
})
