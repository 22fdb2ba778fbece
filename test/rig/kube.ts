// Clusters for tests: the embedded API server, or a real one: the rig's, or one that TARSK8S_TEST_KUBECONFIG names.
import { execFile, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createLogger } from '#base/log.ts'
import { createKubeClient } from '#kube/client.ts'
import type { KubeClient, KubeConfig } from '#kube/client.ts'
import { readKubeconfig } from '#kube/config.ts'
import { customResourceDefinitions, namespaces, serviceAccounts } from '#kube/resources.ts'
import type { AnyObject, Resource } from '#kube/types.ts'
import { startApiServer } from '../../framework/local/apiserver/server.ts'
import type { ApiServer, ApiServerOptions } from '../../framework/local/apiserver/server.ts'
import { eventually } from './eventually.ts'
import { ControlPlane } from './kubernetes/control-plane.ts'
import { which } from './tools.ts'

export { eventually }

const run = promisify(execFile)

export interface KubectlResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface KubectlOptions {
  /** Standard input. */
  readonly input?: string
  readonly env?: Readonly<Record<string, string>>
}

export interface TestCluster {
  readonly client: KubeClient
  /** For clients of a test's own. */
  readonly config: KubeConfig
  /** Undefined when the cluster is a real one. */
  readonly server: ApiServer | undefined
  readonly kubeconfigPath: string
  /** The address of this process at which the API server reaches it. */
  readonly host: string
  /** A folder that goes with the cluster. */
  readonly folder: string
  /** Runs kubectl to its end; never throws on a non-zero exit. */
  kubectl(args: readonly string[], options?: KubectlOptions): Promise<KubectlResult>
  /** Starts a kubectl that goes on by itself (`get -w`). */
  kubectlProcess(args: readonly string[]): ChildProcess
  /** Makes a namespace of its own for a test. */
  namespace(): Promise<string>
  /** False for one that was there before; whatever a test makes there, it takes away again. */
  readonly isOwn: boolean
  /** Has the cluster's own controllers know kinds that are new, as far as they are the rig's. */
  knowKinds(): Promise<void>
  stop(): Promise<void>
}

/** An embedded API server on a free loopback port, with a client and kubectl. */
export async function startTestCluster(options: Partial<ApiServerOptions> = {}): Promise<TestCluster> {
  const server = await startApiServer({ dataFile: ':memory:', host: '127.0.0.1', port: 0, token: randomBytes(12).toString('hex'), log: quietLogger(), ...options })
  return attach(server.kubeconfig(), { server, host: '127.0.0.1', stop: () => server.stop() })
}

/** False when the behaviour tests run against a real API server (see vitest.config.ts). */
export const embedded = process.env['TARSK8S_TEST_CLUSTER'] !== 'kubernetes'

/** The cluster that behaviour tests run against: embedded; or a real one, which TARSK8S_TEST_KUBECONFIG names (TARSK8S_TEST_HOST: where it reaches this machine) or the rig starts for each file. */
export async function behaviourCluster(): Promise<TestCluster> {
  if (embedded) return startTestCluster()
  const given = process.env['TARSK8S_TEST_KUBECONFIG'] ?? ''
  if (given !== '') return attach(readFileSync(given, 'utf8'), { host: process.env['TARSK8S_TEST_HOST'] ?? '127.0.0.1' })
  return clusterOf(await ControlPlane.start({ controllers: 'objects' }))
}

/** A control plane of the rig, which ends with it. */
export function clusterOf(controlPlane: ControlPlane): TestCluster {
  return attach(controlPlane.kubeconfig(), { host: controlPlane.machine.hostAddress, stop: () => controlPlane.stop(), knowKinds: () => controlPlane.restartControllers() })
}

function quietLogger() {
  const verbose = process.env['TARSK8S_TEST_VERBOSE'] === '1'
  return createLogger({ format: 'text', write: (line) => void (verbose && process.stderr.write(line)) })
}

interface Backing {
  readonly host: string
  readonly server?: ApiServer
  /** Ends a cluster that is the test's own; without it, the cluster stays and is left clean. */
  readonly stop?: () => Promise<void>
  readonly knowKinds?: () => Promise<void>
}

