// Webhooks of a test's own: HTTPS endpoints that an API server calls with reviews.
import https from 'node:https'
import type { AdmissionRequest, AdmissionResponse, AdmissionReview, ConversionReview } from '#kube/admission.ts'
import { createAuthority, issueCertificate } from '#kube/x509.ts'

type Review = AdmissionReview | ConversionReview

export interface ReviewServer {
  /** As a webhook configuration names an endpoint. */
  at(path: string): { readonly url: string; readonly caBundle: string }
  stop(): Promise<void>
}

/** Serves reviews. @param host where the API server reaches this process, see {@link TestCluster.host} */
export async function serveReviews(host: string, answer: (path: string, review: Review) => Promise<unknown>): Promise<ReviewServer> {
  const authority = createAuthority({ commonName: 'hooks', validDays: 2 })
  const server = https.createServer(issueCertificate(authority, { commonName: 'hook', hosts: [host], validDays: 1 }), (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const path = new URL(request.url ?? '', 'https://hook').pathname
      answer(path, JSON.parse(Buffer.concat(chunks).toString()) as Review).then(
        (review) => response.setHeader('content-type', 'application/json').end(JSON.stringify(review)),
        (error: unknown) => response.writeHead(500).end(String(error)),
      )
    })
  })
  await new Promise<void>((resolve) => server.listen(0, host, resolve))
  const { port } = server.address() as { port: number }
  return {
    at: (path) => ({ url: `https://${host}:${port}${path}`, caBundle: Buffer.from(authority.cert).toString('base64') }),
    async stop() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** The review with its answer. */
export async function admissionAnswer(review: Review, judge: (request: AdmissionRequest) => Promise<AdmissionResponse>): Promise<AdmissionReview> {
  const { request } = review as AdmissionReview
  if (request === undefined) throw new Error('a review without a request')
  return { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: await judge(request) }
}
