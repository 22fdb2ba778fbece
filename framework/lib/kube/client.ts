import type { IncomingMessage } from 'node:http'
import type { Clock } from '#base/clock.ts'
import type { Environment } from '#base/lifecycle.ts'
import { configFromEnv } from './config.ts'
import type { KubeConfig } from './config.ts'
import { isExpired } from './errors.ts'
import { resourcePath, withQuery } from './path.ts'
import type { Query } from './path.ts'
import { createTransport } from './transport.ts'
import type { Transport } from './transport.ts'
import { apiVersionOf } from './types.ts'
import type { AnyObject, Draft, KubeObject, List, Resource, Status, WatchEvent } from './types.ts'
import { watchEvents } from './watch.ts'

export type { KubeConfig } from './config.ts'

export interface Selection {
  /** One namespace; without it, all of them. */
  readonly namespace?: string | undefined
  /** E.g. `tars.io/ServerApp,tier in (a,b)` */
  readonly labelSelector?: string | undefined
  /** E.g. `metadata.name=x` */
  readonly fieldSelector?: string | undefined
  readonly signal?: AbortSignal | undefined
}

export interface ListOptions<T extends KubeObject = AnyObject> extends Selection {
  /** Makes of each object what is kept of it, page by page, so that a long list is never whole in memory. */
  readonly each?: ((object: T) => T) | undefined
  /** Objects a page. Default 500. */
  readonly limit?: number | undefined
  readonly resourceVersion?: string | undefined
}

export interface PageOptions extends Omit<ListOptions, 'each'> {
  readonly continue?: string | undefined
}

export interface WatchOptions extends Selection {
  /** Where to go on; without it the watch starts with ADDED events of all that is there. */
  readonly resourceVersion?: string | undefined
  /** Seconds after which the server ends the watch in good order. */
  readonly timeoutSeconds?: number | undefined
  /** Milliseconds without a byte after which the watch is taken for dead. Default: for ever. */
  readonly stallMs?: number | undefined
  /** Called once the server has accepted the watch. */
  readonly onOpen?: (() => void) | undefined
}

export interface Target {
  readonly namespace?: string | undefined
  readonly name: string
}

export interface WriteOptions {
  /** Validate and answer as if, but store nothing. */
  readonly dryRun?: boolean | undefined
  readonly fieldManager?: string | undefined
  readonly signal?: AbortSignal | undefined
}

export interface PatchOptions extends WriteOptions {
  /** RFC 7386 merge (default), RFC 6902 json, Kubernetes' strategic merge, or server-side apply. */
  readonly type?: 'merge' | 'json' | 'strategic' | 'apply' | undefined
  /** E.g. `status`, `scale`. */
  readonly subresource?: string | undefined
  /** Server-side apply takes fields over from other managers instead of failing with Conflict. */
  readonly force?: boolean | undefined
}

