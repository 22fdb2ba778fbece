// Baked images on a real kubelet: pulled from our registry, tarsnode as PID 1, active by our tarsregistry, called through it.
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { completeServer } from '#api/default.ts'
import { nodeLabel } from '#api/names.ts'
import { resources } from '#api/resources.ts'
import type { TEndpoint, TServer } from '#api/types.ts'
import { silentLogger } from '#base/log.ts'
import { endpointSlices, nodes, pods, services } from '#kube/resources.ts'
import type { Resource } from '#kube/types.ts'
import { chooseBaseImage } from '../../base-images/catalog.ts'
import type { Controller } from '../../framework/controller/controller.ts'
import { run as call } from '../../framework/cli/call.ts'
import { writeBase } from '../../framework/local/base-image.ts'
import { startOciRegistry, type OciRegistry } from '../../framework/local/oci/server.ts'
import type { Pod } from '../../framework/local/pods/kinds.ts'
import { helloIdl, packSamples } from '../../framework/local/samples/pack.ts'
import { supervisorLayer } from '../../framework/local/supervisor-layer.ts'
import { startRegistry, type RunningRegistry } from '../../framework/registry/registry.ts'
import { run as image } from '../../imagebuilder/cli.ts'
import { parseLocation } from '../../imagebuilder/oci/location.ts'
import { javaPackage } from '../compat/java-package.ts'
import { controllerOf, installTars, seedFramework, type TestCluster } from '../controller/cluster.ts'
import { tgz, write } from '../imagebuilder/rig/archives.ts'
import { clusterOf } from '../rig/kube.ts'
import { ControlPlane, nodeName } from '../rig/kubernetes/control-plane.ts'
import { startNode, type WorkerNode } from '../rig/kubernetes/node.ts'
import { run } from '../rig/local-cluster.ts'
import { cacheDir, debianTool } from '../rig/tools.ts'

const cache = join(cacheDir, 'local')
const scratch = await mkdtemp(join(tmpdir(), 'tarsk8s-kubelet-'))
const signal = new AbortController().signal

let control: ControlPlane
let node: WorkerNode
let images: OciRegistry
let cluster: TestCluster
let controller: Controller
let registry: RunningRegistry

beforeAll(async () => {
  control = await ControlPlane.start({ controllers: 'all', scheduler: true })
  const { hostAddress } = control.machine
  images = await startOciRegistry({ dir: join(scratch, 'registry'), host: hostAddress })
  ;[node, cluster] = await Promise.all([startNode(control, images.address), installTars(clusterOf(control))])
  await seedFramework(cluster, { roles: [] })
  const { client, namespace } = cluster
  await client.patch(nodes, { name: nodeName }, { metadata: { labels: { [nodeLabel(namespace)]: '' } } })
  controller = await controllerOf(cluster)
  registry = await startRegistry({ client, namespace, address: hostAddress, log: silentLogger, signal })
  await nameRegistry(hostAddress)
}, 400_000)

afterAll(async () => {
  await registry?.stop()
  await controller?.stop()
  await (cluster ?? control)?.stop()
  await node?.clean()
  await images?.stop()
  await rm(scratch, { recursive: true, force: true })
}, 120_000)

/** The name by which tarsnode finds the registry, for one that runs in no pod. */
async function nameRegistry(address: string): Promise<void> {
  const { client, namespace } = cluster
  const name = 'tars-tarsregistry'
  const ports = [{ name: 'queryobj', port: 17890 }, { name: 'registryobj', port: 17891 }]
  await client.create(services, { metadata: { name, namespace }, spec: { clusterIP: 'None', ports } } as never)
  await client.create(endpointSlices, { metadata: { name, namespace, labels: { 'kubernetes.io/service-name': name } }, addressType: 'IPv4', endpoints: [{ addresses: [address], conditions: { ready: true } }], ports } as never)
}

/** Collects what a command prints; its exit code must be 0. */
async function command(program: typeof image, args: readonly string[]): Promise<string> {
  const said = { out: '', err: '' }
  const sink = (name: 'out' | 'err'): Writable => new Writable({ write: (part: Buffer, _encoding, done) => ((said[name] += part.toString()), done()) })
  const code = await program(args, { out: sink('out'), err: sink('err'), env: {}, signal, cwd: scratch })
  expect({ code, err: code === 0 ? '' : said.err }).toEqual({ code: 0, err: '' })
  return said.out
}

