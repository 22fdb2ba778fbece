// A real Kubernetes with a node and, beside it in this process, what makes it one of Tars: controller, webhooks, tarsregistry and an image registry.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { expect } from 'vitest'
import { completeServer, type Sparse } from '#api/default.ts'
import { nodeLabel, serverSelector } from '#api/names.ts'
import { resources } from '#api/resources.ts'
import type { TServer, TServerSpec } from '#api/types.ts'
import { silentLogger } from '#base/log.ts'
import { endpointSlices, nodes, pods, services } from '#kube/resources.ts'
import type { Resource } from '#kube/types.ts'
import { chooseBaseImage } from '../../../base-images/catalog.ts'
import { run as call } from '../../../framework/cli/call.ts'
import type { Controller } from '../../../framework/controller/controller.ts'
import { writeBase } from '../../../framework/local/base-image.ts'
import { startOciRegistry, type OciRegistry } from '../../../framework/local/oci/server.ts'
import type { Pod } from '../../../framework/local/pods/kinds.ts'
import { helloIdl } from '../../../framework/local/samples/pack.ts'
import { supervisorLayer } from '../../../framework/local/supervisor-layer.ts'
import { startRegistry, type RunningRegistry } from '../../../framework/registry/registry.ts'
import { run as image } from '../../../imagebuilder/cli.ts'
import { parseLocation } from '../../../imagebuilder/oci/location.ts'
import { controllerOf, installTars, seedFramework, type TestCluster } from '../../controller/cluster.ts'
import { clusterOf } from '../kube.ts'
import { cacheDir } from '../tools.ts'
import { ControlPlane, nodeName } from './control-plane.ts'
import { startNode, type WorkerNode } from './node.ts'

export const imageCache = join(cacheDir, 'local')
const tservers = resources.tservers as Resource<TServer>

/** A service, and how its image is made. */
export interface Service {
  readonly server: string
  readonly type: string
  readonly base: string
  readonly template: string
  readonly port: number
  readonly profile?: string
  readonly file: () => Promise<string>
}

/** What HelloObj answers. */
export interface Answer {
  readonly return: number
  readonly greeting: { readonly text: string; readonly server: string; readonly pid: number }
}

const idOf = (server: string): string => `demo-${server.toLowerCase()}`
export const isReady = (pod: Pod | undefined): boolean => pod?.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true

export class TarsCluster {
  readonly control: ControlPlane
  readonly cluster: TestCluster
  readonly images: OciRegistry
  /** A folder that goes with the cluster. */
  readonly scratch: string
  readonly #ends: (() => Promise<unknown>)[]

  private constructor(control: ControlPlane, cluster: TestCluster, images: OciRegistry, scratch: string, ends: (() => Promise<unknown>)[]) {
    Object.assign(this, { control, cluster, images, scratch })
    this.control = control
    this.cluster = cluster
    this.images = images
    this.scratch = scratch
    this.#ends = ends
  }

  static async start(): Promise<TarsCluster> {
    const scratch = await mkdtemp(join(tmpdir(), 'tarsk8s-kubelet-'))
    const ends: (() => Promise<unknown>)[] = [() => rm(scratch, { recursive: true, force: true })]
    try {
      const control = await ControlPlane.start({ controllers: 'all', scheduler: true })
      ends.push(() => control.stop())
      const { hostAddress } = control.machine
      const images = await startOciRegistry({ dir: join(scratch, 'registry'), host: hostAddress })
      ends.push(() => images.stop())
      const [node, cluster] = await Promise.all([startNode(control, images.address), installTars(clusterOf(control))])
      // The cluster ends first, its node is cleaned then.
      ends.push(() => node.clean(), () => cluster.stop())
      const { client, namespace } = cluster
      await seedFramework(cluster, { roles: [] })
      await client.patch(nodes, { name: nodeName }, { metadata: { labels: { [nodeLabel(namespace)]: '' } } })
      const controller: Controller = await controllerOf(cluster)
      ends.push(() => controller.stop())
      const registry: RunningRegistry = await startRegistry({ client, namespace, address: hostAddress, log: silentLogger, signal: new AbortController().signal })
      ends.push(() => registry.stop())
      const started = new TarsCluster(control, cluster, images, scratch, ends)
      await started.#nameRegistry(hostAddress)
      return started
    } catch (error) {
      await endAll(ends)
      throw error
    }
  }

