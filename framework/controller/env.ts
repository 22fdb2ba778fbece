import { readEnv } from '#base/env.ts'
import { Failure } from '#base/errors.ts'
import type { Environment } from '#base/lifecycle.ts'
import type { WebhookAddress } from './webhook/configurations.ts'

/** What the role does, from its environment. */
export interface ControllerSettings {
  /** Namespace: the only one that it works for; all when absent. */
  readonly namespace: string | undefined
  /** TARSCONTROLLER_RUN: `all` (default), `reconcilers` or `webhooks`. */
  readonly run: { readonly reconcilers: boolean; readonly webhooks: boolean }
  /** TARSCONTROLLER_NAMESPACE, else the pod's: where Lease, Secret and Service are. */
  readonly home: string
  /** TARSCONTROLLER_ELECT: several replicas elect the one that reconciles. Default true. */
  readonly elect: boolean
  /** TARSCONTROLLER_USER: user of the reconcilers. Default: this process's own, if it reconciles; else ServiceAccount tars-controller of the home namespace. */
  readonly user: string | undefined
  readonly webhook: {
    /** TARSCONTROLLER_WEBHOOK_LISTEN (default ::) and TARSCONTROLLER_WEBHOOK_PORT (default 9443). */
    readonly host: string
    readonly port: number
    /** TARSCONTROLLER_WEBHOOK_URL, else TARSCONTROLLER_WEBHOOK_SERVICE (default tars-webhook-service) and TARSCONTROLLER_WEBHOOK_SERVICE_PORT (default 443). */
    readonly address: WebhookAddress
    /** TARSCONTROLLER_WEBHOOK_SECRET: keeps the certificates. Default tars-webhook-certificates. */
    readonly secret: string
    /**
     * TARSCONTROLLER_WEBHOOK_CREATE: makes webhook configurations that are missing. Default true. False where a chart makes them, empty,
     * so that they go with it and are not made again by a controller that is just being removed.
     */
    readonly create: boolean
    /** TARSCONTROLLER_WEBHOOK_OVERLAP, in seconds: a new authority is trusted so long before it signs. Default 300. */
    readonly overlapMs: number
    /** TARSCONTROLLER_WEBHOOK_DRAIN, in seconds: goes on serving after it was asked to stop. Default 5. */
    readonly drainMs: number
  }
  /** TARSCONTROLLER_STORAGE_REST, in seconds: API servers know a new storage version by then, and objects are stored anew. Default 30. */
  readonly settleMs: number
  /** TARSCONTROLLER_HEALTH_PORT: /livez, /readyz and /metrics over HTTP; not served when absent. */
  readonly healthPort: number | undefined
}

/** As in K8SFramework (sic): while one is upgraded to the other, only one of them works. */
export const leaseName = 'tars-controller-manger'

const ports = { min: 0, max: 65535 } as const

/**
 * @param podNamespace namespace of the pod or of the kubeconfig's context
 * @throws Failure ENV_INVALID naming the variable
 */
export function controllerEnv(env: Environment, podNamespace: string | undefined): ControllerSettings {
  const read = readEnv(env)
  const run = read.choice('TARSCONTROLLER_RUN', ['all', 'reconcilers', 'webhooks'], 'all')
  const elect = run !== 'webhooks' && read.boolean('TARSCONTROLLER_ELECT', true)
  const home = read.optional('TARSCONTROLLER_NAMESPACE') ?? podNamespace
  if (home === undefined && (elect || run !== 'reconcilers')) {
    throw new Failure('ENV_INVALID', 'environment variable TARSCONTROLLER_NAMESPACE is required outside of a pod', { remedy: 'set TARSCONTROLLER_NAMESPACE; or TARSCONTROLLER_RUN=reconcilers and TARSCONTROLLER_ELECT=false, to run one controller and no webhooks' })
  }
  const health = read.integer('TARSCONTROLLER_HEALTH_PORT', -1, { min: -1, max: ports.max })
  return {
    namespace: read.optional('Namespace'),
    run: { reconcilers: run !== 'webhooks', webhooks: run !== 'reconcilers' },
    home: home ?? '', elect,
    user: read.optional('TARSCONTROLLER_USER') ?? (run === 'webhooks' ? `system:serviceaccount:${home ?? ''}:tars-controller` : undefined),
    webhook: {
      host: read.optional('TARSCONTROLLER_WEBHOOK_LISTEN', '::'),
      port: read.integer('TARSCONTROLLER_WEBHOOK_PORT', 9443, ports),
      address: addressFrom(env, home ?? ''),
      secret: read.optional('TARSCONTROLLER_WEBHOOK_SECRET', 'tars-webhook-certificates'),
      create: read.boolean('TARSCONTROLLER_WEBHOOK_CREATE', true),
      overlapMs: read.integer('TARSCONTROLLER_WEBHOOK_OVERLAP', 300, { min: 0, max: 86_400 }) * 1000,
      drainMs: read.integer('TARSCONTROLLER_WEBHOOK_DRAIN', 5, { min: 0, max: 300 }) * 1000,
    },
    settleMs: read.integer('TARSCONTROLLER_STORAGE_REST', 30, { min: 0, max: 86_400 }) * 1000,
    healthPort: health < 0 ? undefined : health,
  }
}

function addressFrom(env: Environment, namespace: string): WebhookAddress {
  const read = readEnv(env)
  const url = read.optional('TARSCONTROLLER_WEBHOOK_URL')
  if (url === undefined) return { service: { namespace, name: read.optional('TARSCONTROLLER_WEBHOOK_SERVICE', 'tars-webhook-service'), port: read.integer('TARSCONTROLLER_WEBHOOK_SERVICE_PORT', 443, { ...ports, min: 1 }) } }
  if (!URL.canParse(url) || new URL(url).protocol !== 'https:') throw new Failure('ENV_INVALID', `environment variable TARSCONTROLLER_WEBHOOK_URL must be an https URL, not "${url}"`, { remedy: 'set it to e.g. https://10.0.0.7:9443' })
  return { url }
}
