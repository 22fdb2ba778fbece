// The resource API of tarsimage: uploads, builds, and what builds tell. Described by GET /v1/openapi.json.
import type { FastifyInstance, FastifyReply } from 'fastify'
import { serverObjectName } from '#api/names.ts'
import { serverTypes } from '#api/schema/others.ts'
import { Failure } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'
import { recognise } from '../package/recognise.ts'
import type { Build, Package } from './build.ts'
import type { Builder } from './builder.ts'
import { releaseId } from './id.ts'
import { byOwnName } from './own-name.ts'
import { rebaseReleases, type RebaseRequest, type RebasesOptions } from './rebases.ts'
import { checkForm } from './request.ts'
import { followStored, sendEvents } from './events.ts'
import { notFound, type StoredBuild } from './timage.ts'
import type { Uploads } from './uploads.ts'

export interface ResourceApiOptions extends RebasesOptions {
  readonly builder: Builder
  readonly uploads: Uploads
  readonly podName: string
}

/** HTTP statuses of failures; others are 500. */
const statuses: Readonly<Record<string, number>> = {
  FORM_INVALID: 400, NAME_INVALID: 400, TYPE_INVALID: 400, PACKAGE_FORMAT: 400, IMAGE_REFERENCE_INVALID: 400, BASE_IMAGE_MISSING: 400, BASE_IMAGE_TYPE: 400,
  BUILD_NOT_FOUND: 404, UPLOAD_NOT_FOUND: 404, TIMAGE_MISSING: 404,
  BUILD_RUNNING: 409, BUILD_ENDED: 409, BUILD_NOT_ENDED: 409, TIMAGE_TYPE: 409, UPLOAD_UNFINISHED: 409, UPLOAD_IN_USE: 409, UPLOAD_GONE: 410,
  CHECKSUM_MISMATCH: 422, QUEUE_FULL: 429, STOPPING: 503, DISK_FULL: 507,
}

interface NewBuild {
  readonly upload: string
  readonly app: string
  readonly server: string
  readonly serverType: string
  readonly sha256?: string
  readonly [field: string]: string | undefined
}

/** Fields of POST /v1/builds and the form fields of the building call that they are. */
const fields: Readonly<Record<string, string>> = {
  app: 'ServerApp', server: 'ServerName', serverType: 'ServerType', tag: 'ServerTag', entrance: 'Entrance', baseImage: 'BaseImage', baseImageSecret: 'BaseImageSecret', secret: 'Secret', createPerson: 'CreatePerson', mark: 'Mark',
}

const text = (description: string): object => ({ type: 'string', description })
const problem = { description: 'what is wrong, and what to do', type: 'object', properties: { status: { type: 'integer' }, code: text('stable, e.g. UPLOAD_NOT_FOUND'), title: text('one sentence'), remedy: text('what to do') } }
const buildSchema = {
  description: 'a build',
  type: 'object',
  properties: {
    id: text('also the id of the release that it becomes'), timage: text('name of the TImage'), image: text('name of the image'), baseImage: text(''), serverType: text(''), createPerson: text(''), mark: text(''), createTime: text('RFC 3339'),
    phase: { type: 'string', enum: ['Pending', 'Preparing', 'Submitting', 'Building', 'Pushing', 'Done', 'Failed'] }, message: text('why it failed, or what it does'), handler: text('pod that builds it'),
    position: { type: 'integer', description: 'how many builds have their turn before this one' }, digest: text('of the image, once it is done'), upload: text('the upload it was made from'),
  },
} as const
const idParameter = { type: 'object', properties: { id: text('') } } as const
const newBuildSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['upload', 'app', 'server', 'serverType'],
  properties: {
    upload: text('id of a finished upload'), sha256: text('hex; checked when given'), app: text('application'), server: text('server'), serverType: { type: 'string', enum: [...serverTypes] }, tag: text('of the image; default: the id of the build'),
    entrance: text('script of a php or python server that its profile names by the key entrance; default: the usual one'),
    baseImage: text('reference, or name of a base TImage; default: one that supports the type'), baseImageSecret: text(''), secret: text('to push with; default: that of TFrameworkConfig'), createPerson: text(''), mark: text(''),
  },
} as const

const rebaseSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['timages'],
  properties: {
    timages: { type: 'array', minItems: 1, maxItems: 1000, items: { type: 'string' }, description: 'names of TImages of servers' }, baseImage: { ...text('reference, or name of a base TImage; default: each keeps its own'), default: '' }, baseImageSecret: { ...text(''), default: '' },
    supervisor: { type: 'boolean', default: false, description: "put this builder's supervisor under them" }, createPerson: { ...text(''), default: '' }, mark: { ...text('default: what it was rebased from'), default: '' },
  },
} as const
const rebasedSchema = {
  description: 'what became of each', type: 'object',
  properties: { rebases: { type: 'array', items: { type: 'object', properties: { timage: text(''), from: text('release'), release: text('the new one'), image: text(''), digest: text(''), unchanged: { type: 'boolean' }, code: text('of what went wrong'), title: text('') } } } },
} as const

