import { createHash, timingSafeEqual } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Failure } from '#base/errors.ts'
import { Lifetime, type Running } from '#base/lifecycle.ts'
import { silentLogger, type Logger } from '#base/log.ts'
import { BlobStore } from './blobs.ts'
import { OciError } from './errors.ts'
import { ManifestStore } from './manifests.ts'
import { route, type Stores } from './routes.ts'
import { UploadStore } from './uploads.ts'

export interface OciRegistryOptions {
  /** Data folder; made when missing. One process at a time may serve it. */
  readonly dir: string
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Default 0: any free port. */
  readonly port?: number
  /** Basic authentication for everything; none when left out. */
  readonly auth?: { readonly username: string; readonly password: string }
  readonly log?: Logger
}

export interface OciRegistry extends Running {
  /** `host:port`, the registry part of image references. */
  readonly address: string
}

/** An unfinished upload is kept for so long after its last byte. Milliseconds. */
const uploadLifeMs = 24 * 3600_000

/**
 * Serves the OCI distribution-spec 1.1 over plain HTTP from a folder: content-addressed, every change by atomic rename,
 * so that a kill at any moment loses no finished blob or manifest and leaves uploads resumable.
 * @throws REGISTRY_LISTEN when the address cannot be bound
 */
export async function startOciRegistry(options: OciRegistryOptions): Promise<OciRegistry> {
  const { dir, host = '127.0.0.1', port = 0, log = silentLogger } = options
  const blobs = new BlobStore(dir)
  const stores: Stores = { blobs, uploads: new UploadStore(dir, blobs), manifests: new ManifestStore(dir, blobs) }
  await rm(blobs.temporary, { recursive: true, force: true })
  for (const folder of ['tmp', 'uploads', join('blobs', 'sha256'), 'repositories']) await mkdir(join(dir, folder), { recursive: true })
  await stores.uploads.expire(uploadLifeMs, Date.now())

  const allowed = authorizer(options.auth)
  const server = createServer({ requestTimeout: 0 }, (request, response) => void handle({ stores, allowed, log }, request, response))
  server.keepAliveTimeout = 60_000
  await listen(server, host, port)
  const lifetime = new Lifetime()
  lifetime.onStop(() => close(server))
  const bound = server.address() as AddressInfo
  return { address: `${bound.family === 'IPv6' ? `[${bound.address}]` : bound.address}:${bound.port}`, done: lifetime.done, stop: () => lifetime.stop() }
}

interface Context {
  readonly stores: Stores
  readonly allowed: (request: IncomingMessage) => boolean
  readonly log: Logger
}

async function handle(context: Context, request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.setHeader('docker-distribution-api-version', 'registry/2.0')
  try {
    if (!context.allowed(request)) {
      response.setHeader('www-authenticate', 'Basic realm="registry"')
      throw new OciError('UNAUTHORIZED', 'user and password are needed')
    }
    await route(context.stores, request, response)
  } catch (error) {
    if (!(error instanceof OciError) && !request.destroyed && !isCut(error)) context.log.error('registry request failed', { method: request.method, path: request.url, error })
    respondError(request, response, error)
  }
}

function isCut(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code
  return code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE'
}

function respondError(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  if (response.headersSent || response.destroyed) {
    response.destroy()
    return
  }
  const known = error instanceof OciError
  const body = known ? error.body : JSON.stringify({ errors: [{ code: 'UNKNOWN', message: 'the registry failed; its log says why' }] })
  // The rest of an unread body would be taken for the next request.
  const headers = request.complete ? {} : { connection: 'close' }
  response.writeHead(known ? error.status : 500, { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)), ...headers }).end(body)
}

function authorizer(auth: OciRegistryOptions['auth']): (request: IncomingMessage) => boolean {
  if (auth === undefined) return () => true
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest()
  const wanted = hash(`Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}`)
  return (request) => timingSafeEqual(hash(request.headers.authorization ?? ''), wanted)
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(new Failure('REGISTRY_LISTEN', `the registry cannot listen on ${host}:${port}`, { cause, remedy: 'choose another address or port, or stop what uses it' })))
    server.listen(port, host, resolve)
  })
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeIdleConnections()
    setTimeout(() => server.closeAllConnections(), 2000).unref()
  })
}
