// The TImage that a server's releases are kept in (node-and-image C.2).
import { setTimeout as delay } from 'node:timers/promises'
import { hubApiVersion, labels } from '#api/names.ts'
import { resources } from '#api/resources.ts'
import type { TImage, TImageBuildState, TImageRelease } from '#api/types.ts'
import { Failure } from '#base/errors.ts'
import type { KubeClient } from '#kube/client.ts'
import { isAlreadyExists, isNotFound } from '#kube/errors.ts'

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

/** Makes the server's TImage when there is none. */
export async function ensureImage(place: Place, name: string): Promise<void> {
  const known = await findImage(place, name)
  if (known !== undefined && known.imageType !== 'server') {
    throw new Failure('IMAGE_TAKEN', `TImage ${name} holds ${known.imageType} images, not releases of a server`, { remedy: 'delete or rename it' })
  }
  if (known !== undefined) return
  const draft: TImage = { apiVersion: hubApiVersion, kind: 'TImage', metadata: { name, namespace: place.namespace }, imageType: 'server', releases: [] }
  await place.client.create(resources.timages, draft, { signal: place.signal }).catch((error: unknown) => {
    if (!isAlreadyExists(error)) throw error
  })
}

/** The image reference of the default, else newest, release of a base image for a type; undefined when there is none. */
export async function findBaseImage({ client, namespace, signal }: Place, serverType: string): Promise<string | undefined> {
  const labelSelector = `${labels.imageType}=base,${labels.supportedPrefix}${serverType}`
  const { items } = await client.list(resources.timages, { namespace, labelSelector, signal })
  return items.map((image) => (image.releases?.find(({ id }) => id === image.default) ?? image.releases?.[0])?.image).find((image) => image !== undefined)
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
    if (running?.id === id) onPhase(running)
    await delay(lookMs, undefined, { signal: place.signal })
  }
}

function buildFailed({ message = '', phase = '' }: TImageBuildState): Failure {
  return new Failure('BUILD_FAILED', `the image was not built: ${message === '' ? phase : message}`)
}
