// A real API server with our kinds; with the product's controller as a process of its own, or bare: the yardstick.
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { customResourceDefinitions } from '#api/crds.ts'
import { resources } from '#api/resources.ts'
import { frameworkObjects } from '#api/seed.ts'
import { createKubeClient, type KubeClient } from '#kube/client.ts'
import { namespaces } from '#kube/resources.ts'
import type { AnyObject, Resource } from '#kube/types.ts'
import { ControlPlane } from '../../rig/kubernetes/control-plane.ts'
import type { Program } from '../../rig/kubernetes/machine.ts'
import { eventually, installDefinition } from '../../rig/kube.ts'

const root = join(import.meta.dirname, '../../..')
const home = 'tars-system'
export const namespace = 'bench'
const health = 8081
/** Path of the controller's, within the machine. */
export const kubeconfig = '/run/kubernetes/tarscontroller'

export interface Ground {
  readonly plane: ControlPlane
  /** Of the bench itself: an administrator. */
  readonly client: KubeClient
  stop(): Promise<void>
}

/** An API server that knows our kinds, with nothing that it would have to ask: no webhooks, no conversion. */
export async function bareGround(): Promise<Ground> {
  return groundOf(({ spec, ...definition }) => ({ ...definition, spec: { ...spec, conversion: { strategy: 'None' } } }))
}

/** An API server as the charts leave it, before the controller starts. */
export async function tarsGround(): Promise<Ground> {
  return groundOf((definition) => definition)
}

async function groundOf(install: (definition: AnyObject) => AnyObject): Promise<Ground> {
  const plane = await ControlPlane.start({ audit: true })
  const client = createKubeClient(plane.config)
  try {
    for (const name of [home, namespace]) await client.create(namespaces, { metadata: { name } })
    for (const definition of customResourceDefinitions()) await installDefinition(client, install(definition as unknown as AnyObject))
    for (const resource of Object.values(resources)) await eventually(() => client.list(resource as never).catch(() => undefined), `${resource.plural} are served`)
    for (const object of frameworkObjects({ namespace, registry: 'registry.bench/tars', release: { id: 'v1', image: 'registry.bench/tars/tarsk8s:v1' }, time: '2024-01-01T00:00:00Z', roles: [] })) {
      await client.create(resourceOf(object.kind), object)
    }
  } catch (error) {
    await plane.stop()
    throw error
  }
  return {
    plane, client,
    async stop() {
      client.close()
      await plane.stop()
    },
  }
}

function resourceOf(kind: string): Resource {
  const found = Object.values(resources).find((resource) => resource.kind === kind)
  if (found === undefined) throw new Error(`no resource of kind ${kind}`)
  return found as unknown as Resource
}

/** A role of the product, run from the repository as a process of its own on the cluster's machine. */
export interface RoleProcess {
  readonly program: Program
  readonly pid: number
  stop(): Promise<void>
}

/** Starts `tarsk8s <role>` with what bootstrap.mjs gives it. */
export async function startRole({ plane: { machine } }: Ground, role: string, env: Readonly<Record<string, string>>): Promise<RoleProcess> {
  const program = machine.start(role, process.execPath, [...profiling, '--disable-warning=ExperimentalWarning', join(root, 'framework/main.ts'), role], {
    NODE_COMPILE_CACHE: join(root, 'node_modules/.tarsk8s-compiled'), KUBECONFIG: kubeconfig, ...env,
  })
  return { program, pid: await program.pid(), stop: () => program.kill('SIGTERM') }
}

/** `BENCH_PROFILE=DIR` has each role write a CPU profile there when it ends. */
const folder = process.env['BENCH_PROFILE']
const profiling = folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${folder}`]

/** Starts the controller and waits until the API server's calls would be answered. */
export async function startController(ground: Ground, env: Readonly<Record<string, string>> = {}): Promise<RoleProcess> {
  const { machine } = ground.plane
  await machine.write(kubeconfig, ground.plane.kubeconfig('tarscontroller'))
  const controller = await startRole(ground, 'controller', {
    TARSCONTROLLER_NAMESPACE: home, TARSCONTROLLER_HEALTH_PORT: String(health),
    TARSCONTROLLER_WEBHOOK_LISTEN: '127.0.0.1', TARSCONTROLLER_WEBHOOK_PORT: '9443', TARSCONTROLLER_WEBHOOK_URL: 'https://127.0.0.1:9443', TARSCONTROLLER_WEBHOOK_DRAIN: '0', ...env,
  })
  await machine.until('the controller is ready', async () => (await fetch(`http://${machine.address}:${health}/readyz`)).ok)
  return controller
}

/** A write as the API server's audit log tells it (audit.k8s.io/v1 Event). */
export interface Write {
  readonly verb: string
  readonly objectRef: { readonly resource: string; readonly subresource?: string; readonly namespace?: string; readonly name?: string }
  readonly responseStatus: { readonly code: number }
}

/** What the controller has written so far is left out of what {@link writesSince} tells. */
export function auditMark({ plane }: Ground): number {
  return statSync(plane.auditLog, { throwIfNoEntry: false })?.size ?? 0
}

/** The controller's writes since a mark. */
export function writesSince({ plane }: Ground, mark: number): Write[] {
  const text = readFileSync(plane.auditLog).subarray(mark).toString('utf8')
  return text.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Write).filter(isStored)
}

/** A leader renews its Lease. */
export const isRenewal = ({ objectRef: { resource } }: Write): boolean => resource === 'leases'

/** Reviews are created, but nothing is stored. */
const isStored = ({ objectRef: { resource } }: Write): boolean => resource !== 'selfsubjectreviews'

/** E.g. `patch tservers/status 12, create events 1` */
export function summary(writes: readonly Write[]): string {
  const counts = new Map<string, number>()
  for (const { verb, objectRef: { resource, subresource } } of writes) {
    const what = `${verb} ${resource}${subresource === undefined ? '' : `/${subresource}`}`
    counts.set(what, (counts.get(what) ?? 0) + 1)
  }
  return counts.size === 0 ? 'none' : [...counts].map(([what, count]) => `${what} ${count}`).join(', ')
}
