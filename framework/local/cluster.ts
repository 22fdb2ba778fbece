// The whole of a cluster in one process: API server, OCI registry, controller, workload controllers, pod runner, and the
// framework's services as pods of it.
import { randomBytes } from 'node:crypto'
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Failure } from '#base/errors.ts'
import { Lifetime, type Role, type RoleContext, type Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import { customResourceDefinitions } from '#api/crds.ts'
import { activeCondition } from '#api/names.ts'
import { frameworkRoles, frameworkServerName, type FrameworkRole } from '#api/seed/servers.ts'
import { frameworkObjects } from '#api/seed.ts'
import { resources } from '#api/resources.ts'
import { createKubeClient, type KubeClient } from '#kube/client.ts'
import { isNotFound } from '#kube/errors.ts'
import { customResourceDefinitions as crds, pods } from '#kube/resources.ts'
import type { AnyObject, Resource } from '#kube/types.ts'
import { start as controller } from '../controller/role.ts'
import { start as imageRole } from '../../imagebuilder/role.ts'
import { start as adminRole } from '../admin/role.ts'
import { start as adminRegistryRole } from '../admin/adminreg/role.ts'
import { start as configRole } from '../config/role.ts'
import { start as keventRole } from '../kevent/role.ts'
import { start as logRole } from '../log/role.ts'
import { start as notifyRole } from '../notify/role.ts'
import { start as propertyRole } from '../property/role.ts'
import { start as queryPropertyRole } from '../query/queryproperty.ts'
import { start as queryStatRole } from '../query/querystat.ts'
import { start as registryRole } from '../registry/role.ts'
import { start as statRole } from '../stat/role.ts'
import { admissionHooks, convertHook } from './admission.ts'
import { startApiServer } from './apiserver/server.ts'
import type { BaseChoice } from '../../base-images/catalog.ts'
import { publishBase } from './base-image.ts'
import { apiServerPort, openDataDir, type DataPaths } from './data-dir.ts'
import { startOciRegistry } from './oci/server.ts'
import { startPodRunner, type PodRunner } from './pods/runner.ts'
import type { Steps } from './steps.ts'
import { supervisorLayer } from './supervisor-layer.ts'
import { startWorkloads } from './workloads/workloads.ts'

/** The namespace of the framework and of the services that commands deploy. */
export const namespace = 'tars'
/** Whom the webhooks know as the controller (control-plane spec B.9). */
const controllerUser = 'system:serviceaccount:tars-system:tars-controller'
const nodeName = 'local'
const registryPort = 5000

/** How commands find a running cluster; the content of `cluster.json`. */
export interface ClusterInfo {
  readonly kubeconfig: string
  readonly namespace: string
  readonly adminUrl: string
  readonly imageUrl: string
  /** QueryObj. */
  readonly locator: string
  /** Names of pods and services, hosts(5). */
  readonly hostsFile: string
  /** `host:port` of the OCI registry. */
  readonly registry: string
  readonly cacheDir: string
}

export interface ClusterOptions {
  readonly dataDir: string
  /** Base images, supervisor and sample packages; default: in the data directory. */
  readonly cacheDir?: string
  /** Base images to have from the start. */
  readonly bases: readonly BaseChoice[]
  readonly log: Logger
  readonly steps: Steps
  readonly signal: AbortSignal
}

export interface Cluster extends Running {
  readonly info: ClusterInfo
  readonly client: KubeClient
  readonly paths: DataPaths
  readonly cacheDir: string
}

/**
 * Starts the cluster of a data directory, or resumes it: what ran before runs again.
 * @throws Failures that name what is missing on this machine
 */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { log, steps } = options
  const lifetime = new Lifetime()
  try {
    const data = lifetime.own(await openDataDir(options.dataDir))
    const { paths } = data
    const cacheDir = options.cacheDir ?? paths.cache
    for (const folder of [cacheDir, paths.services]) await mkdir(folder, { recursive: true })
    const supervisor = await steps.run('supervisor layer', () => supervisorLayer(cacheDir, options.signal))

    const host = `${data.subnet}.1`
    const late: { client?: KubeClient; runner?: PodRunner } = {}
    const control = await steps.run('API server and controller', async () => {
      const api = lifetime.own(await startApiServer({
        dataFile: paths.apiServer, host, port: apiServerPort, token: await keptToken(join(paths.root, 'token')), namespaces: [namespace], log: log.child({ part: 'api-server' }),
        admission: admissionHooks(() => late.client),
        convert: convertHook,
        podLogs: (request) => (late.runner ?? notYet('pod runner')).podLogs(request),
      }))
      await writePrivate(paths.kubeconfig, api.kubeconfig(namespace))
      const controllerConfig = `${paths.kubeconfig}.controller`
      await writePrivate(controllerConfig, api.kubeconfig(namespace, controllerUser))
      const client = createKubeClient(api.config)
      late.client = client
      await installDefinitions(client, options.signal)
      lifetime.own(await controller({ env: { KUBECONFIG: controllerConfig, TARSCONTROLLER_RUN: 'reconcilers', TARSCONTROLLER_ELECT: 'false' }, log: log.child({ role: 'controller' }), signal: options.signal }))
      return client
    })
    const registry = await steps.run('OCI registry', async () => lifetime.own(await startOciRegistry({ dir: paths.registry, host, port: registryPort, log: log.child({ part: 'oci-registry' }) })))

    const inProcess = frameworkProcesses({ supervisorFile: supervisor.file, registry: registry.address, paths })
    const runner = await steps.run('framework services', async () => {
      lifetime.own(await startWorkloads({ client: control, nodeName, namespaces: [namespace], address: host, log: log.child({ part: 'workloads' }) }))
      await seed(control, registry.address)
      const started = lifetime.own(await startPodRunner({ client: control, dataDir: paths.pods, subnet: data.subnet, nodeName, kubeconfig: paths.kubeconfig, inProcess, log: log.child({ part: 'pods' }) }))
      late.runner = started
      return started
    })
    const addresses = await steps.run('framework ready', () => frameworkAddresses(control, options.signal))
    for (const base of options.bases) {
      await steps.run(`base image for ${base.name}`, () => publishBase(control, namespace, base, { cacheDir, registry: registry.address, nodeBinary: process.execPath, signal: options.signal }))
    }
    const info: ClusterInfo = {
      kubeconfig: paths.kubeconfig, namespace, registry: registry.address, hostsFile: runner.hostsFile, cacheDir,
      adminUrl: `http://${addresses.admin}:8080`, imageUrl: `http://${addresses.image}:${imagePort}`,
      locator: `tars.tarsregistry.QueryObj@tcp -h ${addresses.registry} -p 17890`,
    }
    await writePrivate(paths.clusterFile, `${JSON.stringify(info, null, 2)}\n`)
    return { info, client: control, paths, cacheDir, stop: () => lifetime.stop(), done: lifetime.done }
  } catch (error) {
    await lifetime.stop().catch((stopError: unknown) => log.error('stopping after a failed start', { error: stopError }))
    throw error
  }
}

