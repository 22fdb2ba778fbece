import { createReadStream } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import type { BlobStore } from './blobs.ts'
import { OciError } from './errors.ts'
import type { ManifestStore } from './manifests.ts'
import { checkRepository } from './names.ts'
import type { UploadStore } from './uploads.ts'

export interface Stores {
  readonly blobs: BlobStore
  readonly uploads: UploadStore
  readonly manifests: ManifestStore
}

/** One request: what the path matched, and what is needed to answer. */
interface Visit {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly query: URLSearchParams
  readonly name: string
  readonly reference: string
}

type Handler = (stores: Stores, visit: Visit) => Promise<void>

const maximumManifest = 4 << 20

function answer(visit: Visit, status: number, headers: Record<string, string> = {}, body: string | Buffer = ''): void {
  visit.response.writeHead(status, { 'content-length': String(Buffer.byteLength(body)), ...headers }).end(visit.request.method === 'HEAD' ? undefined : body)
}

function json(visit: Visit, document: unknown, headers: Record<string, string> = {}, type = 'application/json'): void {
  answer(visit, 200, { 'content-type': type, ...headers }, JSON.stringify(document))
}

/** One page of a sorted list with `?n=&last=` and the Link header (distribution-spec "Listing tags"). */
function page(visit: Visit, all: readonly string[], render: (names: string[]) => unknown): void {
  const last = visit.query.get('last')
  const n = visit.query.get('n')
  const rest = last === null ? all : all.filter((name) => name > last)
  const count = n === null ? rest.length : Math.max(0, Math.trunc(Number(n)) || 0)
  const names = rest.slice(0, count)
  const path = visit.request.url?.split('?')[0] ?? ''
  const more = names.length < rest.length && names.length > 0
  json(visit, render(names), more ? { link: `<${path}?n=${count}&last=${encodeURIComponent(names.at(-1) ?? '')}>; rel="next"` } : {})
}

const ping: Handler = async (_stores, visit) => json(visit, {})

const catalog: Handler = async ({ manifests }, visit) => page(visit, await manifests.repositories(), (repositories) => ({ repositories }))

const tags: Handler = async ({ manifests }, visit) => page(visit, await manifests.tags(visit.name), (list) => ({ name: visit.name, tags: list }))

const referrers: Handler = async ({ manifests }, visit) => {
  const wanted = visit.query.get('artifactType')
  const all = await manifests.referrers(visit.name, visit.reference)
  const chosen = wanted === null ? all : all.filter((one) => one.artifactType === wanted)
  const type = 'application/vnd.oci.image.index.v1+json'
  json(visit, { schemaVersion: 2, mediaType: type, manifests: chosen }, wanted === null ? {} : { 'oci-filters-applied': 'artifactType' }, type)
}

const getManifest: Handler = async ({ manifests }, visit) => {
  const { digest, mediaType, body } = await manifests.get(visit.name, visit.reference)
  answer(visit, 200, { 'content-type': mediaType, 'docker-content-digest': digest, etag: `"${digest}"` }, body)
}

const putManifest: Handler = async ({ manifests }, visit) => {
  const type = (visit.request.headers['content-type'] ?? '').split(';')[0]?.trim() ?? ''
  const { digest, subject } = await manifests.put(visit.name, visit.reference, type, await readBody(visit.request))
  answer(visit, 201, { location: `/v2/${visit.name}/manifests/${digest}`, 'docker-content-digest': digest, ...(subject === undefined ? {} : { 'oci-subject': subject }) })
}

const deleteManifest: Handler = async ({ manifests }, visit) => {
  await manifests.delete(visit.name, visit.reference)
  answer(visit, 202)
}

const getBlob: Handler = async ({ blobs }, visit) => {
  const size = await blobs.size(visit.name, visit.reference)
  if (size === undefined) throw new OciError('BLOB_UNKNOWN', `${visit.name} has no blob ${visit.reference}`, { digest: visit.reference })
  const range = rangeOf(visit.request.headers.range, size)
  const { start, end } = range ?? { start: 0, end: size - 1 }
  visit.response.writeHead(range === undefined ? 200 : 206, {
    'content-type': 'application/octet-stream',
    'content-length': String(end - start + 1),
    'docker-content-digest': visit.reference,
    'accept-ranges': 'bytes',
    etag: `"${visit.reference}"`,
    ...(range === undefined ? {} : { 'content-range': `bytes ${start}-${end}/${size}` }),
  })
  if (visit.request.method === 'HEAD' || size === 0) visit.response.end()
  else await pipeline(createReadStream(blobs.path(visit.reference), { start, end, highWaterMark: 256 << 10 }), visit.response)
}

const deleteBlob: Handler = async ({ blobs }, visit) => {
  await blobs.delete(visit.name, visit.reference)
  answer(visit, 202)
}

