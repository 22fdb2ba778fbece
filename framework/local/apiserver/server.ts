import { stringify } from 'yaml'
import { Lifetime } from '#base/lifecycle.ts'
import type { Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import type { AdmissionRequest, AdmissionResponse } from '#kube/admission.ts'
import type { AdmissionHook, Api, Convert, PodLogs } from './api.ts'
import { builtinDefinitions } from './builtin/kinds.ts'
import { Catalog } from './catalog.ts'
import { listen } from './http/server.ts'
import { ensureNamespaces } from './namespaces.ts'
import { Store } from './store.ts'

export type { AdmissionHook, AdmissionRule, Convert, PodLogRequest, PodLogs } from './api.ts'

export interface ApiServerOptions {
  /** Path of the SQLite file, or `:memory:`. */
  readonly dataFile: string
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  /** Bearer token; who has it may do everything. */
  readonly token: string
  /** Hooks with rules, or one function that is asked about every create, update and delete. */
  readonly admission?: readonly AdmissionHook[] | ((request: AdmissionRequest) => Promise<AdmissionResponse>) | undefined
  /** For CRDs whose conversion strategy is Webhook. */
  readonly convert?: Convert | undefined
  readonly podLogs?: PodLogs | undefined
  /** Namespaces to make, besides default and kube-system. */
  readonly namespaces?: readonly string[] | undefined
  /** Changes kept for watches that come back. Default 10,000. */
  readonly historyLimit?: number | undefined
  readonly log: Logger
}

export interface ApiServer extends Running {
  readonly url: string
  /** A kubeconfig for kubectl and every role, as YAML. @param namespace of the context */
  kubeconfig(namespace?: string): string
}

/**
 * A Kubernetes API server for one machine: HTTP, kept in SQLite. It resolves once it serves; `stop()` ends open
 * watches and closes the database.
 * @throws Failure STORE_UNUSABLE; the system's error when the address cannot be bound
 */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const life = new Lifetime()
  const { log } = options
  const store = new Store(options.dataFile, options.historyLimit === undefined ? {} : { historyLimit: options.historyLimit })
  life.onStop(() => store.close())
  const stopping = new AbortController()
  const hooks = hooksOf(options.admission)
  const api: Api = { store, catalog: new Catalog(builtinDefinitions()), log, hooks: () => hooks, podLogs: options.podLogs, signal: stopping.signal }
  try {
    ensureNamespaces(store, ['default', 'kube-system', 'kube-public', 'kube-node-lease', ...(options.namespaces ?? [])])
    const server = await listen(api, options)
    life.own(server)
    life.onStop(() => stopping.abort())
    return { url: server.url, kubeconfig: (namespace) => kubeconfigOf(server.url, options.token, namespace), stop: () => life.stop(), done: life.done }
  } catch (error) {
    await life.stop()
    throw error
  }
}

function hooksOf(admission: ApiServerOptions['admission']): readonly AdmissionHook[] {
  if (admission === undefined) return []
  return typeof admission === 'function' ? [{ name: 'admission.tarsk8s.local', phase: 'mutating', review: admission }] : admission
}

function kubeconfigOf(server: string, token: string, namespace = 'default'): string {
  const name = 'tarsk8s'
  return stringify({
    apiVersion: 'v1', kind: 'Config', 'current-context': name,
    clusters: [{ name, cluster: { server } }],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name, namespace } }],
  })
}
