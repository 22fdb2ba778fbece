import { randomUUID } from 'node:crypto'
import https from 'node:https'
import { Failure } from '#base/errors.ts'
import type { AdmissionReview, ConversionReview } from '#kube/admission.ts'
import type { AnyObject } from '#kube/types.ts'
import type { AdmissionHook, AdmissionRule, Convert } from './api.ts'
import type { MatchCondition, MatchConditions } from './cel/match-conditions.ts'
import { ApiError } from './errors.ts'
import { at, isObject } from './json.ts'
import type { Store } from './store.ts'

// Admission and conversion webhooks that objects in the cluster register, called over HTTPS
// (Kubernetes, "Dynamic Admission Control" and "Webhook conversion").

interface ClientConfig {
  readonly url?: string
  readonly service?: { readonly namespace: string; readonly name: string; readonly path?: string; readonly port?: number }
  /** Base64 of a PEM text. */
  readonly caBundle?: string
}

interface Webhook {
  readonly name: string
  readonly clientConfig: ClientConfig
  readonly rules?: readonly AdmissionRule[]
  readonly failurePolicy?: 'Fail' | 'Ignore'
  readonly objectSelector?: unknown
  readonly namespaceSelector?: unknown
  readonly timeoutSeconds?: number
  readonly matchPolicy?: 'Exact' | 'Equivalent'
  readonly matchConditions?: readonly MatchCondition[]
}

const mutating = 'admissionregistration.k8s.io/mutatingwebhookconfigurations'
const validating = 'admissionregistration.k8s.io/validatingwebhookconfigurations'
const maxAnswerBytes = 16 * 1024 * 1024

/** The hooks that webhook configurations register now; by name of the configuration, in their order. */
export function registeredHooks(store: Store, conditions: MatchConditions): AdmissionHook[] {
  const of = (collection: string, phase: AdmissionHook['phase']) =>
    store.list(collection).flatMap((configuration) => ((configuration['webhooks'] ?? []) as Webhook[]).map((webhook) => hookOf(webhook, phase, { store, conditions })))
  return [...of(mutating, 'mutating'), ...of(validating, 'validating')]
}

function hookOf(webhook: Webhook, phase: AdmissionHook['phase'], { store, conditions }: { readonly store: Store; readonly conditions: MatchConditions }): AdmissionHook {
  const { name, rules = [], failurePolicy, objectSelector, namespaceSelector, matchPolicy, matchConditions = [], clientConfig, timeoutSeconds = 10 } = webhook
  return {
    name, phase, rules, failurePolicy, objectSelector, namespaceSelector, matchPolicy,
    ...(matchConditions.length === 0 ? {} : { matches: (request) => conditions.hold(matchConditions, request) }),
    async review(request) {
      const review: AdmissionReview = { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', request }
      const { response } = (await call(store, clientConfig, review, timeoutSeconds * 1000)) as AdmissionReview
      if (response?.uid !== request.uid) throw new Failure('WEBHOOK_ANSWER_INVALID', `the webhook ${name} answered no response for the request's uid`, { remedy: 'return an AdmissionReview of admission.k8s.io/v1 with response.uid of the request' })
      return response
    },
  }
}

/** Converts through the webhook that a CRD names. */
export function conversionWebhook(store: Store, crd: AnyObject): Convert {
  return async (objects, desiredAPIVersion) => {
    const config = at(crd, ['spec', 'conversion', 'webhook', 'clientConfig']) as ClientConfig | undefined
    const uid = randomUUID()
    const review: ConversionReview = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'ConversionReview', request: { uid, desiredAPIVersion, objects: [...objects] } }
    const answer = await call(store, config ?? {}, review, 30_000).catch((error: unknown) => {
      throw new ApiError(500, 'InternalError', `conversion webhook for ${crd.metadata.name} failed: ${(error as Error).message}`)
    })
    const { response } = answer as ConversionReview
    if (response?.result.status === 'Success' && Array.isArray(response.convertedObjects)) return response.convertedObjects
    throw new ApiError(500, 'InternalError', `conversion webhook for ${crd.metadata.name} failed: ${response?.result.message ?? 'no response'}`)
  }
}

interface Endpoint {
  readonly url: URL
  /** Name in the certificate, when it is not the URL's host. */
  readonly servername?: string
}

/** A service is reached at the first ready address of its Endpoints. */
function endpointOf(store: Store, { url, service }: ClientConfig): Endpoint {
  if (url !== undefined) return { url: new URL(url) }
  if (service === undefined) throw new Failure('WEBHOOK_UNREACHABLE', 'its clientConfig has neither url nor service', { remedy: 'set one of them' })
  const { namespace, name, path = '/', port = 443 } = service
  const host = readyAddress(store, { namespace, name }, port)
  if (host === undefined) throw new Failure('WEBHOOK_UNREACHABLE', `the service ${namespace}/${name} has no ready endpoint`, { remedy: 'start its pods' })
  return { url: new URL(`https://${host}${path}`), servername: `${name}.${namespace}.svc` }
}

interface Port {
  readonly name?: string
  readonly port: number
}

interface Subset {
  readonly addresses?: readonly { readonly ip: string }[]
  readonly ports?: readonly Port[]
}

/** `ip:port` behind a port of a service. */
function readyAddress(store: Store, service: { readonly namespace: string; readonly name: string }, port: number): string | undefined {
  const ports = (at(store.get({ collection: '/services', ...service }), ['spec', 'ports']) ?? []) as Port[]
  const portName = ports.find((candidate) => candidate.port === port)?.name ?? ''
  const subsets = (store.get({ collection: '/endpoints', ...service })?.['subsets'] ?? []) as Subset[]
  const [first] = subsets.flatMap(({ addresses = [], ports: targets = [] }) =>
    targets.filter((target) => (target.name ?? '') === portName).flatMap((target) => addresses.map(({ ip }) => `${ip}:${target.port}`)))
  return first
}

async function call(store: Store, config: ClientConfig, body: object, timeoutMs: number): Promise<unknown> {
  const { url, servername } = endpointOf(store, config)
  const ca = config.caBundle === undefined || config.caBundle === '' ? undefined : Buffer.from(config.caBundle, 'base64').toString('utf8')
  const payload = Buffer.from(JSON.stringify(body))
  const answer = await new Promise<Buffer>((resolve, reject) => {
    const request = https.request(url, {
      method: 'POST', agent: false, signal: AbortSignal.timeout(timeoutMs),
      headers: { 'content-type': 'application/json', 'content-length': payload.length },
      ...(ca === undefined ? {} : { ca }),
      ...(servername === undefined ? {} : { servername }),
    }, (response) => {
      const chunks: Buffer[] = []
      let size = 0
      response.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > maxAnswerBytes) request.destroy(new Error(`the answer has more than ${maxAnswerBytes} bytes`))
        chunks.push(chunk)
      })
      response.on('error', reject)
      response.on('end', () => (response.statusCode === 200 ? resolve(Buffer.concat(chunks)) : reject(new Error(`the webhook answered ${response.statusCode}`))))
    })
    request.on('error', reject)
    request.end(payload)
  })
  const value: unknown = JSON.parse(answer.toString('utf8'))
  if (!isObject(value)) throw new Error('the webhook answered no object')
  return value
}