function uploadHeaders(name: string, id: string, received: number): Record<string, string> {
  return { location: `/v2/${name}/blobs/uploads/${id}`, range: `0-${Math.max(0, received - 1)}`, 'docker-upload-uuid': id }
}

function created(visit: Visit, digest: string): void {
  answer(visit, 201, { location: `/v2/${visit.name}/blobs/${digest}`, 'docker-content-digest': digest })
}

const startUpload: Handler = async ({ blobs, uploads }, visit) => {
  const mount = visit.query.get('mount')
  if (mount !== null && (await blobs.mount(visit.name, mount, visit.query.get('from') ?? undefined))) return created(visit, mount)
  const id = await uploads.start()
  const digest = visit.query.get('digest')
  if (digest === null) return answer(visit, 202, uploadHeaders(visit.name, id, 0))
  await uploads.append(id, visit.request, 0)
  await uploads.finish(id, visit.name, digest)
  created(visit, digest)
}

const uploadStatus: Handler = async ({ uploads }, visit) => answer(visit, 204, uploadHeaders(visit.name, visit.reference, await uploads.received(visit.reference)))

const patchUpload: Handler = async ({ uploads }, visit) => {
  const received = await uploads.append(visit.reference, visit.request, startOf(visit.request.headers['content-range']))
  answer(visit, 202, uploadHeaders(visit.name, visit.reference, received))
}

const finishUpload: Handler = async ({ uploads }, visit) => {
  const digest = visit.query.get('digest')
  if (digest === null) throw new OciError('DIGEST_INVALID', 'the query parameter digest is missing')
  await uploads.append(visit.reference, visit.request, startOf(visit.request.headers['content-range']))
  await uploads.finish(visit.reference, visit.name, digest)
  created(visit, digest)
}

const cancelUpload: Handler = async ({ uploads }, visit) => {
  await uploads.cancel(visit.reference)
  answer(visit, 204)
}

/** Path patterns; the first group is the repository, the second the reference. */
const table: readonly { readonly pattern: RegExp; readonly methods: Readonly<Record<string, Handler>> }[] = [
  { pattern: /^\/v2\/?$/, methods: { GET: ping, HEAD: ping } },
  { pattern: /^\/v2\/_catalog$/, methods: { GET: catalog } },
  { pattern: /^\/v2\/(.+)\/tags\/list$/, methods: { GET: tags } },
  { pattern: /^\/v2\/(.+)\/referrers\/([^/]+)$/, methods: { GET: referrers } },
  { pattern: /^\/v2\/(.+)\/manifests\/([^/]+)$/, methods: { GET: getManifest, HEAD: getManifest, PUT: putManifest, DELETE: deleteManifest } },
  { pattern: /^\/v2\/(.+)\/blobs\/uploads\/?$/, methods: { POST: startUpload } },
  { pattern: /^\/v2\/(.+)\/blobs\/uploads\/([^/]+)$/, methods: { GET: uploadStatus, PATCH: patchUpload, PUT: finishUpload, DELETE: cancelUpload } },
  { pattern: /^\/v2\/(.+)\/blobs\/([^/]+)$/, methods: { GET: getBlob, HEAD: getBlob, DELETE: deleteBlob } },
]

/** Answers one request of the OCI distribution API. @throws OciError for what the specification names */
export async function route(stores: Stores, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://registry')
  for (const { pattern, methods } of table) {
    const match = pattern.exec(decoded(url.pathname))
    if (match === null) continue
    const handler = methods[request.method ?? '']
    if (handler === undefined) throw new OciError('UNSUPPORTED', `${request.method} is not possible here`)
    const name = match[1] === undefined ? '' : checkRepository(match[1])
    return handler(stores, { request, response, query: url.searchParams, name, reference: match[2] ?? '' })
  }
  throw new OciError('NAME_UNKNOWN', 'no such path')
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    throw new OciError('NAME_INVALID', 'the path is not percent-encoded UTF-8')
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.length
    if (size > maximumManifest) throw new OciError('SIZE_INVALID', `a manifest may have at most ${maximumManifest} bytes`)
    parts.push(part)
  }
  return Buffer.concat(parts)
}

/** `bytes=a-b`, `bytes=a-` or `bytes=-n`; undefined for none or one that is not understood. @throws RANGE_INVALID */
function rangeOf(header: string | undefined, size: number): { start: number; end: number } | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '')
  if (match === null || (match[1] === '' && match[2] === '')) return undefined
  const start = match[1] === '' ? Math.max(0, size - Number(match[2])) : Number(match[1])
  const end = match[1] === '' || match[2] === '' ? size - 1 : Math.min(Number(match[2]), size - 1)
  if (start > end) throw new OciError('RANGE_INVALID', `the blob has ${size} bytes`)
  return { start, end }
}

function startOf(contentRange: string | undefined): number | undefined {
  const match = /^(?:bytes[ =])?(\d+)-\d+/.exec(contentRange ?? '')
  return match === null ? undefined : Number(match[1])
}