function attach(kubeconfig: string, { server, host, stop, knowKinds }: Backing): TestCluster {
  const folder = mkdtempSync(join(tmpdir(), 'tarsk8s-kube-'))
  const kubeconfigPath = join(folder, 'kubeconfig')
  writeFileSync(kubeconfigPath, kubeconfig, { mode: 0o600 })
  const config = readKubeconfig(kubeconfigPath)
  const client = createKubeClient(config)
  const kubectlPath = which('kubectl')
  const base = ['--kubeconfig', kubeconfigPath, '--cache-dir', join(folder, 'cache')]
  const made: string[] = []
  return {
    client, config, server, kubeconfigPath, host, folder,
    async kubectl(args, { input, env } = {}) {
      if (kubectlPath === undefined) throw new Error('kubectl is missing; install it')
      const running = run(kubectlPath, [...base, ...args], { env: { ...process.env, ...env }, maxBuffer: 1 << 26 })
      running.child.stdin?.end(input ?? '')
      return running.then(({ stdout, stderr }) => ({ code: 0, stdout, stderr }), (error: { code: number; stdout: string; stderr: string }) => error)
    },
    kubectlProcess: (args) => spawn(kubectlPath ?? 'kubectl', [...base, ...args], { stdio: ['ignore', 'pipe', 'pipe'] }),
    async namespace() {
      const name = `t-${randomBytes(4).toString('hex')}`
      await client.create(namespaces, { metadata: { name } })
      made.push(name)
      // Pods are refused until the controllers have made it.
      if (server === undefined) await eventually(() => client.get(serviceAccounts, { namespace: name, name: 'default' }).catch(() => undefined), `${name} has its account`)
      return name
    },
    isOwn: stop !== undefined,
    knowKinds: async () => knowKinds?.(),
    async stop() {
      // Of pods on nodes that are not there a namespace does not end soon.
      if (stop === undefined) await Promise.all(made.map((name) => client.delete(namespaces, { name }).catch(() => {})))
      if (stop === undefined) await remove(client, customResourceDefinitions, ({ metadata }) => metadata.name.endsWith('.tarsk8s.io'))
      client.close()
      await stop?.()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Deletes objects of a kind and waits until they are gone. */
export async function remove(client: KubeClient, resource: Resource, which: (object: AnyObject) => boolean): Promise<void> {
  const found = async (): Promise<AnyObject[]> => (await client.list(resource)).items.filter(which)
  for (const { metadata } of await found()) await client.delete(resource, metadata).catch(() => {})
  await eventually(async () => (await found()).length === 0, `the ${resource.plural} are gone`)
}

/** A kind of its own for tests, in a group nobody else uses. */
export const widgets: Resource = Object.freeze({ group: 'test.tarsk8s.io', version: 'v1', plural: 'widgets', kind: 'Widget', namespaced: true })

const widgetSpec = {
  type: 'object',
  required: ['size'],
  properties: {
    size: { type: 'integer', minimum: 1, maximum: 10, description: 'How large it is.' },
    color: { type: 'string', enum: ['red', 'green'], default: 'red' },
    name: { type: 'string', pattern: '^[a-z]+$', maxLength: 8 },
    mode: { 'x-kubernetes-int-or-string': true },
    free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
    labels: { type: 'object', additionalProperties: { type: 'string' } },
    ports: {
      type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'],
      items: { type: 'object', required: ['name'], properties: { name: { type: 'string' }, port: { type: 'integer' }, isTcp: { type: 'boolean', default: true } } },
    },
    source: { type: 'object', oneOf: [{ required: ['a'] }, { required: ['b'] }], properties: { a: { type: 'string' }, b: { type: 'string' } } },
  },
}

/** The CustomResourceDefinition of {@link widgets}: schema, defaults, status, scale, columns. */
export function widgetDefinition(overrides: object = {}): AnyObject {
  return {
    apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition',
    metadata: { name: 'widgets.test.tarsk8s.io' },
    spec: {
      group: 'test.tarsk8s.io', scope: 'Namespaced',
      names: { plural: 'widgets', singular: 'widget', kind: 'Widget', shortNames: ['wd'] },
      versions: [{
        name: 'v1', served: true, storage: true,
        schema: {
          openAPIV3Schema: {
            type: 'object', required: ['spec'],
            properties: { spec: widgetSpec, status: { type: 'object', properties: { ready: { type: 'integer' }, message: { type: 'string' }, selector: { type: 'string' } } } },
          },
        },
        subresources: { status: {}, scale: { specReplicasPath: '.spec.size', statusReplicasPath: '.status.ready', labelSelectorPath: '.status.selector' } },
        additionalPrinterColumns: [
          { name: 'Size', type: 'integer', jsonPath: '.spec.size' },
          { name: 'Color', type: 'string', jsonPath: '.spec.color' },
          { name: 'Message', type: 'string', jsonPath: '.status.message', priority: 1 },
          { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
        ],
      }],
      ...overrides,
    },
  }
}

/** Makes a CRD and waits until it is established. */
export async function installDefinition(client: KubeClient, definition: AnyObject): Promise<void> {
  await client.create(customResourceDefinitions, definition).catch((error: { reason?: string }) => {
    if (error.reason !== 'AlreadyExists') throw error
  })
  await eventually(async () => {
    const { status } = await client.get(customResourceDefinitions, { name: definition.metadata.name })
    return (status?.conditions as { type: string; status: string }[] | undefined)?.some((condition) => condition.type === 'Established' && condition.status === 'True')
  }, `${definition.metadata.name} is established`)
}