/** Registers the routes below /v1. */
export async function resourceApi(http: FastifyInstance, options: ResourceApiOptions): Promise<void> {
  const { builder, timages, uploads, podName } = options
  /** The upload that a build was made from. */
  const origins = new Map<string, { readonly upload: string; readonly request: NewBuild }>()
  const told = (build: Build): object => ({ ...resourceOf(build, podName), ...(origins.has(build.facts.id) ? { upload: origins.get(build.facts.id)?.upload } : {}) })

  const find = async (id: string): Promise<Build | StoredBuild> => builder.find(id) ?? (await timages.findBuild(id)) ?? notFound(id)

  const create = async (body: NewBuild, reply: FastifyReply): Promise<object> => {
    builder.checkRoom()
    const form = new Map(Object.entries(fields).flatMap(([field, name]) => (body[field] === undefined ? [] : [[name, body[field]] as const])))
    const timage = serverObjectName(body.app, body.server)
    const request = checkForm(form, timage)
    const received = await uploads.take(body.upload, body.sha256 ?? '')
    const build = await accept(options, { timage, request, received })
    for (const id of origins.keys()) if (builder.find(id) === undefined) origins.delete(id)
    origins.set(build.facts.id, { upload: body.upload, request: body })
    reply.code(202).header('location', `/v1/builds/${build.facts.id}`)
    return told(build)
  }

  http.setErrorHandler((error, _request, reply) => sendProblem(error, reply, options.log))
  http.addContentTypeParser('application/offset+octet-stream', (_request, _payload, done) => done(null))
  for (const [method, url, summary] of [
    ['OPTIONS', '/v1/uploads', 'What of tus this is able to'], ['POST', '/v1/uploads', 'Begins an upload: Upload-Length, Upload-Metadata filename and sha256 (hex)'],
    ['HEAD', '/v1/uploads/:id', 'How far an upload is'], ['PATCH', '/v1/uploads/:id', 'Sends bytes from Upload-Offset on'], ['DELETE', '/v1/uploads/:id', 'Gives an upload up'],
  ] as const) {
    http.route({ method, url, schema: { summary: `${summary} (tus 1.0.0)`, tags: ['uploads'] }, handler: (request, reply) => {
      reply.hijack()
      return uploads.handle(request.raw, reply.raw)
    } })
  }

  http.post<{ Body: NewBuild }>('/v1/builds', { schema: { summary: 'Builds an image of an upload', tags: ['builds'], body: newBuildSchema, response: { 202: buildSchema, '4xx': problem, '5xx': problem } } }, (request, reply) => create(request.body, reply))

  http.get<{ Querystring: { timage?: string; phase?: string; limit: number } }>('/v1/builds', { schema: { summary: 'The latest builds of each TImage, newest first', tags: ['builds'], querystring: { type: 'object', properties: { timage: text('only of this one'), phase: text('only these'), limit: { type: 'integer', minimum: 1, maximum: 1000, default: 100 } } }, response: { 200: { description: 'builds', type: 'object', properties: { builds: { type: 'array', items: buildSchema } } } } } }, async ({ query }) => {
    const stored = await timages.builds(query.timage)
    const all = stored.map((one) => builder.find(one.id) ?? one).map((one) => (isLocal(one) ? told(one) : one) as StoredBuild)
    const builds = all.filter(({ phase }) => query.phase === undefined || phase === query.phase).toSorted((a, b) => ((a.createTime ?? '') < (b.createTime ?? '') ? 1 : -1))
    return { builds: builds.slice(0, query.limit) }
  })

  http.get<{ Params: { id: string } }>('/v1/builds/:id', { schema: { summary: 'A build', tags: ['builds'], params: idParameter, response: { 200: buildSchema, '4xx': problem } } }, async ({ params }) => {
    const found = await find(params.id)
    return isLocal(found) ? told(found) : found
  })

  http.get<{ Params: { id: string } }>('/v1/builds/:id/events', { schema: { summary: 'What a build tells, as server-sent events phase, note, progress; ends with the build', description: 'Last-Event-ID resumes. Of a build of another pod, phases only.', tags: ['builds'], params: idParameter, produces: ['text/event-stream'] } }, async (request, reply) => {
    const found = await find(request.params.id)
    const gone = new AbortController()
    request.raw.on('close', () => gone.abort())
    const after = Number(request.headers['last-event-id'] ?? 0)
    const events = isLocal(found) ? found.log.follow(Number.isSafeInteger(after) ? after : 0, gone.signal) : followStored(timages, found, gone.signal)
    reply.hijack()
    await sendEvents(reply.raw, events, gone.signal)
  })

  http.post<{ Params: { id: string }; Body?: { person?: string } | null }>('/v1/builds/:id/cancel', { schema: { summary: 'Cancels a build', tags: ['builds'], params: idParameter, body: { type: ['object', 'null'], properties: { person: text('who') } }, response: { 202: buildSchema, '4xx': problem } } }, async ({ params, body }, reply) => {
    const found = await find(params.id)
    const person = body?.person ?? ''
    reply.code(202)
    if (isLocal(found)) {
      found.cancel(person)
      await found.done.catch(() => {})
      return told(found)
    }
    if (!found.running) throw new Failure('BUILD_ENDED', `build ${found.id} has ended: ${found.message}`, { remedy: 'there is nothing left to cancel' })
    // Its builder ends it when it next tells how far it is.
    await timages.fail(found.timage, found.id, `cancelled${person === '' ? '' : ` by ${person}`} (build again)`)
    return (await timages.findBuild(params.id)) ?? notFound(params.id)
  })

  http.post<{ Params: { id: string } }>('/v1/builds/:id/retry', { schema: { summary: 'Builds once more from the upload of a build that failed', tags: ['builds'], params: idParameter, response: { 202: buildSchema, '4xx': problem } } }, async ({ params }, reply) => {
    const found = await find(params.id)
    if (found.phase !== 'Failed') throw new Failure('BUILD_NOT_ENDED', `build ${params.id} has not failed: it is ${found.phase}`, { remedy: 'only builds that failed are tried again' })
    const origin = origins.get(params.id)
    if (origin === undefined) throw new Failure('UPLOAD_GONE', `build ${params.id} was not made from an upload that is known here`, { remedy: 'upload the package, and POST /v1/builds' })
    return create(origin.request, reply)
  })

  http.post<{ Body: RebaseRequest }>('/v1/rebases', { schema: { summary: 'Puts a new base image or supervisor under the releases of servers, without their packages', description: 'Of each TImage the release that its server runs, else the newest. The result is a new release; deploying it is another step.', tags: ['rebases'], body: rebaseSchema, response: { 200: rebasedSchema, '4xx': problem, '5xx': problem } } }, async ({ body }) => {
    if (body.baseImage === '' && !body.supervisor) throw new Failure('FORM_INVALID', 'there is nothing to do', { remedy: 'send baseImage, supervisor, or both' })
    return { rebases: await rebaseReleases(body, options) }
  })

  http.get('/v1/openapi.json', { schema: { hide: true } }, () => http.swagger())
}

