import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { customResourceDefinitions as definitions } from '#api/crds.ts'
import { nodeLabel } from '#api/names.ts'
import { resources } from '#api/resources.ts'
import { createKubeClient, type KubeClient } from '#kube/client.ts'
import { clusterRoleBindings, clusterRoles, customResourceDefinitions, leases, mutatingWebhookConfigurations, namespaces, nodes, roleBindings, roles, serviceAccounts, validatingWebhookConfigurations } from '#kube/resources.ts'
import type { AnyObject, Draft, Resource } from '#kube/types.ts'
import { access } from '../../../framework/controller/access.ts'
import { leaseName } from '../../../framework/controller/env.ts'
import { configurationNames } from '../../../framework/controller/webhook/configurations.ts'
import { ControlPlane } from '../../rig/kubernetes/control-plane.ts'
import { Observer } from './observer.ts'
import { startPodKeeper, type PodKeeper } from './pod-keeper.ts'
import { Replica } from './replica.ts'
import { snapshotOf, type Snapshot } from './snapshot.ts'
import { hub, Space, tars } from './space.ts'
import { faultsOf, NODES } from './truth.ts'
import { webhookService, type WebhookService } from './webhook-service.ts'

const REPLICAS = 2
const SPACES = ['blue', 'green', 'red'] as const
const home = 'tars-system'
const account = 'tars-controller'

/** A Kubernetes control plane, replicas of the controller as it is installed, and namespaces that are changed. */
export class ControlPlaneField {
  readonly plane: ControlPlane
  readonly service: WebhookService
  readonly replicas: readonly Replica[]
  readonly spaces: readonly Space[]
  readonly observer: Observer
  /** Of the operator, who is nobody that webhooks know. */
  readonly #operator: KubeClient
  readonly #keeper: PodKeeper
  readonly #folder: string