/** The API server's bearer token of this data directory, made at the first start. */
async function keptToken(file: string): Promise<string> {
  const kept = await readFile(file, 'utf8').catch(() => undefined)
  if (kept !== undefined) return kept.trim()
  const token = randomBytes(24).toString('base64url')
  await writePrivate(file, `${token}\n`)
  return token
}

async function writePrivate(file: string, text: string): Promise<void> {
  await writeFile(`${file}.tmp`, text, { mode: 0o600 })
  await chmod(`${file}.tmp`, 0o600)
  await rename(`${file}.tmp`, file)
}

function notYet(what: string): never {
  throw new Failure('LOCAL_STARTING', `the ${what} is not up yet`, { temporary: true, remedy: 'try again in a moment' })
}

/** Ports of one pod address; above 1024, so that no root is needed. */
const imagePort = 8090

/** The framework's roles as the pod runner starts them: what a pod's manifest cannot know on one machine is added here. */
function frameworkProcesses({ supervisorFile, registry, paths }: { readonly supervisorFile: string; readonly registry: string; readonly paths: DataPaths }): Record<string, Role> {
  const withEnv = (role: Role, env: Readonly<Record<string, string>>): Role => (context: RoleContext) => role({ ...context, env: { ...context.env, ...env } })
  return {
    registry: withEnv(registryRole, { TARSREGISTRY_DATA: join(paths.services, 'registry') }),
    config: withEnv(configRole, { TARSCONFIG_DATA: join(paths.services, 'config') }),
    notify: withEnv(notifyRole, { TARSSTORE_DATA: join(paths.services, 'notify') }),
    stat: withEnv(statRole, { TARSSTORE_DATA: join(paths.services, 'stat') }),
    property: withEnv(propertyRole, { TARSSTORE_DATA: join(paths.services, 'property') }),
    querystat: queryStatRole,
    queryproperty: queryPropertyRole,
    kevent: withEnv(keventRole, { TARSSTORE_DATA: join(paths.services, 'kevent') }),
    log: withEnv(logRole, { TARSLOG_PATH: join(paths.services, 'log') }),
    image: withEnv(imageRole, { TARSIMAGE_WORKSPACE: join(paths.services, 'image'), TARSIMAGE_SUPERVISOR: supervisorFile, TARSIMAGE_INSECURE_REGISTRIES: registry, TARSIMAGE_PORT: String(imagePort) }),
    admin: adminRole,
    adminregistry: adminRegistryRole,
  }
}

