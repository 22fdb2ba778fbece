import { frameworkObjects } from '#api/seed.ts'
import { builtinImages } from '#api/seed/images.ts'
import { resources } from '#api/resources.ts'
import type { ApiObject, TImage } from '#api/types.ts'
import type { Logger } from '#base/log.ts'
import type { KubeClient } from '#kube/client.ts'
import { isAlreadyExists, isConflict, isNotFound } from '#kube/errors.ts'
import type { KubeObject, Resource } from '#kube/types.ts'
import { applyAround } from './apply.ts'
import type { SeedEnv } from './env.ts'
import { clearKevent, keepImages } from './predecessor.ts'

export interface SeedParts {
  readonly client: KubeClient
  readonly log: Logger
  readonly signal?: AbortSignal
  readonly now?: () => number
}

/**
 * Brings the settings of a framework to this version: TTree, TFrameworkConfig, TTemplates and the TImages that it comes
 * with. They are created in the order in which admission wants them; what an operator changed stays, and is logged.
 */
export async function seedFramework(settings: SeedEnv, { client, log, signal, now = Date.now }: SeedParts): Promise<void> {
  const { namespace, images, tag, secret, upload, uploadSecret, elkNodes, bases } = settings
  const time = new Date(now()).toISOString()
  await keepImages(client, namespace, signal)
  await clearKevent(client, namespace, log, signal)
  const image = { image: `${images}/tars.tarsnode:${tag}`, ...(secret === '' ? {} : { secret }) }
  const objects = frameworkObjects({
    namespace, registry: upload, elkNodes, time, roles: [], nodeImage: image, release: { id: tag, image: '' },
    ...(uploadSecret === '' ? {} : { registrySecret: uploadSecret }),
  })
  for (const object of objects) {
    const left = await bring(client, object, signal)
    log.info(left.length === 0 ? 'is of this version' : 'is of this version, but for what others have changed', { kind: object.kind, name: object.metadata.name, ...(left.length === 0 ? {} : { left }) })
  }
  for (const timage of builtinImages({ namespace, images, tag, secret, bases, time })) await offer(client, timage, signal)
}

/** The tree is a record of what was made when, so only a new one is written. */
async function bring(client: KubeClient, object: ApiObject, signal: AbortSignal | undefined): Promise<readonly string[]> {
  const resource = Object.values(resources).find(({ kind }) => kind === object.kind) as unknown as Resource
  if (object.kind !== 'TTree') return applyAround(client, resource, object as never, signal)
  if ((await find(client, resource, object)) === undefined) await client.create(resource, object as never, { signal })
  return []
}

/** The object of this name; undefined when there is none. */
async function find<T extends KubeObject>(client: KubeClient, resource: Resource<T>, { metadata: { namespace, name } }: ApiObject): Promise<T | undefined> {
  return client.get(resource, { namespace, name }).catch((error: unknown) => (isNotFound(error) ? undefined : Promise.reject(error as Error)))
}

/** The CRD takes no more releases. */
const mostReleases = 120

/** Puts the release of this version first in its TImage; older ones stay, for servers that are built on them. */
async function offer(client: KubeClient, wanted: TImage, signal: AbortSignal | undefined): Promise<void> {
  const resource = resources.timages as Resource<TImage>
  for (;;) {
    const live = await find(client, resource, wanted)
    if (live !== undefined && offers(live, wanted)) return
    try {
      if (live === undefined) await client.create(resource, wanted, { signal })
      else {
        const offered = wanted.releases ?? []
        const older = (live.releases ?? []).filter(({ id }) => !offered.some((release) => release.id === id))
        await client.update(resource, { ...live, ...(wanted.supportedType === undefined ? {} : { supportedType: wanted.supportedType }), releases: [...offered, ...older].slice(0, mostReleases) }, { signal })
      }
      return
    } catch (error) {
      if (!isConflict(error) && !isAlreadyExists(error)) throw error
    }
  }
}

/** True when it has the very releases first already. */
function offers(live: TImage, { releases = [] }: TImage): boolean {
  return releases.every((release, index) => {
    const { id, image, secret } = live.releases?.[index] ?? {}
    return id === release.id && image === release.image && secret === release.secret
  })
}