  private constructor(parts: { plane: ControlPlane; service: WebhookService; replicas: readonly Replica[]; folder: string }) {
    this.plane = parts.plane
    this.service = parts.service
    this.replicas = parts.replicas
    this.#folder = parts.folder
    this.#operator = createKubeClient(parts.plane.config)
    this.spaces = SPACES.map((name) => new Space(this.#operator, name))
    this.observer = new Observer(parts.plane.client)
    this.#keeper = startPodKeeper(parts.plane.client)
  }

  /** With empty namespaces, the webhooks registered, and one replica leading. */
  static async start(signal: AbortSignal): Promise<ControlPlaneField> {
    const folder = mkdtempSync(join(tmpdir(), 'tarsk8s-chaos-'))
    const plane = await ControlPlane.start({ controllers: 'workloads' })
    const replicas: Replica[] = []
    try {
      await install(plane)
      const token = await tokenOf(plane.client)
      const service = await webhookService(plane.machine.hostAddress, () => replicas.filter(({ isUp }) => isUp).map(({ webhooks }) => webhooks))
      const { host } = new URL(plane.config.server)
      for (let number = 0; number < REPLICAS; number++) {
        replicas.push(await Replica.create(number, { machine: plane.machine, folder, home, webhookUrl: service.url, apiServer: { address: host, name: 'localhost', ca: plane.authority.cert }, token }))
      }
      const field = new ControlPlaneField({ plane, service, replicas, folder })
      await field.observer.start()
      for (const replica of replicas) replica.bringUp()
      await plane.machine.until('the webhooks are called', () => areCalled(plane.client))
      await Promise.all(field.spaces.map((space) => space.found(signal)))
      return field
    } catch (error) {
      for (const replica of replicas) await replica.stop()
      await plane.stop()
      throw error
    }
  }

  /** What is wrong now. */
  async faults(): Promise<readonly string[]> {
    const [snapshot, holder] = await Promise.all([this.snapshot(), this.#holder()])
    const leaders = this.replicas.filter(({ leads }) => leads)
    return [
      ...this.spaces.flatMap((space) => faultsOf(space, snapshot, this.observer)),
      ...(leaders.length === 1 && leaders[0]?.lines.findLast((line) => line.includes('became leader'))?.includes(holder) === true ? [] : [`the lease is held by ${holder || 'nobody'}, and ${leaders.map(({ name }) => name).join(' and ') || 'nobody'} leads`]),
    ]
  }

  /** What was wrong at some time, whatever is now. */
  pastFaults(): readonly string[] {
    return [...this.observer.faults, ...this.replicas.flatMap(({ faults }) => faults), ...overlaps(this.replicas)]
  }

  snapshot(): Promise<Snapshot> {
    return snapshotOf(this.plane.client)
  }

  /** Writes what the replicas said, and what is there, to files. @returns their folder */
  async keepLogs(): Promise<string> {
    const folder = mkdtempSync(join(tmpdir(), 'tarsk8s-chaos-logs-'))
    for (const { name, lines } of this.replicas) writeFileSync(join(folder, `${name}.log`), `${lines.join('\n')}\n`)
    writeFileSync(join(folder, 'machine.log'), this.plane.machine.words())
    writeFileSync(join(folder, 'objects.json'), JSON.stringify(await this.snapshot(), undefined, 1))
    return folder
  }

  async stop(): Promise<void> {
    for (const replica of this.replicas) await replica.stop()
    await this.#keeper.stop()
    await this.observer.stop()
    this.#operator.close()
    await this.service.stop()
    await this.plane.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  async #holder(): Promise<string> {
    const { items: [lease] } = await this.plane.client.list(leases, { namespace: home, fieldSelector: `metadata.name=${leaseName}` })
    return (lease?.['spec'].holderIdentity as string | undefined) ?? ''
  }
}

/** Two that led at one time. One whose process was stopped could not know that its lease had run out. */
function overlaps(replicas: readonly Replica[]): string[] {
  const terms = replicas.flatMap(({ name, terms: own }) => own.map((term) => ({ ...term, name })))
  return terms.flatMap((one, index) => terms.slice(index + 1).flatMap((other) => {
    const sharedMs = Math.min(one.until, other.until) - Math.max(one.from, other.from)
    return sharedMs <= 0 || one.slept || other.slept ? [] : [`${one.name} and ${other.name} led at one time, for ${Math.round(sharedMs)} ms`]
  }))
}

/** What the chart of the controller makes, without its pods. */
async function install({ client, machine }: ControlPlane): Promise<void> {
  for (const definition of definitions()) await client.create(customResourceDefinitions, definition as unknown as AnyObject)
  for (const resource of Object.values(resources)) await machine.until(`${resource.plural} are served`, () => client.list(resource as Resource))
  await client.create(namespaces, { metadata: { name: home } })
  await client.create(serviceAccounts, { metadata: { namespace: home, name: account } })
  const subjects = [{ kind: 'ServiceAccount', namespace: home, name: account }]
  const grants: readonly (readonly [Resource, Resource, string | undefined, readonly unknown[] | undefined])[] = [[roles, roleBindings, home, access.namespaced], [clusterRoles, clusterRoleBindings, undefined, access.cluster]]
  for (const [role, binding, namespace, rules] of grants) {
    const metadata = { name: account, ...(namespace === undefined ? {} : { namespace }) }
    await client.create(role, { metadata, rules } as Draft)
    await client.create(binding, { metadata, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: role.kind, name: account }, subjects } as Draft)
  }
  // Empty; the controllers fill them.
  await client.create(mutatingWebhookConfigurations, { metadata: { name: configurationNames.mutating } })
  await client.create(validatingWebhookConfigurations, { metadata: { name: configurationNames.validating } })
  for (const name of NODES) {
    await client.create(nodes, { metadata: { name, labels: Object.fromEntries(SPACES.map((space) => [nodeLabel(space), ''])) } } as Draft)
    await client.patch(nodes, { name }, { status: { conditions: [{ type: 'Ready', status: 'True' }] } }, { subresource: 'status' })
    // Admission holds a new node for not ready.
    await client.patch(nodes, { name }, { spec: { taints: null } })
  }
}

/** The API server learns of webhooks a moment after they are registered. */
async function areCalled(client: KubeClient): Promise<boolean> {
  const { metadata } = await client.create(tars('tconfigs'), hub('TConfig', 'default', 'probe', { app: 'Demo', configName: 'probe', configContent: '', activated: false }), { dryRun: true })
  return metadata.labels !== undefined
}

async function tokenOf(client: KubeClient): Promise<string> {
  const answer = await client.raw('POST', `/api/v1/namespaces/${home}/serviceaccounts/${account}/token`, { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 86_400 } })
  return (answer as { status: { token: string } }).status.token
}
