import type { IncomingMessage, ServerResponse } from 'node:http'
import https from 'node:https'
import { setTimeout as delay } from 'node:timers/promises'
import { boundConnections } from '#base/connections.ts'
import { describe } from '#base/errors.ts'
import { Lifetime, type Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import { pathOf } from '#base/path-of.ts'
import type { AdmissionRequest, AdmissionResponse, AdmissionReview, ConversionReview } from '#kube/admission.ts'
import type { KeyPair } from '#kube/x509.ts'
import { convert } from './convert.ts'
import { Refusal, ReviewReader } from './reviews.ts'

/** Where each webhook is called, below the server's root (control-plane spec 0). */
export const webhookPaths = { mutating: '/mutating', validating: '/validating', conversion: '/conversion' } as const

export interface WebhookServerOptions {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly mutate: (request: AdmissionRequest) => Promise<AdmissionResponse>
  readonly validate: (request: AdmissionRequest) => Promise<AdmissionResponse>
  /** Milliseconds that it goes on serving after it was asked to stop: callers learn late that an endpoint is gone. */
  readonly drainMs: number
  readonly log: Logger
}

/** A server of admission and conversion reviews over TLS. Until it has a certificate every handshake fails. */
export interface WebhookServer extends Running {
  readonly port: number
  /** Shows this certificate to callers from now on; connections that exist go on. */
  use(certificate: KeyPair): void
}

/** An object and its predecessor, of which the API server stores 1.5 MB each; and a list, which is converted in one review. */
const maxBytes = { admission: 16 * 1024 * 1024, conversion: 256 * 1024 * 1024 } as const
/** Longer than the API server keeps an idle connection (90 s), so that no call meets a connection that is just being closed. */
const keepAliveMs = 120_000
const requestMs = 30_000

/** Serves until stopped; calls under way are answered. */
export async function startWebhookServer(options: WebhookServerOptions): Promise<WebhookServer> {
  const { host, port, drainMs, log } = options
  const reviews = new ReviewReader()
  let stopping = false
  const server = https.createServer({ keepAliveTimeout: keepAliveMs, requestTimeout: requestMs }, (request, response) => {
    if (stopping) response.setHeader('connection', 'close')
    answer(request, reviews, options).then(
      (review) => send(response, 200, 'application/json', JSON.stringify(review)),
      (error: unknown) => {
        const status = error instanceof Refusal ? error.status : 500
        if (status === 500) log.error('webhook failed', { path: request.url, error })
        send(response, status, 'text/plain; charset=utf-8', `${describe(error)}\n`)
      },
    )
  })
  boundConnections(server, 1024)
  server.on('tlsClientError', (error) => {
    // Others, such as probes, only hang up; this is a caller that has a caBundle without our authority.
    if (/ALERT_(UNKNOWN_CA|BAD_CERTIFICATE)/.test((error as NodeJS.ErrnoException).code ?? '')) log.info('a caller does not trust the certificate', { error })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  const life = new Lifetime()
  life.onStop(async () => {
    stopping = true
    await delay(drainMs)
    const closed = new Promise((resolve) => server.close(resolve))
    // Connections fall idle one by one as their answers end.
    const sweep = setInterval(() => server.closeIdleConnections(), 20)
    await closed
    clearInterval(sweep)
  })
  server.on('error', (error) => life.fail(error))
  const address = server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    use: (certificate) => server.setSecureContext(certificate),
    stop: () => life.stop(),
    done: life.done,
  }
}

function send(response: ServerResponse, status: number, type: string, text: string): void {
  const payload = Buffer.from(text)
  response.writeHead(status, { 'content-type': type, 'content-length': payload.length }).end(payload)
}

async function answer(request: IncomingMessage, reviews: ReviewReader, { mutate, validate }: WebhookServerOptions): Promise<object> {
  const pathname = pathOf(request.url)
  if (!(Object.values(webhookPaths) as string[]).includes(pathname)) throw new Refusal(404, `there is no webhook at ${pathname}`, `use ${Object.values(webhookPaths).join(', ')}`)
  if (request.method !== 'POST') throw new Refusal(405, `${request.method ?? ''} is not how a webhook is called`, 'POST a review')
  const review = await reviews.read(request, pathname === webhookPaths.conversion ? maxBytes.conversion : maxBytes.admission)
  if (pathname === webhookPaths.conversion) return convert(expected<ConversionReview>(review, 'apiextensions.k8s.io/v1', 'ConversionReview'))
  const { request: asked } = expected<AdmissionReview>(review, 'admission.k8s.io/v1', 'AdmissionReview')
  const response = await (pathname === webhookPaths.mutating ? mutate : validate)(asked as AdmissionRequest)
  return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response }
}

function expected<T extends { request?: unknown }>(review: unknown, apiVersion: T extends { apiVersion: infer V } ? V : string, kind: string): T {
  const { apiVersion: version, kind: given, request } = (typeof review === 'object' && review !== null ? review : {}) as { apiVersion?: unknown; kind?: unknown; request?: unknown }
  if (version === apiVersion && given === kind && typeof request === 'object' && request !== null) return review as T
  throw new Refusal(400, `the body is no ${kind} of ${String(apiVersion)} with a request`, `register the webhook with ${kind === 'AdmissionReview' ? 'admissionReviewVersions' : 'conversionReviewVersions'} ["v1"]`)
}
