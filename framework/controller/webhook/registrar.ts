import type { Clock } from '#base/clock.ts'
import { Lifetime, type Running } from '#base/lifecycle.ts'
import type { Logger } from '#base/log.ts'
import type { KubeClient } from '#kube/client.ts'
import { isNotFound } from '#kube/errors.ts'
import { Informer } from '#kube/informer.ts'
import { startReconciler, type ReconcileResult } from '#kube/reconciler.ts'
import { secrets } from '#kube/resources.ts'
import type { AnyObject, Resource } from '#kube/types.ts'
import type { KeyPair } from '#kube/x509.ts'
import { contains } from '../desired/contained.ts'
import { isApplied, marked } from '../reconcile/apply.ts'
import { caBundleOf, noCertificates, renewed, signerOf, splitPem, type CertificateLives, type Certificates } from './certificates.ts'
import type { RegisteredObject } from './configurations.ts'
import { readSecret, secretData } from './secret.ts'

export interface RegistrarOptions {
  readonly client: KubeClient
  /** Where the certificates are kept, for all replicas. */
  readonly secret: { readonly namespace: string; readonly name: string }
  readonly hosts: readonly string[]
  readonly objects: readonly RegisteredObject[]
  /** Makes webhook configurations that are missing. */
  readonly create: boolean
  /** Shows a certificate to callers. */
  readonly use: (certificate: KeyPair) => void
  /** How long a new authority is in every object before it signs what is served: API servers learn of changes late. */
  readonly overlapMs: number
  readonly lives?: CertificateLives | undefined
  readonly clock: Clock
  readonly log: Logger
  readonly signal: AbortSignal | undefined
}

/** Keeps certificates and registrations of the webhooks. */
export interface Registrar extends Running {
  /** Why calls would fail, or undefined when they do not. */
  problem(): string | undefined
}

/** Owner of the fields that register the webhooks. */
export const fieldManager = 'tarscontroller-webhooks'

/** How long the news of an own write may take. */
const newsMs = 1000
/** How often certificates are looked at without any event. */
const inspectMs = 3_600_000
/** Two replicas of different versions, as in an upgrade, do not agree: then each writes so often in so long, and no more. */
const patience = { times: 3, ms: 10_000 } as const
const key = 'webhooks'

/**
 * Makes and renews the certificates in the Secret, under optimistic locking so that all replicas agree; shows what is there; and
 * keeps the authorities in everything that registers the webhooks. One pass does it all, after each change of any of the objects.
 */
export async function startRegistrar(options: RegistrarOptions): Promise<Registrar> {
  const lifetime = new Lifetime()
  const stop = (): void => void lifetime.stop()
  options.signal?.addEventListener('abort', stop, { once: true })
  lifetime.onStop(() => options.signal?.removeEventListener('abort', stop))
  try {
    const watch = (resource: Resource, name: string, namespace?: string): Informer => {
      const informer = new Informer({ client: options.client, resource, namespace, fieldSelector: `metadata.name=${name}`, log: options.log })
      lifetime.onStop(() => informer.stop())
      return informer
    }
    const secret = watch(secrets, options.secret.name, options.secret.namespace)
    const objects = options.objects.map((object) => ({ ...object, informer: watch(object.resource, object.name) }))
    const informers = [secret, ...objects.map(({ informer }) => informer)]
    for (const informer of informers) informer.start()
    await Promise.all(informers.map((informer) => informer.synced()))
    const installation = new Installation(options, secret, objects)
    const reconciler = lifetime.own(startReconciler({ name: 'webhooks', workers: 1, capMs: patience.ms, log: options.log, reconcile: (_key, signal) => installation.pass(signal) }))
    for (const informer of informers) informer.onChange(() => reconciler.enqueue(key))
    reconciler.enqueue(key)
    return { problem: () => installation.problem(), stop: () => lifetime.stop(), done: lifetime.done }
  } catch (error) {
    await lifetime.stop()
    throw error
  }
}

interface WatchedObject extends RegisteredObject {
  readonly informer: Informer
}

