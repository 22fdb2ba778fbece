import type { Clock } from '#base/clock.ts'
import { isTemporary } from '#base/errors.ts'
import { Lifetime, type Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import { retry } from '#base/retry.ts'
import { resources } from '#api/resources.ts'
import type { TFrameworkConfig, TTemplate } from '#api/types.ts'
import type { KubeClient } from '#kube/client.ts'
import { isForbidden, KubeError } from '#kube/errors.ts'
import { Informer } from '#kube/informer.ts'
import type { Resource } from '#kube/types.ts'
import type { ControllerSettings } from '../env.ts'
import { mutate, validate } from './admit.ts'
import type { CertificateLives } from './certificates.ts'
import { hostsOf, registeredObjects } from './configurations.ts'
import { identities } from './identities.ts'
import { cachedReaders } from './readers.ts'
import { startRegistrar } from './registrar.ts'
import { registrations } from './registrations.ts'
import { startWebhookServer } from './serve.ts'
import type { Readers } from './types.ts'

export interface WebhooksOptions {
  readonly client: KubeClient
  readonly settings: Pick<ControllerSettings, 'namespace' | 'home' | 'user' | 'webhook'>
  readonly lives?: CertificateLives
  /** Default: the API server's, so that all replicas agree, whatever their machines' clocks say. */
  readonly clock?: Clock
  readonly log: Logger
  /** Ends it, also while it only starts. */
  readonly signal?: AbortSignal
}

/** Running webhooks, which every replica serves. */
export interface Webhooks extends Running {
  readonly port: number
  /** Why calls would fail, or undefined when they do not. */
  problem(): string | undefined
}

/**
 * Serves the webhooks and registers them in the cluster. It resolves once it listens and knows what the cluster holds; callers are
 * well served when {@link Webhooks.problem} says nothing any more.
 */
export async function startWebhooks({ client, settings, lives, clock = client.clock, log, signal }: WebhooksOptions): Promise<Webhooks> {
  const { webhook, namespace, home } = settings
  const lifetime = new Lifetime()
  const stop = (): void => void lifetime.stop()
  signal?.addEventListener('abort', stop, { once: true })
  lifetime.onStop(() => signal?.removeEventListener('abort', stop))
  let leaving = false
  // An API server that is away is waited for, as informers do; one that has just started does not know yet what anybody may ask.
  const ask = <T>(question: () => Promise<T>): Promise<T> => retry(question, {
    attempts: Infinity, when: (error) => isTemporary(error) || isForbidden(error), ...(signal === undefined ? {} : { signal }),
    onRetry: (error, _attempt, retryInMs) => log.info('the API server is asked again', { error, retryInMs: Math.round(retryInMs) }),
  })
  try {
    const controllerUser = settings.user ?? (await ask(() => ownUser(client))) ?? `system:serviceaccount:${home}:tars-controller`
    const readers = startReaders(client, namespace, log, lifetime)
    const options = { identities: identities(controllerUser), now: () => clock.now() }
    const server = lifetime.own(await startWebhookServer({
      ...webhook, log,
      mutate: (request) => mutate(request, readers, options),
      validate: (request) => validate(request, readers, options),
    }))
    const address = 'url' in webhook.address ? { url: withPort(webhook.address.url, server.port) } : webhook.address
    const registrar = lifetime.own(await startRegistrar({
      client, clock, log, lives, signal, hosts: hostsOf(address),
      secret: { namespace: home, name: webhook.secret },
      objects: registeredObjects({ registrations: registrations(readers, options), address, controllerUser, namespace, matchConditions: await ask(() => knowsMatchConditions(client)) }),
      overlapMs: webhook.overlapMs,
      create: webhook.create,
      use: (certificate) => server.use(certificate),
    }))
    lifetime.onStop(() => { leaving = true })
    return { port: server.port, problem: () => (leaving ? 'it is stopping' : registrar.problem()), stop: () => lifetime.stop(), done: lifetime.done }
  } catch (error) {
    await lifetime.stop()
    throw error
  }
}

/** A URL with port 0 is that of the port that was taken. */
function withPort(url: string, port: number): string {
  const parsed = new URL(url)
  if (parsed.port === '0') parsed.port = String(port)
  return parsed.href
}

/**
 * Templates and settings are read at each write of a TServer: they come from memory. What was made a moment ago, or is not yet
 * known, is asked of the API server.
 */
function startReaders(client: KubeClient, namespace: string | undefined, log: Logger, lifetime: Lifetime): Readers {
  const templates = new Informer<TTemplate>({ client, namespace, log, resource: resources.ttemplates, transform: (template) => ({ ...template, spec: { ...template.spec, content: '' } }) })
  const frameworks = new Informer<TFrameworkConfig>({ client, namespace, log, resource: resources.tframeworkconfigs })
  for (const informer of [templates, frameworks]) {
    lifetime.onStop(() => informer.stop())
    informer.synced().catch(() => {})
    informer.start()
  }
  return cachedReaders(client, [{ resource: resources.ttemplates, informer: templates }, { resource: resources.tframeworkconfigs, informer: frameworks }] as unknown as { resource: Resource<never>; informer: Informer<never> }[])
}

/** Whether conditions are part of this API server's webhook configurations: from 1.28 on. */
async function knowsMatchConditions(client: KubeClient): Promise<boolean> {
  const { major, minor } = (await client.raw('GET', '/version')) as { major: string; minor: string }
  return Number(major) > 1 || Number.parseInt(minor, 10) >= 28
}

/** The user as whom this process is known; undefined when the API server does not say, as before 1.28. */
async function ownUser(client: KubeClient): Promise<string | undefined> {
  const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }
  try {
    const { status } = (await client.raw('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', review)) as { status?: { userInfo?: { username?: string } } }
    return status?.userInfo?.username
  } catch (error) {
    if (error instanceof KubeError && (error.status === 404 || isForbidden(error))) return undefined
    throw error
  }
}
