// The TServer that a deployment makes or changes.
import type { Instance } from '#api/instances.ts'
import { hubApiVersion } from '#api/names.ts'
import { resources } from '#api/resources.ts'
import type { TImage, TImageRelease, TServer } from '#api/types.ts'
import { Failure } from '#base/errors.ts'
import { retry } from '#base/retry.ts'
import { isConflict } from '#kube/errors.ts'
import type { ServerName } from './names.ts'
import { mergeServants, type GivenServant } from './servants.ts'
import { withSets } from './sets.ts'
import type { Place } from './timage.ts'

/** What the operator asked for; what is undefined stays as it is. */
export interface Wish {
  readonly release: TImageRelease | undefined
  readonly template: string | undefined
  readonly servants: readonly GivenServant[]
  /** In place of all that there are. */
  readonly sets: readonly Instance[] | undefined
  readonly replicas: number | undefined
  readonly profile: string | undefined
  /** RFC 3339. */
  readonly now: string
}

/** Template of a server type when none is given (framework-services G). */
const templates: Readonly<Record<string, string>> = {
  cpp: 'tars.cpp', go: 'tars.go', nodejs: 'tars.nodejs', 'nodejs-pkg': 'tars.nodejs', 'java-jar': 'tars.java', 'java-war': 'tars.java', php: 'tars.php',
}
const rootTemplate = 'tars.default'

/**
 * Candidates for the template of a new server, best first: of the type its image was built for, then the root.
 */
export function templatesFor(image: TImage | undefined): readonly string[] {
  const type = image?.build?.last?.serverType ?? ''
  const own = templates[type]
  return own === undefined ? [rootTemplate] : [own, rootTemplate]
}

/** What `--release` takes for the newest one. */
export const newestRelease = 'latest'

/**
 * The release named, or the newest one. A server that runs one already keeps it unless another is named.
 * @returns undefined when it stays as it is, or when the image has none
 * @throws Failure RELEASE_UNKNOWN
 */
export function chooseRelease(image: TImage | undefined, id: string | undefined, known: TServer | undefined): TImageRelease | undefined {
  const releases = image?.releases ?? []
  if (id === undefined) return known?.spec.release === undefined ? releases[0] : undefined
  const found = releases.find((release) => release.id === id) ?? (id === newestRelease ? releases[0] : undefined)
  if (found !== undefined) return found
  const shown = releases.slice(0, 5).map((release) => release.id).join(', ')
  throw new Failure('RELEASE_UNKNOWN', `there is no release ${id}`, { remedy: shown === '' ? 'make one with "tarsk8s release"' : `the newest are ${shown}` })
}

/**
 * A new TServer; the cluster's admission fills in its defaults.
 * @param like what it is made after where nothing is asked for: of a variant, the first TServer of the server. Its number of pods and their sets are its own.
 */
export function newServer({ app, server, variant, object }: ServerName, namespace: string, wish: Wish, like?: TServer): object {
  const { release, template = rootTemplate, profile, replicas = 1, now } = wish
  const { instances: _, ...tars } = like?.spec.tars ?? { template, servants: [] }
  const { replicas: _replicas, autoscaling: _autoscaling, ...k8s } = like?.spec.k8s ?? {}
  return {
    apiVersion: hubApiVersion,
    kind: 'TServer',
    metadata: { name: object, namespace },
    spec: {
      ...(like === undefined ? {} : { important: like.spec.important, release: like.spec.release }),
      app,
      server,
      ...(variant === undefined ? {} : { variant }),
      subType: 'tars',
      tars: { ...tars, ...(wish.template === undefined ? {} : { template }), ...changesOfServants(wish, tars.servants), ...(profile === undefined ? {} : { profile }), ...(wish.sets === undefined ? {} : { instances: wish.sets }) },
      k8s: { ...k8s, replicas },
      ...(release === undefined ? {} : { release: releaseOf(release, now) }),
    },
  }
}

/** A merge patch (RFC 7386) that changes what was asked for and nothing else. */
function changeOf(known: TServer, wish: Wish): object {
  const { release, template, sets, replicas, profile, now } = wish
  const tars = {
    ...(template === undefined ? {} : { template }),
    ...(profile === undefined ? {} : { profile }),
    ...changesOfServants(wish, known.spec.tars?.servants ?? []),
    ...(sets === undefined ? {} : { instances: withSets(known.spec.tars?.instances ?? [], sets) }),
  }
  const spec = {
    ...(Object.keys(tars).length === 0 ? {} : { tars }),
    ...(replicas === undefined ? {} : { k8s: { replicas } }),
    ...(release === undefined || runs(known, release) ? {} : { release: { ...releaseOf(release, now), secret: secretOf(release) ?? null } }),
  }
  return Object.keys(spec).length === 0 ? {} : { spec }
}

function changesOfServants({ servants }: Wish, known: Parameters<typeof mergeServants>[1]): object {
  return servants.length === 0 ? {} : { servants: mergeServants(servants, known) }
}

function releaseOf(release: TImageRelease, time: string): object {
  const { id, image } = release
  const secret = secretOf(release)
  return { id, image, time, ...(secret === undefined ? {} : { secret }) }
}

const secretOf = ({ secret }: { readonly secret?: string }): string | undefined => (secret === '' ? undefined : secret)

/** Whether nothing of the release is other: its image may have moved to another registry, or have another secret. */
function runs({ spec: { release } }: TServer, wanted: TImageRelease): boolean {
  return release?.id === wanted.id && release.image === wanted.image && secretOf(release) === secretOf(wanted)
}

/**
 * Writes what was asked for over what is known, and if somebody has written in between, over what that has become.
 * @param known read before
 * @returns what the server is now; `known` itself when nothing was to be written
 */
export async function changeServer({ client, namespace, signal }: Place, known: TServer, wish: Wish): Promise<TServer> {
  const { name } = known.metadata
  return retry(async (attempt) => {
    const current = attempt === 1 ? known : await client.get(resources.tservers, { namespace, name }, { signal })
    const change = changeOf(current, wish)
    if (Object.keys(change).length === 0) return current
    const { resourceVersion } = current.metadata
    return client.patch(resources.tservers, { namespace, name }, { ...change, metadata: { resourceVersion } }, { type: 'merge', signal })
  }, { when: isConflict, baseMs: 20, signal })
}
