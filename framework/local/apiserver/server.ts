import { stringify } from 'yaml'
import { Lifetime } from '#base/lifecycle.ts'
import type { Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import type { AdmissionRequest, AdmissionResponse } from '#kube/admission.ts'
import type { KubeConfig } from '#kube/config.ts'
import type { AnyObject } from '#kube/types.ts'
import type { AdmissionHook, Api, Convert, PodLogs } from './api.ts'
import { builtinDefinitions } from './builtin/kinds.ts'
import { metadataDecoder } from './builtin/metadata.ts'
import { MatchConditions } from './cel/match-conditions.ts'
import { Catalog } from './catalog.ts'
import type { CrdSpec } from './crd/definitions.ts'
import { startCustomKinds } from './controllers/custom-kinds.ts'
import { ensureNamespaces } from './controllers/ensure-namespaces.ts'
import { startEventExpiry } from './controllers/event-expiry.ts'
import { startGarbageCollector } from './controllers/garbage-collector.ts'
import { startNamespaceDeletion } from './controllers/namespace-deletion.ts'
import { clusterAuthority, serverCertificate } from './http/certificates.ts'
import { listen } from './http/server.ts'
import { Store } from './store.ts'
import { conversionWebhook, registeredHooks } from './webhooks.ts'

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
  /** For CRDs whose conversion strategy is Webhook, instead of calling what they name. */
  readonly convert?: Convert | undefined
  readonly podLogs?: PodLogs | undefined
  /** Namespaces to make, besides default and kube-system. */
  readonly namespaces?: readonly string[] | undefined
  /** Changes kept for watches that come back. Default 10,000. */
  readonly historyLimit?: number | undefined
  /** Milliseconds between bookmarks of a watch. Default 15,000. */
  readonly bookmarkMs?: number | undefined
  /** Milliseconds that events are kept. Default one hour. */
  readonly eventTtlMs?: number | undefined
  readonly log: Logger
}

export interface ApiServer extends Running {
  readonly url: string
  /** For `createKubeClient`. */
  readonly config: KubeConfig
  /** A kubeconfig for kubectl and every role, as YAML. @param namespace of the context @param as user to act as; default the administrator */
  kubeconfig(namespace?: string, as?: string): string
}

/**
 * A Kubernetes API server for one machine: HTTPS (kubectl sends its token over nothing else), kept in SQLite. It resolves once it serves; `stop()` ends open
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
  const conditions = new MatchConditions()
  const api: Api = { store, catalog: new Catalog(builtinDefinitions()), log, hooks: () => [...hooks, ...registeredHooks(store, conditions)], podLogs: options.podLogs, decodeMetadata: metadataDecoder(), bookmarkMs: options.bookmarkMs ?? 15_000, signal: stopping.signal }
  try {
    ensureNamespaces(store, ['default', 'kube-system', 'kube-public', 'kube-node-lease', ...(options.namespaces ?? [])])
    life.own(startCustomKinds(api, (crd) => conversionOf(crd, options.convert ?? conversionWebhook(store, crd))))
    life.own(startNamespaceDeletion(api))
    life.own(startGarbageCollector(api))
    life.own(startEventExpiry(api, options.eventTtlMs ?? 3_600_000))
    const authority = clusterAuthority(store)
    const server = await listen(api, { ...options, certificate: () => serverCertificate(authority, options.host) })
    life.own(server)
    life.onStop(() => stopping.abort())
    const config = { server: server.url, ca: authority.cert, token: options.token }
    return { url: server.url, config, kubeconfig: (namespace, as) => kubeconfigOf(config, namespace, as), stop: () => life.stop(), done: life.done }
  } catch (error) {
    await life.stop()
    throw error
  }
}

function conversionOf(crd: AnyObject, convert: Convert): Convert | undefined {
  const { conversion } = crd['spec'] as CrdSpec
  return conversion?.strategy === 'Webhook' ? convert : undefined
}

function hooksOf(admission: ApiServerOptions['admission']): readonly AdmissionHook[] {
  if (admission === undefined) return []
  return typeof admission === 'function' ? [{ name: 'admission.tarsk8s.local', phase: 'mutating', review: admission }] : admission
}

function kubeconfigOf({ server, ca, token }: { readonly server: string; readonly ca: string; readonly token: string }, namespace = 'default', as?: string): string {
  const name = 'tarsk8s'
  return stringify({
    apiVersion: 'v1', kind: 'Config', 'current-context': name,
    clusters: [{ name, cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } }],
    users: [{ name, user: { token, ...(as === undefined ? {} : { as }) } }],
    contexts: [{ name, context: { cluster: name, user: name, namespace } }],
  })
}
