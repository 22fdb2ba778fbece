import type { ServerResponse } from 'node:http'
import type { AnyObject, List } from '#kube/types.ts'
import type { Api, ApiRequest, Reply } from '../api.ts'
import { badRequest, methodNotAllowed, notFound, unknownPath } from '../errors.ts'
import { addressOf } from '../request.ts'
import { includeObject, tableOf, tableOfList, wantsTable } from '../table/table.ts'
import { deleteObject } from '../verbs/delete.ts'
import { deleteCollection } from '../verbs/delete-collection.ts'
import { finalizeNamespace } from '../verbs/finalize.ts'
import { listObjects } from '../verbs/list.ts'
import { podLog } from '../verbs/logs.ts'
import { patchObject } from '../verbs/patch.ts'
import { scaleObject } from '../verbs/scale.ts'
import { watchObjects } from '../verbs/watch.ts'
import { createObject, inVersion, modifyObject } from '../write.ts'
import { parseObject } from './body.ts'

/** Answers a request to the resource API. Undefined: the answer was streamed. */
export async function dispatch(api: Api, request: ApiRequest, response: ServerResponse, accept: string): Promise<Reply | undefined> {
  const reply = await route(api, request, response, accept)
  if (reply === undefined || reply.code >= 300) return reply
  return { ...reply, body: presented(request, reply.body as AnyObject, accept) }
}

function route(api: Api, request: ApiRequest, response: ServerResponse, accept: string): Promise<Reply | undefined> {
  const { name, subresource, query, method } = request
  if (subresource !== '') return subresourceRequest(api, request, response)
  if (method === 'GET' && /^(1|true)$/.test(query.get('watch') ?? '')) return watchRequest(api, request, response, accept)
  return name === '' ? collectionRequest(api, request) : objectRequest(api, request)
}

const ok = (body: unknown): Reply => ({ code: 200, body })

async function watchRequest(api: Api, request: ApiRequest, response: ServerResponse, accept: string): Promise<undefined> {
  let headless = false
  await watchObjects(api, request, response, (object) => {
    const shown = presented(request, object, accept, headless)
    headless = true
    return shown
  })
}

/** Objects as they are, as table, or their metadata only: whatever the client prefers. */
function presented(request: ApiRequest, body: AnyObject | List, accept: string, headless = false): unknown {
  const list = Array.isArray((body as List).items)
  if (body.kind === 'Status' || body.kind === 'Scale') return body
  if (wantsTable(accept)) {
    const include = includeObject(request.query)
    return list ? tableOfList(request.definition, body as List, include) : tableOf(request.definition, [body as AnyObject], include, { resourceVersion: (body as AnyObject).metadata.resourceVersion }, headless)
  }
  if (!/as=PartialObjectMetadata(List)?/.test(accept)) return body
  const partial = ({ metadata }: AnyObject) => ({ kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata })
  return list ? { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata: body.metadata, items: (body as List).items.map(partial) } : partial(body as AnyObject)
}

async function collectionRequest(api: Api, request: ApiRequest): Promise<Reply> {
  const { method, definition, namespace } = request
  if (method === 'GET') return ok(await listObjects(api, request))
  if (definition.namespaced && namespace === '') throw method === 'POST' ? badRequest(`a ${definition.kind} needs a namespace in the path`) : methodNotAllowed()
  if (method === 'POST') return { code: 201, body: await createObject(api, request, parseObject(request.payload, request.contentType)) }
  if (method === 'DELETE') return ok(await deleteCollection(api, request))
  throw methodNotAllowed()
}

async function objectRequest(api: Api, request: ApiRequest): Promise<Reply> {
  if (request.definition.namespaced && request.namespace === '') throw unknownPath()
  switch (request.method) {
    case 'GET':
      return ok(await getObject(api, request))
    case 'PUT':
      return ok(await replaceObject(api, request))
    case 'PATCH': {
      const { created, object } = await patchObject(api, request)
      return { code: created ? 201 : 200, body: object }
    }
    case 'DELETE':
      return ok(await deleteObject(api, request))
    default:
      throw methodNotAllowed()
  }
}

async function getObject(api: Api, request: ApiRequest): Promise<AnyObject> {
  const stored = api.store.get(addressOf(request))
  if (stored === undefined) throw notFound(request.definition, request.name)
  return inVersion(request.definition, stored)
}

function replaceObject(api: Api, request: ApiRequest): Promise<AnyObject> {
  const body = parseObject(request.payload, request.contentType)
  if (request.definition.custom && (body.metadata.resourceVersion ?? '') === '' && request.subresource === '') {
    throw badRequest(`metadata.resourceVersion: Invalid value: "": must be specified for an update`)
  }
  return modifyObject(api, request, { compute: () => body, subresource: request.subresource })
}

async function subresourceRequest(api: Api, request: ApiRequest, response: ServerResponse): Promise<Reply | undefined> {
  const { definition, subresource, method } = request
  const isPod = definition.group === '' && definition.plural === 'pods'
  if (subresource === 'scale') return ok(await scaleObject(api, request))
  if (subresource === 'log' && isPod && method === 'GET') {
    await podLog(api, request, response)
    return undefined
  }
  if (subresource === 'finalize' && definition.group === '' && definition.plural === 'namespaces') return ok(await finalizeNamespace(api, request))
  if (subresource !== 'status' || !definition.status) throw unknownPath()
  if (method === 'GET') return ok(await getObject(api, request))
  if (method === 'PUT') return ok(await replaceObject(api, request))
  if (method === 'PATCH') return ok((await patchObject(api, request)).object)
  throw methodNotAllowed()
}
