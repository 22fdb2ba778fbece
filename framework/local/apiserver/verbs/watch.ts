import type { ServerResponse } from 'node:http'
import type { AnyObject } from '#kube/types.ts'
import type { Api, ApiRequest } from '../api.ts'
import { apiVersionOf, collectionOf } from '../definition.ts'
import { badRequest, expired } from '../errors.ts'
import type { Change } from '../store.ts'
import { converter, selection } from './list.ts'

/** A client that reads slower than this many bytes behind is cut off; it comes back and goes on. */
const maxBacklogBytes = 64 * 1024 * 1024

/** Turns an object into what is sent: itself, or a table of one row. */
export type Present = (object: AnyObject) => unknown

interface Sent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly object: AnyObject
}

/**
 * GET with watch=1: everything after `resourceVersion`, first from the history, then as it happens; without a
 * version, ADDED for all that is there. Ends after `timeoutSeconds`, when the client goes, or when the server stops.
 * @throws ApiError 410 before the first byte when the version is compacted away
 */
export async function watchObjects(api: Api, request: ApiRequest, response: ServerResponse, present: Present): Promise<void> {
  const { query } = request
  const matches = selection(request)
  const start = startOf(api, query)
  const sink = new EventSink(api, request, response, present)
  const collection = collectionOf(request.definition)
  const unsubscribe = api.store.subscribe((change) => {
    if (change.collection === collection) sink.push(seen(change, matches))
  })
  try {
    // In the same turn as the subscription, so that nothing falls between history and what follows.
    if (start === undefined) {
      for (const object of api.store.list(collection).filter(matches)) sink.push({ type: 'ADDED', object })
      if (query.get('sendInitialEvents') === 'true') sink.initialEnd(api.store.revision)
    } else for (const change of api.store.changesAfter(start, collection)) sink.push(seen(change, matches))
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-cache, private' })
    response.flushHeaders()
    await sink.run()
  } finally {
    unsubscribe()
    response.end()
  }
}

function startOf(api: Api, query: URLSearchParams): number | undefined {
  const text = query.get('resourceVersion') ?? ''
  if (text === '' || text === '0' || query.get('sendInitialEvents') === 'true') return undefined
  const revision = Number(text)
  if (!Number.isInteger(revision) || revision < 0) throw badRequest(`Invalid value: ${JSON.stringify(text)}: resourceVersion must be a whole number`)
  if (revision < api.store.compactedRevision) throw expired(`too old resource version: ${revision} (${api.store.compactedRevision})`)
  return Math.min(revision, api.store.revision)
}

/** A change as somebody sees it who only sees what matches: an object may come into or go out of sight. */
function seen({ type, object, previous }: Change, matches: (object: AnyObject) => boolean): Sent | undefined {
  const before = previous !== undefined && matches(previous)
  const after = type !== 'DELETED' && matches(object)
  if (after) return { type: before ? 'MODIFIED' : 'ADDED', object }
  if (!before || previous === undefined) return undefined
  const last: AnyObject = { ...previous, metadata: { ...previous.metadata, resourceVersion: object.metadata.resourceVersion ?? '' } }
  return { type: 'DELETED', object: last }
}

/** Sends events in order, converting where needed, and bookmarks when it is quiet. */
class EventSink {
  readonly #api: Api
  readonly #request: ApiRequest
  readonly #response: ServerResponse
  readonly #present: Present
  readonly #convert: (object: AnyObject) => Promise<AnyObject>
  readonly #end = Promise.withResolvers<void>()
  #chain: Promise<void> = Promise.resolve()

  constructor(api: Api, request: ApiRequest, response: ServerResponse, present: Present) {
    this.#api = api
    this.#request = request
    this.#response = response
    this.#present = present
    this.#convert = converter(request.definition)
  }

  push(event: Sent | undefined): void {
    if (event === undefined) return
    this.#enqueue(async () => this.#write(event.type, this.#present(await this.#convert(event.object))))
  }

  /** Marks the end of the initial events (Kubernetes, "Streaming lists"). */
  initialEnd(revision: number): void {
    this.#enqueue(() => this.#bookmark(revision, { 'k8s.io/initial-events-end': 'true' }))
  }

  async run(): Promise<void> {
    const { query, signal } = this.#request
    const seconds = Number(query.get('timeoutSeconds') ?? 0)
    const timeout = setTimeout(() => this.#end.resolve(), Math.min(seconds > 0 ? seconds : 3600, 86_400) * 1000)
    const bookmarks = /^(1|true)$/.test(query.get('allowWatchBookmarks') ?? '') ? setInterval(() => this.#offerBookmark(), this.#api.bookmarkMs) : undefined
    const stop = () => this.#end.resolve()
    for (const aborted of [signal, this.#api.signal]) {
      if (aborted.aborted) stop()
      aborted.addEventListener('abort', stop, { once: true })
    }
    await this.#end.promise
    clearTimeout(timeout)
    clearInterval(bookmarks)
    this.#api.signal.removeEventListener('abort', stop)
  }

  #offerBookmark(): void {
    const revision = this.#api.store.revision
    this.#enqueue(() => this.#bookmark(revision))
  }

  #enqueue(send: () => void | Promise<void>): void {
    this.#chain = this.#chain.then(send).catch((error: unknown) => {
      this.#api.log.error('watch broken off', { resource: this.#request.definition.plural, error })
      this.#end.resolve()
    })
  }

  #bookmark(revision: number, annotations?: Record<string, string>): void {
    const { kind } = this.#request.definition
    const object = { kind, apiVersion: apiVersionOf(this.#request.definition), metadata: { resourceVersion: String(revision), creationTimestamp: null, ...(annotations === undefined ? {} : { annotations }) } }
    this.#write('BOOKMARK', object)
  }

  #write(type: string, object: unknown): void {
    if (this.#response.writableLength > maxBacklogBytes) {
      this.#response.destroy()
      this.#end.resolve()
      return
    }
    this.#response.write(`${JSON.stringify({ type, object })}\n`)
  }
}
