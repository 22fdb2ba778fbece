// The TImage that a server's releases are kept in (node-and-image C.2).
import { setTimeout as delay } from 'node:timers/promises'
import { hubApiVersion, labels } from '#api/names.ts'
import { baseMadeBy, baseSelector, usualBase } from '#api/base-image.ts'
import { resources } from '#api/resources.ts'
import type { TImage, TImageBuildState, TImageRelease } from '#api/types.ts'
import { Failure } from '#base/errors.ts'
import type { KubeClient } from '#kube/client.ts'
import { isAlreadyExists, isNotFound } from '#kube/errors.ts'
import type { ServerName } from './names.ts'

export interface Place {
  readonly client: KubeClient
  readonly namespace: string
  readonly signal: AbortSignal
}

/** Milliseconds between two looks at a build. */
const lookMs = 200

export async function findImage({ client, namespace, signal }: Place, name: string): Promise<TImage | undefined> {
  try {
    return await client.get(resources.timages, { namespace, name }, { signal })
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

/** Makes the server's TImage when there is none, with the labels by which it is found for the server. @returns it when it was made */
export async function ensureImage(place: Place, { app, server, object }: Pick<ServerName, 'app' | 'server' | 'object'>): Promise<TImage | undefined> {
  const { client, namespace, signal } = place
  const known = await findImage(place, object)
  const marks = { [labels.app]: app, [labels.server]: server }
  if (known !== undefined && known.imageType !== 'server') {
    throw new Failure('IMAGE_TAKEN', `TImage ${object} holds ${known.imageType} images, not releases of a server`, { remedy: 'delete or rename it' })
  }
  if (known !== undefined) {
    if (known.metadata.labels?.[labels.server] === undefined) await client.patch(resources.timages, { namespace, name: object }, { metadata: { labels: marks } }, { signal })
    return undefined
  }
  const draft: TImage = { apiVersion: hubApiVersion, kind: 'TImage', metadata: { name: object, namespace, labels: marks }, imageType: 'server', releases: [] }
  return client.create(resources.timages, draft, { signal }).catch((error: unknown) => {
    if (isAlreadyExists(error)) return undefined
    throw error
  })
}

/** Takes a TImage back that {@link ensureImage} made, unless somebody has changed it since. Without success it stays, which does no harm. */
export async function removeUnused({ client, namespace }: Place, { metadata: { name, uid, resourceVersion } }: TImage): Promise<void> {
  if (uid === undefined || resourceVersion === undefined) return
  await client.delete(resources.timages, { namespace, name }, { preconditions: { uid, resourceVersion } }).catch(() => {})
}

/**
 * What a release stands on: the image that was asked for, else the cluster's for its type.
 * @param asked a reference, or the name of a base TImage
 * @throws Failure BASE_IMAGE_MISSING
 */
export async function chooseBase(place: Place, serverType: string, asked: string | undefined): Promise<string> {
  if (asked !== undefined) {
    const isName = !/[/:@]/.test(asked)
    if (isName && (await findImage(place, asked))?.imageType !== 'base') throw new Failure('BASE_IMAGE_MISSING', `"${asked}" is neither an image reference nor a TImage of type base`, { remedy: 'give --base-image a reference with its registry, or the name of a base TImage' })
    return asked
  }
  const found = await findBaseImage(place, serverType)
  if (found !== undefined) return found
  const language = baseMadeBy(serverType)
  throw new Failure('BASE_IMAGE_MISSING', `the cluster has no base image for ${serverType}`, { remedy: `${language === undefined ? '' : `make one with "npx tarsk8s base ${language}", or `}name one with --base-image` })
}

async function findBaseImage({ client, namespace, signal }: Place, serverType: string): Promise<string | undefined> {
  const { items } = await client.list(resources.timages, { namespace, labelSelector: baseSelector(serverType), signal })
  return usualBase(items, serverType)?.image
}

/**
 * Follows a build to its end.
 * @param onPhase gets the phase and what it is doing
 * @returns the release it made
 * @throws Failure BUILD_FAILED with the builder's message
 */
export async function followBuild(place: Place, name: string, id: string, onPhase: (state: TImageBuildState) => void): Promise<TImageRelease> {
  for (;;) {
    const image = await findImage(place, name)
    if (image === undefined) throw new Failure('BUILD_FAILED', `TImage ${name} was deleted while it was built`)
    const release = image.releases?.find((one) => one.id === id)
    if (release !== undefined) return release
    const { running, last } = image.build ?? {}
    if (last?.id === id) throw buildFailed(last)
    // It was entered before its upload was answered, so one of the three has it.
    if (running?.id !== id) throw new Failure('BUILD_FAILED', `how build ${id} ended is not known: TImage ${name} has had another one since`, { remedy: 'see whether its releases have it, or release again' })
    onPhase(running)
    await delay(lookMs, undefined, { signal: place.signal })
  }
}

function buildFailed({ message = '', phase = '' }: TImageBuildState): Failure {
  return new Failure('BUILD_FAILED', `the image was not built: ${message === '' ? phase : message}`)
}