/** Installs the custom resource definitions and waits until they are served. */
async function installDefinitions(client: KubeClient, signal: AbortSignal): Promise<void> {
  for (const definition of customResourceDefinitions()) {
    const { metadata } = definition as unknown as AnyObject
    await client.patch(crds, { name: metadata.name }, definition, { type: 'apply', fieldManager: 'tarsk8s-local', force: true })
  }
  await waitFor(signal, async () => {
    const { items } = await client.list(crds)
    return items.every((item: AnyObject) => (item['status']?.conditions as { type: string; status: string }[] | undefined)?.some(({ type, status }) => type === 'Established' && status === 'True')) || undefined
  })
}

/** Creates the framework's objects that are missing; what an operator changed stays. */
async function seed(client: KubeClient, registry: string): Promise<void> {
  const release = { id: `local-${process.version}`, image: 'tarsk8s:local' }
  for (const object of frameworkObjects({ namespace, registry, release, imagePort, time: new Date().toISOString() })) {
    const resource = Object.values(resources).find(({ kind }) => kind === object.kind) as unknown as Resource
    if (await missing(client, resource, object.metadata.name)) await client.create(resource, object as unknown as AnyObject)
  }
}

async function missing(client: KubeClient, resource: Resource, name: string): Promise<boolean> {
  return client.get(resource, { namespace, name }).then(
    () => false,
    (error: unknown) => (isNotFound(error) ? true : Promise.reject(error as Error)),
  )
}

/** Waits until every framework pod is ready. @returns the pod address of each role */
async function frameworkAddresses(client: KubeClient, signal: AbortSignal): Promise<Record<FrameworkRole, string>> {
  const entries = await waitFor(signal, async () => {
    const found = await Promise.all(frameworkRoles.map(async (role) => [role, await readyAddress(client, `${frameworkServerName(role)}-0`)] as const))
    return found.every(([, address]) => address !== undefined) ? (found as [FrameworkRole, string][]) : undefined
  })
  return Object.fromEntries(entries) as Record<FrameworkRole, string>
}

async function readyAddress(client: KubeClient, name: string): Promise<string | undefined> {
  try {
    const pod = await client.get(pods, { namespace, name })
    const conditions = (pod['status']?.conditions ?? []) as { type: string; status: string }[]
    return conditions.some(({ type, status }) => type === 'Ready' && status === 'True') ? (pod['status'].podIP as string) : undefined
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

/** How often the API is asked while waiting for what has no event of its own here. */
const askEveryMs = 100
const startLimitMs = 60_000

async function waitFor<T>(signal: AbortSignal, probe: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + startLimitMs
  for (;;) {
    signal.throwIfAborted()
    const value = await probe()
    if (value !== undefined) return value
    if (performance.now() > deadline) throw new Failure('LOCAL_NOT_READY', `the framework's services did not become ready in ${startLimitMs / 1000} s`, { remedy: `see their pods with kubectl, condition ${activeCondition} among them, and the log above` })
    await new Promise((resolve) => setTimeout(resolve, askEveryMs))
  }
}
