import type { List } from '#kube/types.ts'
import type { Api, ApiRequest } from '../api.ts'
import { apiVersionOf } from '../definition.ts'
import { ApiError } from '../errors.ts'
import { deleteObject, deleteOptions } from './delete.ts'
import { listObjects } from './list.ts'

/** DELETE of a collection: each selected object is deleted on its own, so admission and finalizers hold for each. */
export async function deleteCollection(api: Api, request: ApiRequest): Promise<List> {
  const options = deleteOptions(request)
  const { items, metadata } = await listObjects(api, request)
  for (const { metadata: { name, namespace = '' } } of items) {
    await deleteObject(api, { ...request, name, namespace }, options).catch((error: unknown) => {
      // Gone in the meantime is what was asked for.
      if (!(error instanceof ApiError && error.code === 404)) throw error
    })
  }
  return { apiVersion: apiVersionOf(request.definition), kind: request.definition.listKind, metadata, items }
}
