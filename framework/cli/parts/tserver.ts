// The TServer that a deployment makes or changes. Pure.
import type { Instance } from '#api/instances.ts'
import { hubApiVersion } from '#api/names.ts'
import type { TImage, TImageRelease, TServer } from '#api/types.ts'
import { Failure } from '#base/errors.ts'
import type { ServerName } from './names.ts'
import { mergeServants, type GivenServant } from './servants.ts'
import { withSets } from './sets.ts'

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
export function changeOf(known: TServer, wish: Wish): object {
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
    ...(release === undefined || release.id === known.spec.release?.id ? {} : { release: releaseOf(release, now) }),
  }
  return Object.keys(spec).length === 0 ? {} : { spec }
}

function changesOfServants({ servants }: Wish, known: Parameters<typeof mergeServants>[1]): object {
  return servants.length === 0 ? {} : { servants: mergeServants(servants, known) }
}

function releaseOf({ id, image, secret }: TImageRelease, time: string): object {
  return { id, image, time, ...(secret === undefined || secret === '' ? {} : { secret }) }
}