interface Service {
  readonly server: string
  readonly type: string
  readonly base: string
  readonly template: string
  readonly port: number
  readonly profile?: string
  readonly file: () => Promise<string>
}

const sample = async (index: 0 | 1): Promise<string> => (await packSamples({ cacheDir: cache }))[index].file
const all: readonly Service[] = [
  { server: 'HelloServer', type: 'nodejs', base: 'nodejs', template: 'tars.nodejs', port: 10001, file: () => sample(0) },
  { server: 'NativeServer', type: 'nodejs-pkg', base: 'cpp', template: 'tars.default', port: 10002, file: () => sample(1) },
  { server: 'JavaServer', type: 'java-jar', base: 'java', template: 'tars.java', port: 10003, profile: '<tars>\n<application>\n<server>\njvmparams=-Xms16m -Xmx128m\n</server>\n</application>\n</tars>', file: javaPackage },
]

/** Services of other languages, which beat for tarsnode and serve nothing. */
const beating: readonly Service[] = [
  { server: 'CServer', type: 'cpp', base: 'cpp', template: 'tars.cpp', port: 10004, file: () => compiled('CServer', 'gcc', ['-o', 'CServer', source('heartbeat.c')]) },
  { server: 'GoServer', type: 'go', base: 'static', template: 'tars.default', port: 10005, file: () => compiled('GoServer', 'go', ['build', '-o', 'GoServer', source('heartbeat.go')]) },
  { server: 'PhpServer', type: 'php', base: 'php', template: 'tars.php', port: 10006, file: () => packed('PhpServer', 'src/index.php', source('heartbeat.php')) },
  { server: 'PythonServer', type: 'python', base: 'python', template: 'tars.default', port: 10007, file: () => packed('PythonServer', 'PythonServer.py', source('heartbeat.py')) },
]
const source = (name: string): string => join(import.meta.dirname, '../node/services/languages', name)

