// A cluster of the API server, a registry, workload controllers and the pod runner, with images around a static busybox.
import { createHash, randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { pack } from 'tar-stream'
import type { Role } from '#base/lifecycle.ts'
import { createLogger } from '#base/log.ts'
import type { Logger } from '#base/log.ts'
import { createKubeClient } from '#kube/client.ts'
import type { KubeClient } from '#kube/client.ts'
import { startApiServer } from '../../../framework/local/apiserver/server.ts'
import type { ApiServer } from '../../../framework/local/apiserver/server.ts'
import { startOciRegistry } from '../../../framework/local/oci/server.ts'
import type { OciRegistry } from '../../../framework/local/oci/server.ts'
import { podResource } from '../../../framework/local/pods/kinds.ts'
import type { Container, ContainerStatus, Pod, PodSpec } from '../../../framework/local/pods/kinds.ts'
import { startPodRunner } from '../../../framework/local/pods/runner.ts'
import type { PodRunner } from '../../../framework/local/pods/runner.ts'
import { startWorkloads } from '../../../framework/local/workloads/workloads.ts'
import { openRepository } from '../../../imagebuilder/oci/registry.ts'
import { debianTool } from '../../rig/tools.ts'

export const nodeName = 'local'
export const namespace = 'tars'
/** The short delays that keep tests short; the doubling is the same. */
export const backoff = { baseMs: 150, capMs: 600 }

/** A /24 of loopback that nobody else here has: while this process lives, it holds a port of an address that no pod gets. */
export async function ownSubnet(): Promise<string> {
  for (;;) {
    const subnet = `127.${128 + randomInt(127)}.${randomInt(256)}`
    const claim = createServer().unref().listen(65_535, `${subnet}.2`)
    try {
      await once(claim, 'listening')
      return subnet
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    }
  }
}

export interface TarEntry {
  readonly name: string
  readonly type?: 'file' | 'directory' | 'symlink' | 'link' | 'character-device'
  readonly content?: Buffer | string
  readonly linkname?: string
  readonly mode?: number
  readonly uid?: number
  readonly gid?: number
}

/** A tar archive with exactly these entries, odd ones included. */
export async function tarOf(entries: readonly TarEntry[]): Promise<Buffer> {
  const archive = pack()
  for (const { content = '', type = 'file', ...header } of entries) archive.entry({ mtime: new Date(1_700_000_000_000), ...header, type }, type === 'file' ? Buffer.from(content) : '')
  archive.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of archive as unknown as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}

export const sha256 = (bytes: Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

export interface ImageOptions {
  readonly layers: readonly (readonly TarEntry[])[]
  readonly config?: Readonly<Record<string, unknown>>
}

/** Pushes an image of these layers. @returns its reference */
export async function pushImage(registry: string, name: string, { layers, config = {} }: ImageOptions): Promise<string> {
  const { repository, close } = openRepository(registry, `test/${name}`, 'pull,push')
  try {
    const put = async (bytes: Buffer, mediaType: string) => {
      const digest = sha256(bytes)
      const upload = repository.startUpload('test')
      await upload.write(bytes)
      await upload.commit(digest)
      return { mediaType, digest, size: bytes.length }
    }
    const tars = await Promise.all(layers.map(tarOf))
    const descriptors = []
    for (const tar of tars) descriptors.push(await put(gzipSync(tar), 'application/vnd.oci.image.layer.v1.tar+gzip'))
    const document = { architecture: process.arch === 'x64' ? 'amd64' : process.arch, os: 'linux', config, rootfs: { type: 'layers', diff_ids: tars.map(sha256) } }
    const configDescriptor = await put(Buffer.from(JSON.stringify(document)), 'application/vnd.oci.image.config.v1+json')
    const manifest = { schemaVersion: 2, mediaType: 'application/vnd.oci.image.manifest.v1+json', config: configDescriptor, layers: descriptors }
    await repository.putManifest('v1', manifest.mediaType, Buffer.from(JSON.stringify(manifest)))
    return `${registry}/test/${name}:v1`
  } finally {
    close()
  }
}

/** Entries of a layer with busybox and its names. */
export async function busyboxLayer(): Promise<TarEntry[]> {
  const program = await readFile(await debianTool('busybox', 'busybox-static'))
  const names = ['sh', 'sleep', 'cat', 'echo', 'id', 'ps', 'grep', 'nc', 'ls', 'kill', 'hostname', 'touch', 'mkdir', 'mount', 'env', 'stat', 'readlink', 'wget', 'true', 'nslookup']
  return [
    { name: 'bin/', type: 'directory', mode: 0o755 },
    { name: 'bin/busybox', content: program, mode: 0o755 },
    ...names.map((name): TarEntry => ({ name: `bin/${name}`, type: 'symlink', linkname: 'busybox' })),
    { name: 'etc/', type: 'directory', mode: 0o755 },
    { name: 'etc/passwd', content: 'root:x:0:0::/root:/bin/sh\napp:x:1001:1002::/:/bin/sh\n' },
    { name: 'etc/group', content: 'root:x:0:\napp:x:1002:\nlog:x:1003:app\n' },
    { name: 'tmp/', type: 'directory', mode: 0o1777 },
  ]
}

export interface Rig {
  readonly dir: string
  readonly client: KubeClient
  readonly api: ApiServer
  readonly registry: OciRegistry
  readonly runner: PodRunner
  readonly subnet: string
  readonly kubeconfig: string
  readonly log: readonly string[]
  /** A busybox image. */
  readonly image: string
  stop(): Promise<void>
}

/** Everything in this process, its files below a temporary folder. */
export async function startRig(options: { readonly inProcess?: Readonly<Record<string, Role>> } = {}): Promise<Rig> {
  const dir = await mkdtemp(join(tmpdir(), 'tarsk8s-pods-'))
  const lines: string[] = []
  const log: Logger = createLogger({ write: (line) => void lines.push(line) })
  const late: { runner?: PodRunner } = {}
  const api = await startApiServer({ dataFile: ':memory:', host: '127.0.0.1', port: 0, token: 'test', namespaces: [namespace], log, podLogs: (request) => late.runner?.podLogs(request) ?? Promise.reject(new Error('no runner')) })
  const client = createKubeClient(api.config)
  const registry = await startOciRegistry({ dir: join(dir, 'registry'), log })
  const subnet = await ownSubnet()
  const workloads = await startWorkloads({ client, nodeName, address: `${subnet}.1`, namespaces: [namespace], log })
  const runner = await startPodRunner({ client, dataDir: join(dir, 'pods'), subnet, nodeName, backoff, log, ...options })
  late.runner = runner
  const image = await pushImage(registry.address, 'busybox', { layers: [await busyboxLayer()], config: { Cmd: ['sh'] } })
  return {
    dir, client, api, registry, runner, subnet, log: lines, image, kubeconfig: api.kubeconfig(namespace),
    async stop() {
      await runner.stop()
      await workloads.stop()
      client.close()
      await registry.stop()
      await api.stop()
      await rm(dir, { recursive: true, force: true })
    },
  }
}

/** A pod of one container; the image's shell runs `script`. */
export function podOf(name: string, image: string, script: string, more: { readonly container?: Partial<Container>; readonly spec?: Partial<PodSpec>; readonly labels?: Record<string, string> } = {}): Pod {
  return {
    apiVersion: 'v1', kind: 'Pod',
    metadata: { name, namespace, labels: more.labels ?? {} },
    spec: { containers: [{ name: 'main', image, command: ['sh', '-c', script], ...more.container }], terminationGracePeriodSeconds: 60, ...more.spec },
  }
}

/** Waits on the watch until the pod is as wanted; undefined stands for a pod that is not there. */
export async function podWhen(client: KubeClient, name: string, wanted: (pod: Pod | undefined) => boolean): Promise<Pod | undefined> {
  for (;;) {
    const list = await client.list(podResource, { namespace, fieldSelector: `metadata.name=${name}` })
    const now = list.items[0]
    if (wanted(now)) return now
    const abort = new AbortController()
    const timer = setTimeout(() => abort.abort(), 1000)
    try {
      for await (const _event of client.watch(podResource, { namespace, fieldSelector: `metadata.name=${name}`, resourceVersion: list.metadata.resourceVersion, signal: abort.signal })) break
    } catch {
      // asked again above
    } finally {
      clearTimeout(timer)
      abort.abort()
    }
  }
}

export function statusOf(pod: Pod | undefined, container = 'main'): ContainerStatus | undefined {
  return [...(pod?.status?.containerStatuses ?? []), ...(pod?.status?.initContainerStatuses ?? [])].find(({ name }) => name === container)
}

export const isReadyPod = (pod: Pod | undefined): boolean => pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true

/** The text of a container's log so far, or followed to its end. */
export async function logOf(rig: Rig, name: string, options: { readonly follow?: boolean; readonly previous?: boolean; readonly tailLines?: number; readonly container?: string } = {}): Promise<string> {
  const query = new URLSearchParams(Object.entries(options).map(([key, value]) => [key, String(value)]))
  const stream = await rig.client.stream('GET', `/api/v1/namespaces/${namespace}/pods/${name}/log?${query.toString()}`)
  let text = ''
  for await (const chunk of stream.setEncoding('utf8')) text += chunk as string
  return text
}

/** Waits until the container has written `text`: then it has also done what its script does before. */
export async function says(rig: Rig, name: string, text: string, container = 'main'): Promise<string> {
  for (;;) {
    const written = await logOf(rig, name, { container })
    if (written.includes(text)) return written
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
