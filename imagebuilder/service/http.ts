import multipart from '@fastify/multipart'
import swagger from '@fastify/swagger'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { randomUUID } from 'node:crypto'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { boundConnections } from '#base/connections.ts'
import { describe, Failure } from '#base/errors.ts'
import { HttpCounters } from '#base/http-counters.ts'
import { metricsType } from '#base/metrics.ts'
import { processMetrics } from '#base/process-metrics.ts'
import { recognise } from '../package/recognise.ts'
import type { Build, Package } from './build.ts'
import type { Builder } from './builder.ts'
import type { HeadStart } from './head-start.ts'
import { releaseId } from './id.ts'
import { byOwnName } from './own-name.ts'
import { checkForm, type BuildRequest } from './request.ts'
import { resourceApi } from './resource-api.ts'
import type { RebasesOptions } from './rebases.ts'
import { receiveUpload, type Upload } from './upload.ts'
import type { Uploads } from './uploads.ts'

export interface HttpOptions extends RebasesOptions {
  readonly builder: Builder
  readonly podName: string
  /** Folder for the uploads of the building call. */
  readonly forms: string
  /** Those of the resource API. */
  readonly uploads: Uploads
  readonly maxUploadBytes: number
}

/** What every answer of the building call looks like (spec C.1). */
interface Reply {
  readonly status: number
  readonly message: string
  readonly result?: { readonly id: string; readonly image: string; readonly secret: string; readonly source: string }
  readonly handler: string
}

/** A whole upload may take so long; a slow line and a large package need it. Milliseconds. */
const uploadLimitMs = 3600_000
const headerLimitMs = 60_000
/** Of JSON, which is kept in memory; packages are not. Bytes: a thousand names of TImages fit into it. */
const bodyLimit = 1 << 20

/** 400 for what the sender can mend in the request, 413 and 429 for size and queue, 503 and 507 for a builder that stops or is full, 500 for the rest. */
const statuses: Readonly<Record<string, number>> = {
  FORM_INVALID: 400, NAME_INVALID: 400, TYPE_INVALID: 400, PACKAGE_FORMAT: 400, UPLOAD_CUT: 400, IMAGE_REFERENCE_INVALID: 400,
  UPLOAD_TOO_LARGE: 413, QUEUE_FULL: 429, STOPPING: 503, DISK_FULL: 507,
}

/** The HTTP interface of tarsimage: `POST /api/{version}/timage/{timage}/building?wait=`, `GET /healthz` and `/metrics`, and the resource API below /v1. */
export async function createHttp(options: HttpOptions): Promise<FastifyInstance> {
  const http = fastify({ logger: false, requestTimeout: uploadLimitMs, bodyLimit, forceCloseConnections: true, routerOptions: { maxParamLength: 300 } })
  http.server.headersTimeout = headerLimitMs
  boundConnections(http.server, 1024)
  const counters = new HttpCounters()
  http.addHook('onResponse', async ({ method, routeOptions }, { statusCode }) => counters.count(method, routeOptions.url, statusCode))
  await http.register(multipart)
  await http.register(swagger, { openapi: { openapi: '3.1.0', info: { title: 'tarsimage', version: '1', description: 'Release packages in, images out.' } } })
  await http.register((scope: FastifyInstance) => resourceApi(scope, options))
  http.get('/healthz', () => ({ status: 'ok' }))
  http.get('/metrics', (_request, reply) => reply.type(metricsType).send(options.builder.metrics() + counters.text() + processMetrics()))
  http.route<{ Params: { timage: string }; Querystring: { wait?: string } }>({
    method: 'POST',
    url: '/api/:version/timage/:timage/building',
    handler: (request, reply) => answer(options, request, reply),
  })
  http.route({ method: ['GET', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS'], url: '/api/:version/timage/:timage/building', handler: (_request, reply) => reply.code(405).header('allow', 'POST').send('') })
  http.setNotFoundHandler((_request, reply) => reply.code(404).send({ status: 404, message: 'no such path', handler: options.podName } satisfies Reply))
  return http
}

async function answer(options: HttpOptions, request: FastifyRequest<{ Params: { timage: string }; Querystring: { wait?: string } }>, reply: FastifyReply): Promise<void> {
  const { podName: handler, log } = options
  const { timage } = request.params
  const wait = request.query.wait === '1' || request.query.wait === 'true'
  try {
    const { accepted, secret } = await take(options, request, timage)
    const result = { id: accepted.facts.id, image: accepted.facts.image, secret, source: timage }
    if (wait) await accepted.done
    const status = wait ? 200 : 201
    await reply.code(status).send({ status, message: wait ? 'OK' : 'Created', result, handler } satisfies Reply)
  } catch (error) {
    const status = error instanceof Failure ? (statuses[error.code] ?? 500) : 500
    if (!(error instanceof Failure)) log.error('building call failed', { timage, error })
    const retryAfter = error instanceof Failure ? error.context['retryAfter'] : undefined
    if (typeof retryAfter === 'number') reply.header('retry-after', retryAfter)
    // What is left of the upload is not read.
    if (!request.raw.complete) reply.header('connection', 'close')
    await reply.code(status).send({ status, message: describe(error), handler } satisfies Reply)
  }
}

async function take(options: HttpOptions, request: FastifyRequest, timage: string): Promise<{ accepted: Build; secret: string }> {
  const { builder, podName, forms, maxUploadBytes } = options
  builder.checkRoom()
  const id = releaseId(podName, Date.now())
  const file = join(forms, randomUUID())
  let begun: { readonly form: BuildRequest; readonly headStart: HeadStart } | undefined
  let upload: Upload | undefined
  const received = (of: Upload): Package => ({ ...of, release: () => remove(file) })
  try {
    upload = await receiveUpload(request, file, maxUploadBytes, (arriving) => {
      const form = ifComplete(arriving.fields, timage)
      const headStart = form && builder.startAhead(id, timage, form, { ...received(arriving), arrival: arriving.arrival })
      if (form !== undefined && headStart !== undefined) begun = { form, headStart }
    })
    const form = checkForm(upload.fields, timage)
    await recognise(file)
    // Fields behind the file may say something else than those before it.
    const headStart = begun !== undefined && isDeepStrictEqual(form, begun.form) ? begun.headStart : await begun?.headStart.drop()
    return { accepted: await builder.accept(id, timage, form, received(upload), headStart ?? undefined), secret: form.secret }
  } catch (error) {
    await begun?.headStart.drop()
    await rm(file, { force: true })
    throw upload === undefined ? error : byOwnName(error, upload)
  }
}

/** The request of a form so far, unless it lacks something: of what may be left out, the base image decides most. */
function ifComplete(fields: ReadonlyMap<string, string>, timage: string): BuildRequest | undefined {
  try {
    return fields.has('BaseImage') ? checkForm(fields, timage) : undefined
  } catch {
    return undefined
  }
}

/** Its name goes at once; its bytes, which take a while, when nobody waits for them. */
async function remove(file: string): Promise<void> {
  const bytes = await open(file).catch(() => undefined)
  await rm(file, { force: true })
  void bytes?.close().catch(() => {})
}
