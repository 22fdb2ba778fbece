import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { customResourceDefinitions } from '#api/crds.ts'
import { resources } from '#api/resources.ts'
import { silentLogger } from '#base/log.ts'
import { createKubeClient, type KubeClient } from '#kube/client.ts'
import { customResourceDefinitions as crds, pods } from '#kube/resources.ts'
import type { AnyObject, Resource } from '#kube/types.ts'
import { Communicator } from '#tars/client.ts'
import { QueryF, type QueryFProxy } from '#tars/protocol/QueryF.ts'
import { startApiServer, type ApiServer } from '../../framework/local/apiserver/server.ts'
import { startRegistry, type RunningRegistry } from '../../framework/registry/registry.ts'
import { descriptor, scratch } from '../node/rig.ts'
import { createEndpoint, createPod, createTemplate, namespace, until } from '../registry/cluster.ts'
import { ownAddress } from '../rig/own-address.ts'

const app = 'Test'
const server = 'EchoServer'

/** What is known of a pod: by operators and by clients. */
export interface View {
  /** Reason of the pod's condition tars.io/active: setting state, present state and pid. */
  readonly condition: string | undefined
  /** Whether QueryObj gives it to callers. */
  readonly called: boolean
}

/** tarsregistry and the API server below it; each can go away and come back with its address kept. */
export class SharedRegistry {
  readonly address = ownAddress()
  readonly #token = randomUUID()
  readonly #dataFile = join(scratch('api'), 'api.sqlite')
  readonly #communicator = new Communicator({ timeoutMs: 2_000 })
  #api: ApiServer | undefined
  #client: KubeClient | undefined
  #registry: RunningRegistry | undefined
  /** Free ones at first, kept from then on. */
  #apiPort = 0
  #ports: RunningRegistry['ports'] = { query: 0, registry: 0 }

  get ports(): RunningRegistry['ports'] {
    return this.#ports
  }

  async start(): Promise<void> {
    await this.startApi()
    const client = this.#known()
    for (const crd of customResourceDefinitions()) await client.create(crds, crd as unknown as AnyObject)
    for (const resource of Object.values(resources)) await until(() => client.list(resource as Resource, { namespace }).catch(() => undefined))
    // A short heartbeat time-out: a stopped service shall be found dead within the run.
    await createTemplate(client, 'tars.default', 'tars.default', descriptor(['hearttimeout=3']).profile)
    await createEndpoint(client, app, server, [{ name: 'EchoObj', port: 10_000, isTcp: true, isTars: true, timeout: 60_000 }])
    await this.startRegistry()
  }

  async stop(): Promise<void> {
    await this.#communicator.close()
    await this.stopRegistry()
    await this.stopApi()
  }

  async startRegistry(): Promise<void> {
    this.#registry = await startRegistry({ client: this.#known(), namespace, address: this.address, ports: this.#ports, log: silentLogger, signal: new AbortController().signal })
    this.#ports = this.#registry.ports
  }

  async stopRegistry(): Promise<void> {
    await this.#registry?.stop()
    this.#registry = undefined
  }

  async startApi(): Promise<void> {
    this.#api = await startApiServer({ dataFile: this.#dataFile, host: this.address, port: this.#apiPort, token: this.#token, namespaces: [namespace], log: silentLogger })
    this.#apiPort = Number(new URL(this.#api.url).port)
    this.#client ??= createKubeClient(this.#api.config)
  }

  async stopApi(): Promise<void> {
    await this.#api?.stop()
    this.#api = undefined
  }

  async addPod(name: string, ip: string): Promise<void> {
    await createPod(this.#known(), { app, server, name, ip })
  }

  async view(pod: string): Promise<View> {
    const { status } = (await this.#known().get(pods, { namespace, name: pod })) as { status?: { conditions?: { type: string; reason?: string }[] } }
    const query = this.#communicator.proxy<QueryFProxy>(QueryF, `tars.tarsregistry.QueryObj@tcp -h ${this.address} -p ${this.#ports.query}`)
    const called = await query.findObjectById(`${app}.${server}.EchoObj`)
    return {
      condition: status?.conditions?.find(({ type }) => type === 'tars.io/active')?.reason,
      called: called.some(({ host }) => host.split('.')[0] === pod),
    }
  }

  #known(): KubeClient {
    if (this.#client === undefined) throw new Error('the API server was never started')
    return this.#client
  }
}