  async stop(): Promise<void> {
    await endAll(this.#ends)
  }

  /** Builds a base image and the service's image on it, and pushes that. @returns its reference */
  async bake({ server, type, base, file }: Service, tag: string): Promise<string> {
    const supervisor = await supervisorLayer(imageCache)
    const layout = `oci:${join(this.scratch, base)}`
    await writeBase(chooseBaseImage(base), parseLocation(layout, this.scratch), { cacheDir: imageCache, nodeBinary: process.execPath })
    const name = `${this.images.address}/demo.${server.toLowerCase()}:${tag}`
    await this.#command(image, ['build', await file(), '--app', 'Demo', '--server', server, '--type', type, '--base', layout, '--to', name, '--supervisor', supervisor.file, '--insecure', this.images.address])
    return name
  }

  /** Makes the TServer of a service. @returns it as it is stored */
  async deploy({ server, template, port, profile }: Service, reference: string, k8s: Sparse<TServerSpec['k8s']> = {}): Promise<TServer> {
    const { client, namespace } = this.cluster
    return client.create(tservers, completeServer({ name: idOf(server), namespace }, {
      app: 'Demo', server, subType: 'tars', tars: { template, servants: [{ name: 'HelloObj', port }], ...(profile === undefined ? {} : { profile }) },
      release: { id: 'v1', image: reference }, k8s: { replicas: 1, readinessGates: ['tars.io/active'], ...k8s },
    }))
  }

  /** Changes a TServer by a merge patch of its spec. */
  async change({ server }: Service, spec: object): Promise<void> {
    await this.cluster.client.patch(tservers, { namespace: this.cluster.namespace, name: idOf(server) }, { spec })
  }

  async pod({ server }: Service, ordinal = 0): Promise<Pod | undefined> {
    return (await this.cluster.client.get(pods, { namespace: this.cluster.namespace, name: `${idOf(server)}-${ordinal}` }).catch(() => undefined)) as unknown as Pod | undefined
  }

  async pods({ server }: Service): Promise<readonly Pod[]> {
    return (await this.cluster.client.list(pods, { namespace: this.cluster.namespace, labelSelector: serverSelector('Demo', server) })).items as unknown as Pod[]
  }

  /** The service's first pod, once it is ready and as it is wanted. */
  async ready(service: Service, wanted: (pod: Pod) => boolean = () => true): Promise<Pod> {
    try {
      return await this.control.machine.until(`${service.server} is ready`, async () => {
        const pod = await this.pod(service)
        return isReady(pod) && pod !== undefined && wanted(pod) && pod
      })
    } catch (error) {
      const log = await this.cluster.client.raw('GET', `/api/v1/namespaces/${this.cluster.namespace}/pods/${idOf(service.server)}-0/log`).catch(String)
      throw new Error(`${service.server} is not ready: ${JSON.stringify((await this.pod(service))?.status)}\n${String(log)}`, { cause: error })
    }
  }

  /** Calls a function of HelloObj in the service's first pod. */
  async ask(service: Service, name: string, ...args: readonly string[]): Promise<Answer> {
    const address = (await this.pod(service))?.status?.podIP ?? ''
    return JSON.parse(await this.#command(call, [`Demo.${service.server}.HelloObj@tcp -h ${address} -p ${service.port}`, name, ...args, '--tars', helloIdl, '--timeout', '60000'])) as Answer
  }

  /** Collects what a command prints; its exit code must be 0. */
  async #command(program: typeof image, args: readonly string[]): Promise<string> {
    const said = { out: '', err: '' }
    const sink = (name: 'out' | 'err'): Writable => new Writable({ write: (part: Buffer, _encoding, done) => ((said[name] += part.toString()), done()) })
    const code = await program(args, { out: sink('out'), err: sink('err'), env: {}, signal: new AbortController().signal, cwd: this.scratch })
    expect({ code, err: code === 0 ? '' : said.err }).toEqual({ code: 0, err: '' })
    return said.out
  }

  /** The name by which tarsnode finds the registry, for one that runs in no pod. */
  async #nameRegistry(address: string): Promise<void> {
    const { client, namespace } = this.cluster
    const name = 'tars-tarsregistry'
    const ports = [{ name: 'queryobj', port: 17890 }, { name: 'registryobj', port: 17891 }]
    await client.create(services, { metadata: { name, namespace }, spec: { clusterIP: 'None', ports } } as never)
    await client.create(endpointSlices, { metadata: { name, namespace, labels: { 'kubernetes.io/service-name': name } }, addressType: 'IPv4', endpoints: [{ addresses: [address], conditions: { ready: true } }], ports } as never)
  }
}

/** Last begun, first ended; each is given its chance. */
async function endAll(ends: readonly (() => Promise<unknown>)[]): Promise<void> {
  const failures: unknown[] = []
  for (const end of ends.toReversed()) await end().catch((error: unknown) => failures.push(error))
  if (failures.length > 0) throw failures[0]
}

export type { WorkerNode }
