// A Kubernetes of one node, with what an operator has beside it: a registry, Helm, kubectl and the commands of this project.
import { expect } from 'vitest'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { frameworkRoles, frameworkServerName } from '#api/seed/servers.ts'
import { run as images } from '../../framework/images/images-command.ts'
import { startOciRegistry, type OciRegistry } from '../../framework/local/oci/server.ts'
import { helm } from '../charts/rig.ts'
import { ControlPlane, nodeName } from '../rig/kubernetes/control-plane.ts'
import { startNode, type WorkerNode } from '../rig/kubernetes/node.ts'
import { run, type Output } from '../rig/local-cluster.ts'
import { cacheDir, which } from '../rig/tools.ts'

const main = join(import.meta.dirname, '../../framework/main.ts')

/** Where the agent makes local volumes, in the cluster's machine. */
export const volumesFolder = '/run/tars/host-mount'
/** Values of tarscontroller that keep the agent's folders off this machine's disk. */
export const agentFolders = `agent.tlv_in_host=${volumesFolder},agent.app_log_in_host=/run/tars/app_log`

export class Installation {
  /** A folder that goes with it. */
  readonly dir: string
  readonly plane: ControlPlane
  readonly registry: OciRegistry
  readonly kubeconfig: string
  /** Of the framework. */
  readonly namespace = 'prod'
  readonly #node: WorkerNode

  private constructor(dir: string, plane: ControlPlane, registry: OciRegistry, node: WorkerNode) {
    this.dir = dir
    this.plane = plane
    this.registry = registry
    this.#node = node
    this.kubeconfig = join(dir, 'kubeconfig')
  }

  static async start(): Promise<Installation> {
    const dir = await mkdtemp(join(tmpdir(), 'tarsk8s-install-'))
    const plane = await ControlPlane.start({ controllers: 'all', scheduler: true })
    const registry = await startOciRegistry({ dir: join(dir, 'registry'), host: plane.machine.hostAddress })
    const installation = new Installation(dir, plane, registry, await startNode(plane, registry.address))
    await writeFile(installation.kubeconfig, plane.kubeconfig())
    return installation
  }

  async stop(): Promise<void> {
    await this.plane.stop()
    await this.#node.clean()
    await this.registry.stop()
    await rm(this.dir, { recursive: true, force: true })
  }

  /** Pushes images of the framework at a version. */
  async push(version: string): Promise<void> {
    const io = { out: new PassThrough().resume(), err: new PassThrough().resume(), env: {}, signal: new AbortController().signal, cwd: this.dir }
    const code = await images(['push', `${this.registry.address}/tars`, '--version', version, '--only', 'framework,node,nodejs', '--insecure', this.registry.address, '--cache', join(cacheDir, 'local')], io)
    expect(code).toBe(0)
  }

  /** @returns what it printed; it must succeed */
  async kubectl(...args: readonly string[]): Promise<string> {
    const { code, out, err } = await run(which('kubectl') ?? 'kubectl', ['--kubeconfig', this.kubeconfig, ...args])
    expect(code, `kubectl ${args.join(' ')}: ${err}`).toBe(0)
    return out.trim()
  }

  /** Helm on this cluster; it must succeed. */
  async helm(...args: readonly string[]): Promise<string> {
    return ok(helm(this.dir, ...args, '--kubeconfig', this.kubeconfig))
  }

  /** Waits for both parts of the charts: the controller, and the servers of the framework, each at its replica 0. */
  async controllerReady(): Promise<void> {
    await this.kubectl('-n', 'tars-system', 'rollout', 'status', 'deployment/tars-controller-manger', '--timeout=300s')
  }

  async frameworkReady(): Promise<void> {
    for (const role of frameworkRoles) await this.podReady(`${frameworkServerName(role)}-0`)
  }

  async podReady(name: string): Promise<void> {
    for (const state of ['create', 'condition=Ready']) await this.kubectl('-n', this.namespace, 'wait', `--for=${state}`, `pod/${name}`, '--timeout=300s')
  }

  /** The only node may run the framework, and have local volumes. */
  async labelNode(): Promise<void> {
    await this.kubectl('label', 'node', nodeName, `tars.io/node.${this.namespace}=`, 'tars.io/SupportLocalVolume=')
  }

  addressOf(pod: string): Promise<string> {
    return this.kubectl('-n', this.namespace, 'get', 'pod', pod, '-o', 'jsonpath={.status.podIP}')
  }

  /** What the operator types, with the cluster's addresses. */
  async tarsk8s(...args: readonly string[]): Promise<string> {
    const patience = args[0] === 'call' ? ['--timeout', '60000'] : []
    const [image, admin, registry] = await Promise.all(['image', 'admin', 'registry'].map((role) => this.addressOf(`tars-tars${role}-0`)))
    const env = { ...process.env, KUBECONFIG: this.kubeconfig, TARSK8S_NAMESPACE: this.namespace, TARSK8S_HOSTS_FILE: join(this.dir, 'hosts'), TARSK8S_IMAGE_URL: `http://${image}`, TARSK8S_ADMIN_URL: `http://${admin}:8080`, TARSK8S_LOCATOR: `tars.tarsregistry.QueryObj@tcp -h ${registry} -p 17890` }
    return ok(run(process.execPath, ['--disable-warning=ExperimentalWarning', main, ...args, ...patience], { env, cwd: this.dir }))
  }
}

async function ok(outcome: Promise<Output>): Promise<string> {
  const { code, out, err } = await outcome
  expect(code, `${out}\n${err}`).toBe(0)
  return out
}
