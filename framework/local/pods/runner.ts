import { chmod, mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { Failure } from '#base/errors.ts'
import { Lifetime } from '#base/lifecycle.ts'
import type { Role, Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import type { KubeClient } from '#kube/client.ts'
import { isNotFound } from '#kube/errors.ts'
import { Informer } from '#kube/informer.ts'
import { anonymous } from '../../../imagebuilder/oci/auth.ts'
import type { Credentials } from '../../../imagebuilder/oci/auth.ts'
import { AddressBook } from './addresses.ts'
import type { RestartBackoffOptions } from './backoff.ts'
import { Claims } from './claims.ts'
import { eventRecorder } from './events.ts'
import { Images } from './images.ts'
import { claimResource, configMapResource, podResource, secretResource, serviceResource } from './kinds.ts'
import type { Pod } from './kinds.ts'
import { layoutOf } from './layout.ts'
import type { Layout } from './layout.ts'
import type { LogLimits } from './log-writer.ts'
import { readPodLog } from './pod-logs.ts'
import type { PodLogRequest } from './pod-logs.ts'
import { PodSet } from './pod-set.ts'
import { probePlatform } from './namespace/platform.ts'
import type { Platform } from './namespace/platform.ts'
import { leftFolders, takeOver } from './recover.ts'
import { removeTree } from './remove-tree.ts'
import type { Runtime } from './runtime.ts'

export interface PodRunnerOptions {
  readonly client: KubeClient
  /** Everything the runner makes lies below it. Absolute or relative to the working directory. */
  readonly dataDir: string
  /** First three numbers of the pods' addresses, `127.R.S`; `.1` is the node's own. */
  readonly subnet: string
  /** Pods whose spec.nodeName is this are run. */
  readonly nodeName: string
  /** Roles for containers whose command is `["tarsk8s", "<role>[,<role>…]"]`. */
  readonly inProcess?: Readonly<Record<string, Role>>
  /** KUBECONFIG of those roles. */
  readonly kubeconfig?: string
  /** For registries, beside the pods' imagePullSecrets. Default: none. */
  readonly credentials?: Credentials
  /** Restart and pull delays; default as Kubernetes': 10 s, doubling to 300 s. */
  readonly backoff?: RestartBackoffOptions
  readonly logLimits?: LogLimits
  readonly log: Logger
}

export interface PodRunner extends Running {
  readonly platform: Platform
  /** The hosts(5) file of all pods. */
  readonly hostsFile: string
  /** The API server's hook for `kubectl logs`. */
  podLogs(request: PodLogRequest): Promise<Readable>
}

/**
 * Runs the pods that are bound to this node, as a kubelet does. Ready when it has seen the pods of the API server; pods that
 * were running when an earlier runner ended are started again.
 * @throws PODS_IMPOSSIBLE, PODS_DATA_IN_USE, POD_SUBNET_INVALID
 */
export async function startPodRunner(options: PodRunnerOptions): Promise<PodRunner> {
  const { client, nodeName, log, subnet } = options
  const layout = layoutOf(resolve(options.dataDir))
  const lifetime = new Lifetime()
  try {
    await mkdir(layout.root, { recursive: true })
    const platform = await probePlatform(layout.root)
    lifetime.onStop(await takeOver(layout, log))
    const addresses = await AddressBook.open(layout.addresses, subnet)
    const images = new Images(layout.images, platform.userNamespace)
    await images.open()
    await prepareResolver(layout.resolvConf)

    const own = { client, log }
    const pods = lifetime.own(new Informer({ ...own, resource: podResource, fieldSelector: `spec.nodeName=${nodeName}` }))
    const services = lifetime.own(new Informer({ ...own, resource: serviceResource }))
    const claims = lifetime.own(new Informer({ ...own, resource: claimResource }))
    const bound = new Claims({ client, layout, claims, nodeName, log, pods: () => pods.list() })
    const runtime: Runtime = {
      platform, layout, images,
      credentials: options.credentials ?? anonymous,
      inProcess: options.inProcess ?? {},
      kubeconfig: options.kubeconfig,
      logLimits: options.logLimits ?? {},
      resolvConf: layout.resolvConf,
      objects: (namespace) => ({
        configMap: (name) => orUndefined(client.get(configMapResource, { namespace, name })),
        secret: (name) => orUndefined(client.get(secretResource, { namespace, name })),
      }),
      claimFolder: (namespace, claim) => bound.folderOf(namespace, claim),
    }
    const set = new PodSet({ client, runtime, pods, services, addresses, log, hostIP: `${subnet}.1`, backoff: options.backoff ?? {}, events: eventRecorder(client, 'tarsk8s-pods', nodeName, log) })
    lifetime.onStop(() => set.stop())
    services.start()
    claims.start()
    await Promise.all([services.synced(), claims.synced()])
    pods.start()
    await pods.synced()
    await removeOrphans(layout, new Set(pods.list().map(({ metadata }) => metadata.uid ?? '')))
    await images.collect(new Set(pods.list().flatMap(imagesOf)))
    set.start()
    // what the last runner left said of these pods is void before anybody is told that this one runs
    await set.begun()
    return {
      platform,
      hostsFile: layout.hostsFile,
      podLogs: async (request) => readPodLog(set, layout, request),
      stop: () => lifetime.stop(),
      done: lifetime.done,
    }
  } catch (error) {
    await lifetime.stop().catch(() => {})
    throw error
  }
}

async function orUndefined<T>(object: Promise<T>): Promise<T | undefined> {
  return object.catch((error: unknown) => (isNotFound(error) ? undefined : Promise.reject(error)))
}

/** The images that a pod asks for, by their references. */
function imagesOf({ spec }: Pod): string[] {
  const containers = [...spec.containers, ...(spec.initContainers ?? [])].map(({ image = '' }) => image)
  return [...containers, ...(spec.volumes ?? []).flatMap(({ image }) => (image?.reference === undefined ? [] : [image.reference]))]
}

/** Files and logs of pods that were deleted while no runner was there. */
async function removeOrphans(layout: Layout, alive: ReadonlySet<string>): Promise<void> {
  for (const uid of await leftFolders(layout)) if (!alive.has(uid)) await removeTree(join(layout.pods, uid))
  for (const name of await readdir(layout.logs).catch(() => [])) if (!alive.has(name.split('_').at(-1) ?? '')) await removeTree(join(layout.logs, name))
}

/** Pods ask the machine's own name servers; cluster names come from the hosts file. */
async function prepareResolver(file: string): Promise<void> {
  const text = await readFile('/etc/resolv.conf', 'utf8').catch(() => '')
  await writeFile(file, text)
  await chmod(file, 0o644).catch((error: unknown) => {
    throw new Failure('PODS_DATA_UNUSABLE', `${file} cannot be made readable`, { remedy: 'use a data folder of your own', cause: error })
  })
}