class Installation {
  readonly #options: RegistrarOptions
  readonly #secret: Informer
  readonly #objects: readonly WatchedObject[]
  /** What is served. */
  #current: Certificates = noCertificates
  /** Version of the Secret over which this replica has just written; `''` for none. */
  #wroteOver: string | undefined
  /** Since when every object has had the newest authority, on the monotonic clock. */
  #carried: { readonly authority: string; readonly since: number } | undefined
  /** What was applied to each object, how often in a row, and since when on the monotonic clock. */
  readonly #written = new Map<string, { readonly text: string; readonly times: number; readonly since: number }>()

  constructor(options: RegistrarOptions, secret: Informer, objects: readonly WatchedObject[]) {
    this.#options = options
    this.#secret = secret
    this.#objects = objects
  }

  problem(): string | undefined {
    const signer = signerOf(this.#current)
    if (signer === undefined) return 'there is no certificate yet'
    const strangers = this.#objects.filter((object) => !this.#carries(object, signer) || !leadsHere(object))
    return strangers.length === 0 ? undefined : `this server is not yet registered in ${strangers.map(({ resource, name }) => `${resource.kind} ${name}`).join(', ')}`
  }

  async pass(signal: AbortSignal): Promise<ReconcileResult> {
    const { clock, hosts, lives } = this.#options
    const found = this.#secret.get(this.#options.secret.namespace, this.#options.secret.name)
    if (this.#wroteOver === versionOf(found)) {
      this.#wroteOver = undefined
      return { requeueAfterMs: newsMs }
    }
    // A Secret that was deleted or emptied comes back as it was: a new authority would be unknown to callers at first.
    const stored = found === undefined ? noCertificates : readSecret(found)
    const given = stored.authorities.length === 0 ? this.#current : stored
    const trusted = this.#trusted(given.authorities[0])
    const wanted = renewed(given, { hosts, now: clock.now(), trusted, lives })
    const kept = found !== undefined && JSON.stringify(secretData(wanted)) === JSON.stringify(secretData(stored))
    // The event of the write brings the next pass; what another replica wrote meanwhile is a conflict, and read then.
    if (!kept) return this.#keep(wanted, found, signal)
    if (this.#current.serving?.cert !== wanted.serving?.cert && wanted.serving !== undefined) this.#options.use(wanted.serving)
    this.#current = wanted
    const waitMs = await this.#register(found, signal)
    const trustMs = this.#note(wanted.authorities[0] ?? '')
    return { requeueAfterMs: Math.min(inspectMs, waitMs, trusted ? inspectMs : trustMs) }
  }

  async #keep(wanted: Certificates, found: AnyObject | undefined, signal: AbortSignal): Promise<ReconcileResult> {
    const { client, log, secret } = this.#options
    log.info('certificates of the webhooks are made or renewed', { ...secret, authorities: wanted.authorities.length })
    if (found === undefined) await client.create(secrets, { metadata: { ...secret }, type: 'Opaque', data: secretData(wanted) } as never, { fieldManager, signal })
    else await client.update(secrets, { ...found, data: { ...found['data'], ...secretData(wanted) } }, { fieldManager, signal })
    this.#wroteOver = versionOf(found)
    return { requeueAfterMs: newsMs }
  }

  #trusted(authority: string | undefined): boolean {
    const { clock, overlapMs } = this.#options
    return this.#carried !== undefined && this.#carried.authority === authority && clock.monotonic() - this.#carried.since >= overlapMs
  }

  /** Notes whether all objects have the newest authority. @returns milliseconds until it may sign what is served */
  #note(authority: string): number {
    const { clock, overlapMs } = this.#options
    const everywhere = this.#objects.every((object) => this.#carries(object, authority))
    if (!everywhere) this.#carried = undefined
    else if (this.#carried?.authority !== authority) this.#carried = { authority, since: clock.monotonic() }
    // Never 0: this pass still held it for not trusted.
    return this.#carried === undefined ? inspectMs : Math.max(1, overlapMs - (clock.monotonic() - this.#carried.since))
  }