const isLocal = (build: Build | StoredBuild): build is Build => 'facts' in build

interface Acceptable {
  readonly timage: string
  readonly request: ReturnType<typeof checkForm>
  readonly received: Package
}

/** Hands a package to the builder; one that is not taken goes back. */
async function accept({ builder, podName }: ResourceApiOptions, { timage, request, received }: Acceptable): Promise<Build> {
  try {
    await recognise(received.file)
    return await builder.accept(releaseId(podName, Date.now()), timage, request, received)
  } catch (error) {
    await received.release(false)
    throw byOwnName(error, received)
  }
}

function resourceOf(build: Build, handler: string): object {
  const { id, timage, image, base, request, createTime } = build.facts
  return {
    id, timage, image, baseImage: base.image, serverType: request.serverType, createPerson: request.createPerson, mark: request.mark, createTime, phase: build.phase, message: build.message, handler,
    ...(build.position === undefined ? {} : { position: build.position }), ...(build.result === undefined ? {} : { digest: build.result.digest }),
  }
}

/** A problem as JSON (RFC 9457), with the code of the failure. */
function sendProblem(error: unknown, reply: FastifyReply, log: Logger): void {
  const refused = (error as { statusCode?: number }).statusCode
  const status = error instanceof Failure ? (statuses[error.code] ?? 500) : (refused ?? 500)
  if (status === 500) log.error('a call failed', { error })
  const { code, remedy, retryAfter } = error instanceof Failure ? { code: error.code, remedy: error.remedy, retryAfter: error.context['retryAfter'] } : { code: refused === undefined ? 'INTERNAL' : 'REQUEST_INVALID', remedy: undefined, retryAfter: undefined }
  if (typeof retryAfter === 'number') reply.header('retry-after', retryAfter)
  reply.code(status).type('application/problem+json').send(JSON.stringify({ status, code, title: (error as Error).message, ...(remedy === undefined ? {} : { remedy }) }))
}

