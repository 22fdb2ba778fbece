import type { TImage, TImageRelease } from '#api/types.ts'
import { describe, Failure } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'
import type { ImageEnv } from '../env.ts'
import { inRegistry, openSource } from '../oci/location.ts'
import { parseReference } from '../oci/reference.ts'
import { Rebaser } from '../rebase.ts'
import { readSupervisors } from '../supervisor.ts'
import { registryAccess } from './access.ts'
import type { ClusterFacts } from './cluster.ts'
import { releaseId } from './id.ts'
import type { TImageStore } from './timage.ts'

export interface RebaseRequest {
  /** Names of server TImages. */
  readonly timages: readonly string[]
  /** A reference, or the name of a base TImage; empty: each image keeps its own. */
  readonly baseImage: string
  readonly baseImageSecret: string
  /** Puts the builder's own supervisor under the images. */
  readonly supervisor: boolean
  readonly createPerson: string
  readonly mark: string
}

/** What became of one TImage. */
export type Rebased = { readonly timage: string; readonly from?: string } & ({ readonly release: string; readonly image: string; readonly digest: string } | { readonly unchanged: true } | { readonly code: string; readonly title: string })

export interface RebasesOptions {
  readonly env: ImageEnv
  readonly timages: TImageStore
  readonly cluster: ClusterFacts
  readonly log: Logger
}

/** Images under way at once: a rebase waits for the registry most of its time. */
const width = 4

/**
 * Puts a new base or supervisor under the release that each server runs, or, where it runs none, under its newest: the
 * result is a new release of the TImage. One that fails stops no other.
 * @throws FRAMEWORK_CONFIG_*, BASE_IMAGE_MISSING, SECRET_MISSING, SUPERVISOR_INVALID
 */
export async function rebaseReleases(request: RebaseRequest, options: RebasesOptions): Promise<readonly Rebased[]> {
  const { cluster, env } = options
  const framework = await cluster.framework()
  const base = request.baseImage === '' ? undefined : await cluster.base(request.baseImage, request.baseImageSecret)
  const supervisors = request.supervisor ? { supervisors: await readSupervisors(env.supervisor) } : {}
  const signing = await cluster.signingKey(env.signSecret)
  const rebasers = new Map<string, Promise<Rebaser>>()
  /** Each secret has its rebaser: credentials of one do not reach for the images of another. */
  const rebaserOf = (secret: string): Promise<Rebaser> => {
    const known = rebasers.get(secret)
    if (known !== undefined) return known
    const made = (async () => {
      const [push, pull] = await Promise.all([secret, base?.secret || secret].map((name) => registryAccess(name, cluster, env)))
      return new Rebaser({ ...supervisors, ...signing, sbom: env.sbom, access: push ?? {}, ...(base && { base: openSource(inRegistry(base.image), pull ?? {}) }) })
    })()
    rebasers.set(secret, made)
    return made
  }
  const outcomes: Rebased[] = []
  const rest = [...new Set(request.timages)].entries()
  const work = async (): Promise<void> => {
    for (const [index, timage] of rest) {
      outcomes[index] = await one(timage, request, options, { keep: framework.recordLimit.timageRelease, secret: framework.imageUpload.secret ?? '', rebaserOf }).catch((error: unknown): Rebased => {
        options.log.error('rebase failed', { timage, error })
        return { timage, code: error instanceof Failure ? error.code : 'INTERNAL', title: describe(error) }
      })
    }
  }
  await Promise.all(Array.from({ length: width }, work))
  for (const rebaser of rebasers.values()) await rebaser.then((made) => made.close(), () => {})
  return outcomes
}

interface Means {
  /** Releases that a TImage keeps. */
  readonly keep: number
  /** For releases that name none. */
  readonly secret: string
  rebaserOf(secret: string): Promise<Rebaser>
}

async function one(timage: string, request: RebaseRequest, { env, timages, cluster, log }: RebasesOptions, { keep, secret, rebaserOf }: Means): Promise<Rebased> {
  const old = releaseOf(await timages.get(timage), await cluster.deployed(timage))
  const id = releaseId(env.podName, Date.now())
  const rebaser = await rebaserOf(old.secret || secret)
  const rebased = await rebaser.rebase(parseReference(old.image), id)
  if (!rebased.changed) return { timage, from: old.id, unchanged: true }
  const { createPerson } = request
  await timages.addRelease(timage, { ...old, id, image: rebased.image, createPerson, createTime: new Date().toISOString(), mark: request.mark || `rebased from ${old.id}` }, keep)
  log.info('image rebased', { timage, id, from: old.id, digest: rebased.digest })
  return { timage, from: old.id, release: id, image: rebased.image, digest: rebased.digest }
}

/** @throws TIMAGE_TYPE, RELEASE_MISSING */
function releaseOf({ metadata: { name }, imageType, releases = [] }: TImage, deployed: string | undefined): TImageRelease {
  if (imageType !== 'server') throw new Failure('TIMAGE_TYPE', `TImage ${name} is of type ${imageType}, and only those of servers are rebased`, { remedy: 'name TImages of servers' })
  const release = releases.find(({ id }) => id === deployed) ?? releases[0]
  if (release === undefined) throw new Failure('RELEASE_MISSING', `TImage ${name} has no release`, { remedy: 'upload a package' })
  return release
}
