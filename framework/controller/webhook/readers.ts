import type { KubeClient } from '#kube/client.ts'
import { isNotFound } from '#kube/errors.ts'
import type { Informer } from '#kube/informer.ts'
import type { KubeObject, Resource } from '#kube/types.ts'
import type { Readers } from './types.ts'

/** Asks the API server each time. */
export function liveReaders(client: KubeClient): Readers {
  return {
    async get(resource, namespace, name) {
      try {
        return await client.get(resource, { namespace, name })
      } catch (error) {
        if (isNotFound(error)) return undefined
        throw error
      }
    },
    list: async (resource, namespace, labelSelector) => (await client.list(resource, { namespace, labelSelector })).items,
  }
}

/**
 * Asks informers first. What they lack is asked of the API server, as it may have been created a moment ago; so are lists, whose
 * gaps cannot be seen.
 */
export function cachedReaders(client: KubeClient, informers: readonly { readonly resource: Resource<never>; readonly informer: Informer<never> }[]): Readers {
  const live = liveReaders(client)
  const byPlural = new Map(informers.map(({ resource, informer }) => [resource.plural, informer as unknown as Informer]))
  return {
    list: live.list,
    get: async <T extends KubeObject>(resource: Resource<T>, namespace: string, name: string) =>
      (byPlural.get(resource.plural)?.get(namespace, name) as T | undefined) ?? live.get(resource, namespace, name),
  }
}