  /** True when callers that read this object trust the authority. */
  #carries({ informer, name }: WatchedObject, authority: string): boolean {
    const bundles = clientConfigs(informer.get(undefined, name)).map(({ caBundle = '' }) => splitPem(Buffer.from(caBundle, 'base64').toString('utf8')))
    return bundles.length > 0 && bundles.every((bundle) => bundle.includes(authority))
  }

  /** @returns milliseconds until there is more to write */
  async #register(secret: AnyObject, signal: AbortSignal): Promise<number> {
    const { client, clock, create, log } = this.#options
    const caBundle = caBundleOf(this.#current)
    const different = this.#objects.map((object) => ({ ...object, wanted: object.fields(caBundle), current: object.informer.get(undefined, object.name) }))
      .filter(({ wanted, current }) => current === undefined || !isApplied(wanted, current))
    if (different.length === 0) return inspectMs
    // With old certificates the new ones of another replica would be taken out again.
    if (!(await this.#isCurrent(secret, signal))) return patience.ms
    let waitMs = inspectMs
    for (const { resource, name, wanted, current } of different) {
      // What is not ours to make is registered when it comes, as is the conversion of a kind.
      if (current === undefined && (!create || 'spec' in wanted)) continue
      const text = JSON.stringify(wanted)
      const leftMs = this.#pauseMs(name, text)
      if (leftMs > 0) {
        waitMs = Math.min(waitMs, leftMs)
        continue
      }
      log.info('webhooks are registered', { kind: resource.kind, name })
      if (await replaceAddress(client, resource, { current, wanted, signal })) continue
      await client.apply(resource, marked(wanted), { fieldManager, force: true, signal })
      const { times = 0, since = clock.monotonic() } = this.#written.get(name) ?? {}
      this.#written.set(name, { text, times: times + 1, since })
    }
    return waitMs
  }

  /** Milliseconds for which an object is left as others want it. */
  #pauseMs(name: string, text: string): number {
    const before = this.#written.get(name)
    const leftMs = before?.text === text ? patience.ms - (this.#options.clock.monotonic() - before.since) : 0
    if (leftMs <= 0) this.#written.delete(name)
    return leftMs > 0 && (before?.times ?? 0) >= patience.times ? leftMs : 0
  }

  async #isCurrent({ metadata }: AnyObject, signal: AbortSignal): Promise<boolean> {
    const { client, secret } = this.#options
    const live = await client.get(secrets, secret, { signal }).catch((error: unknown) => (isNotFound(error) ? undefined : Promise.reject(error)))
    return live?.metadata.resourceVersion === metadata.resourceVersion
  }
}

const versionOf = (object: AnyObject | undefined): string => object?.metadata.resourceVersion ?? ''

/** True when callers that read this object come to our address. */
function leadsHere({ informer, name, fields }: WatchedObject): boolean {
  const [{ caBundle: _, ...address } = {}] = clientConfigs(fields('') as AnyObject)
  return contains(clientConfigs(informer.get(undefined, name))[0], address)
}

const ours = /\.tars\.io(-\d+)?$/

interface ClientConfig {
  readonly url?: string
  readonly service?: object
  readonly caBundle?: string
}

/** How the API server calls, in each webhook of ours in an object. */
function clientConfigs(object: AnyObject | undefined): ClientConfig[] {
  const conversion = object?.['spec']?.conversion?.webhook?.clientConfig as ClientConfig | undefined
  const webhooks = (object?.['webhooks'] ?? []) as { readonly name: string; readonly clientConfig: ClientConfig }[]
  return conversion === undefined ? webhooks.filter(({ name }) => ours.test(name)).map(({ clientConfig }) => clientConfig) : [conversion]
}

interface Replacement {
  readonly current: AnyObject | undefined
  readonly wanted: object
  readonly signal: AbortSignal
}

/** A url and a service exclude each other, and application alone removes nothing of others. @returns true when it had to be done */
async function replaceAddress(client: KubeClient, resource: Resource, { current, wanted, signal }: Replacement): Promise<boolean> {
  const [[now = {}], [then = {}]] = [clientConfigs(current), clientConfigs(wanted as AnyObject)]
  const obsolete = (['url', 'service'] as const).find((field) => now[field] !== undefined && then[field] === undefined)
  if (obsolete === undefined || current === undefined) return false
  const body = 'webhooks' in wanted ? { webhooks: wanted.webhooks } : { spec: { conversion: { webhook: { clientConfig: { ...then, [obsolete]: null } } } } }
  await client.patch(resource, { name: current.metadata.name }, body, { fieldManager, signal })
  return true
}