export interface DeleteOptions {
  readonly propagation?: 'Background' | 'Foreground' | 'Orphan' | undefined
  readonly preconditions?: { readonly uid?: string; readonly resourceVersion?: string } | undefined
  readonly gracePeriodSeconds?: number | undefined
  readonly dryRun?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

export interface RawOptions {
  readonly contentType?: string | undefined
  readonly accept?: string | undefined
  readonly signal?: AbortSignal | undefined
  readonly timeoutMs?: number | undefined
}

/**
 * One API server. Every call is one request (list: one a page); failures are KubeError, never retried here
 * except on a stale kept-alive connection.
 */
export interface KubeClient {
  readonly server: string
  /** Namespace of the kubeconfig's context or of the pod. */
  readonly namespace: string | undefined
  /** The API server's time, as far as its answers tell it. */
  readonly clock: Clock
  /** All objects, fetched page by page, of one consistent resourceVersion. */
  list<T extends KubeObject = AnyObject>(resource: Resource<T>, options?: ListOptions<T>): Promise<List<T>>
  /** One page; `metadata.continue` leads to the next. */
  listPage<T extends KubeObject = AnyObject>(resource: Resource<T>, options?: PageOptions): Promise<List<T>>
  get<T extends KubeObject = AnyObject>(resource: Resource<T>, target: Target, options?: { readonly subresource?: string; readonly signal?: AbortSignal }): Promise<T>
  /** Goes to `metadata.namespace`; fills in apiVersion and kind. */
  create<T extends KubeObject = AnyObject>(resource: Resource<T>, object: NoInfer<T> | Draft, options?: WriteOptions): Promise<T>
  /** Replaces all but status; Conflict when `metadata.resourceVersion` is given and outdated. */
  update<T extends KubeObject = AnyObject>(resource: Resource<T>, object: NoInfer<T>, options?: WriteOptions): Promise<T>
  replaceStatus<T extends KubeObject = AnyObject>(resource: Resource<T>, object: NoInfer<T>, options?: WriteOptions): Promise<T>
  patch<T extends KubeObject = AnyObject>(resource: Resource<T>, target: Target, body: object, options?: PatchOptions): Promise<T>
  /** Server-side apply of `object`, which says its own name; `fieldManager` owns the fields given. */
  apply<T extends KubeObject = AnyObject>(resource: Resource<T>, object: NoInfer<T> | Draft, options: PatchOptions & { readonly fieldManager: string }): Promise<T>
  /** The object as it was, or being deleted; or a Status. NotFound when it is not there. */
  delete<T extends KubeObject = AnyObject>(resource: Resource<T>, target: Target, options?: DeleteOptions): Promise<T | Status>
  deleteCollection(resource: Resource, selection?: Selection & DeleteOptions): Promise<void>
  /** Ends when the server ends it; throws KubeError when it breaks (410: list again). Abort by `signal`. */
  watch<T extends KubeObject = AnyObject>(resource: Resource<T>, options?: WatchOptions): AsyncGenerator<WatchEvent<T>, void, void>
  /** Any other call; resolves with the parsed JSON, or the text. */
  raw(method: string, path: string, body?: unknown, options?: RawOptions): Promise<unknown>
  /** Any other call whose answer is read as it comes (logs). */
  stream(method: string, path: string, options?: RawOptions): Promise<IncomingMessage>
  /** Ends all connections. */
  close(): void
}

/** Client for the cluster that the environment names (KUBECONFIG, or the pod's service account). */
export function kubeClientFrom(env: Environment): KubeClient {
  return createKubeClient(configFromEnv(env))
}

export function createKubeClient(config: KubeConfig, transport: Transport = createTransport(config)): KubeClient {
  const send = async <T>(method: string, path: string, rest: { body?: unknown; contentType?: string | undefined; signal?: AbortSignal | undefined } = {}) =>
    (await transport.json({ method, path, ...rest })) as T

  const listPage: KubeClient['listPage'] = async <T extends KubeObject>(resource: Resource<T>, options: PageOptions = {}) => {
    const { namespace, signal } = options
    const query = { ...selectors(options), limit: options.limit ?? 500, continue: options.continue, resourceVersion: options.resourceVersion }
    const page = await send<List<T>>('GET', withQuery(resourcePath(resource, { namespace }), query), { signal })
    const apiVersion = apiVersionOf(resource)
    // A server leaves both out of the items of built-in kinds.
    for (const item of page.items ?? []) Object.assign(item, { apiVersion: item.apiVersion ?? apiVersion, kind: item.kind ?? resource.kind })
    return { ...page, items: page.items ?? [] }
  }

  const list: KubeClient['list'] = async <T extends KubeObject>(resource: Resource<T>, { each, ...options }: ListOptions<T> = {}) => {
    const kept = (items: T[]): T[] => (each === undefined ? items : items.map(each))
    const first = await listPage(resource, options)
    const items = kept(first.items)
    for (let next = first.metadata.continue; next !== undefined && next !== ''; ) {
      const page = await listPage(resource, { ...options, continue: next }).catch((error: unknown) => (isExpired(error) ? undefined : Promise.reject(error)))
      // The pages' snapshot was compacted away under us: take everything in one go.
      if (page === undefined) return listPage(resource, { ...options, limit: 0 }).then((whole) => ({ ...whole, items: kept(whole.items) }))
      items.push(...kept(page.items))
      next = page.metadata.continue
    }
    return { ...first, metadata: first.metadata.resourceVersion === undefined ? {} : { resourceVersion: first.metadata.resourceVersion }, items }
  }

  const patch: KubeClient['patch'] = (resource, target, body, options = {}) => {
    const path = resourcePath(resource, { ...target, subresource: options.subresource })
    return send('PATCH', withQuery(path, { ...writeQuery(options), force: options.force }), { body, contentType: patchTypes[options.type ?? 'merge'], signal: options.signal })
  }

  const put = <T extends KubeObject>(resource: Resource<T>, object: KubeObject, subresource: string | undefined, options: WriteOptions) => {
    const path = resourcePath(resource, { ...object.metadata, subresource })
    return send<T>('PUT', withQuery(path, writeQuery(options)), { body: typed(resource, object), signal: options.signal })
  }

  return {
    server: config.server,
    namespace: config.namespace,
    clock: transport.clock,
    list,
    listPage,
    patch,
    get: (resource, target, { subresource, signal } = {}) => send('GET', resourcePath(resource, { ...target, subresource }), { signal }),
    create: (resource, object, options = {}) =>
      send('POST', withQuery(resourcePath(resource, { namespace: object.metadata.namespace }), writeQuery(options)), { body: typed(resource, object), signal: options.signal }),
    update: (resource, object, options = {}) => put(resource, object, undefined, options),
    replaceStatus: (resource, object, options = {}) => put(resource, object, 'status', options),
    apply: (resource, object, options) => patch(resource, { namespace: object.metadata.namespace, name: object.metadata.name ?? '' }, typed(resource, object), { ...options, type: 'apply' }),
    delete: (resource, target, options = {}) => send('DELETE', resourcePath(resource, target), { body: deleteBody(options), signal: options.signal }),
    async deleteCollection(resource, options = {}) {
      await send('DELETE', withQuery(resourcePath(resource, { namespace: options.namespace }), selectors(options)), { body: deleteBody(options), signal: options.signal })
    },
    async *watch(resource, options = {}) {
      const query = { ...selectors(options), watch: 1, allowWatchBookmarks: true, resourceVersion: options.resourceVersion, timeoutSeconds: options.timeoutSeconds }
      const path = withQuery(resourcePath(resource, { namespace: options.namespace }), query)
      const answer = await transport.stream({ method: 'GET', path, signal: options.signal, timeoutMs: options.stallMs ?? 0 })
      options.onOpen?.()
      yield* watchEvents(answer)
    },
    raw: (method, path, body, options = {}) => transport.json({ method, path, body, ...options }),
    stream: (method, path, options = {}) => transport.stream({ method, path, timeoutMs: 0, ...options }),
    close: () => transport.close(),
  }
}

const patchTypes = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const

function selectors({ labelSelector, fieldSelector }: Selection): Query {
  return { labelSelector, fieldSelector }
}

function writeQuery({ dryRun, fieldManager }: WriteOptions): Query {
  return { dryRun: dryRun === true ? 'All' : undefined, fieldManager }
}

function typed(resource: Resource, object: Draft): KubeObject {
  return { ...object, apiVersion: object.apiVersion ?? apiVersionOf(resource), kind: object.kind ?? resource.kind } as KubeObject
}

function deleteBody({ propagation, preconditions, gracePeriodSeconds, dryRun }: DeleteOptions): object {
  return {
    apiVersion: 'v1', kind: 'DeleteOptions', propagationPolicy: propagation, preconditions, gracePeriodSeconds,
    ...(dryRun === true ? { dryRun: ['All'] } : {}),
  }
}