/** What a compiler makes of a service, as its release package. */
async function compiled(server: string, compiler: string, args: readonly string[]): Promise<string> {
  const env = { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-mod=mod', GOCACHE: join(cacheDir, 'go-build') }
  const { code, err } = await run(await debianTool(compiler, compiler === 'go' ? 'golang-go' : 'build-essential'), args, { cwd: scratch, env })
  expect({ code, err: code === 0 ? '' : err }).toEqual({ code: 0, err: '' })
  return packed(server, server, join(scratch, server))
}

/** A release package of one file. */
async function packed(server: string, path: string, from: string): Promise<string> {
  return write(join(scratch, `${server}.tgz`), tgz([{ name: `${server}/${path}`, mode: 0o755, content: await readFile(from) }]))
}

/** Builds a base image and the service's image on it, and pushes that. @returns its reference */
async function bake({ server, type, base, file }: Service, tag: string): Promise<string> {
  const supervisor = await supervisorLayer(cache)
  const layout = `oci:${join(scratch, base)}`
  await writeBase(chooseBaseImage(base), parseLocation(layout, scratch), { cacheDir: cache, nodeBinary: process.execPath })
  const name = `${images.address}/demo.${server.toLowerCase()}:${tag}`
  await command(image, ['build', await file(), '--app', 'Demo', '--server', server, '--type', type, '--base', layout, '--to', name, '--supervisor', supervisor.file, '--insecure', images.address])
  return name
}

const tservers = resources.tservers as Resource<TServer>
const podOf = async (server: string): Promise<Pod | undefined> => (await cluster.client.get(pods, { namespace: cluster.namespace, name: `demo-${server.toLowerCase()}-0` }).catch(() => undefined)) as unknown as Pod | undefined
const isReady = (pod: Pod | undefined): boolean => pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true

/** The pod once it runs this image and is ready. */
async function ready(server: string, reference: string): Promise<Pod> {
  try {
    return await control.machine.until(`${server} is ready`, async () => {
      const pod = await podOf(server)
      return isReady(pod) && pod?.spec.containers[0]?.image === reference && pod
    }, 60_000)
  } catch (error) {
    const log = await cluster.client.raw('GET', `/api/v1/namespaces/${cluster.namespace}/pods/demo-${server.toLowerCase()}-0/log`).catch(String)
    throw new Error(`${server} is not ready: ${JSON.stringify((await podOf(server))?.status?.conditions)}\n${String(log)}`, { cause: error })
  }
}

interface Answer {
  readonly return: number
  readonly greeting: { readonly text: string; readonly server: string }
}

async function ask({ server, port }: Service, name: string, ...args: readonly string[]): Promise<Answer> {
  const address = (await podOf(server))?.status?.podIP ?? ''
  return JSON.parse(await command(call, [`Demo.${server}.HelloObj@tcp -h ${address} -p ${port}`, name, ...args, '--tars', helloIdl])) as Answer
}

describe.each([...all, ...beating])('a $type service', { timeout: 400_000 }, (service) => {
  const { server, template, port, profile } = service

  it('becomes ready as soon as it is active', async () => {
    const reference = await bake(service, 'v1')
    const object = completeServer({ name: `demo-${server.toLowerCase()}`, namespace: cluster.namespace }, {
      app: 'Demo', server, subType: 'tars', tars: { template, servants: [{ name: 'HelloObj', port }], ...(profile === undefined ? {} : { profile }) },
      release: { id: 'v1', image: reference }, k8s: { replicas: 1, readinessGates: ['tars.io/active'] },
    })
    await cluster.client.create(tservers, object)
    const pod = await ready(server, reference)
    expect(pod.spec.initContainers).toBeUndefined()
    const endpoint = await control.machine.until(`${server} is in its TEndpoint`, async () => {
      const found = await cluster.client.get(resources.tendpoints as Resource<TEndpoint>, { namespace: cluster.namespace, name: object.metadata.name })
      return found.status?.pods.some(({ presentState }) => presentState === 'Active') && found
    })
    expect(endpoint.status?.pods).toMatchObject([{ name: pod.metadata.name, id: 'v1', podIP: pod.status?.podIP }])
  })

  it('runs below tarsnode, which is PID 1', async () => {
    const id = (await podOf(server))?.status?.containerStatuses?.[0]?.containerID?.replace('containerd://', '') ?? ''
    const pid = (await control.machine.run('cat', [`/run/containerd/state/io.containerd.runtime.v2.task/k8s.io/${id}/init.pid`])).trim()
    expect((await control.machine.run('cat', [`/proc/${pid}/cmdline`])).split('\0')[0]).toMatch(/^\/tarsnode\//)
    expect(await control.machine.run('cat', [`/proc/${pid}/status`])).toMatch(/^NSpid:\t\d+\t1$/m)
  })
})

it.each(all)('$server answers from outside', async (service) => {
  expect((await ask(service, 'greet', '"you"')).greeting).toMatchObject({ text: 'Hello, you!', server: `Demo.${service.server}` })
})

it.each(all)('$server calls the others through the registry and their names', async (service) => {
  for (const other of all.filter((one) => one !== service)) {
    expect(await ask(service, 'relay', `Demo.${other.server}.HelloObj`, '"you"')).toMatchObject({ return: 0, greeting: { server: `Demo.${other.server}` } })
  }
})

describe('a new release', { timeout: 200_000 }, () => {
  const service = all[1] as Service
  const { server } = service
  const release = (id: string, reference: string): Promise<TServer> =>
    cluster.client.patch(tservers, { namespace: cluster.namespace, name: `demo-${server.toLowerCase()}` }, { spec: { release: { id, image: reference } } })

  it('is rolled out, and back', async () => {
    const before = (await podOf(server)) as Pod
    const second = await bake(service, 'v2')
    await release('v2', second)
    const after = await ready(server, second)
    expect(after.metadata.uid).not.toBe(before.metadata.uid)
    expect(after.metadata.labels).toMatchObject({ 'tars.io/ServerID': 'v2' })
    // From a pod that knew the one before.
    await called(all[0] as Service)
    const first = before.spec.containers[0]?.image ?? ''
    await release('v1', first)
    expect((await ready(server, first)).metadata.labels).toMatchObject({ 'tars.io/ServerID': 'v1' })
    await called(all[0] as Service)
  })

  /** Asks until the caller's view of the endpoints has followed. */
  const called = (caller: Service): Promise<Answer> =>
    control.machine.until(`${server} answers ${caller.server}`, async () => {
      const answer = await ask(caller, 'relay', `Demo.${server}.HelloObj`, '"you"')
      return answer.return === 0 && answer.greeting.server === `Demo.${server}` && answer
    }, 100_000)
})
