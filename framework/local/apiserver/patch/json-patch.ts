import fastJsonPatch from 'fast-json-patch'
import type { Operation } from 'fast-json-patch'
import { ApiError, badRequest } from '../errors.ts'
import { clone, isObject } from '../json.ts'

/** Most operations a patch may have, as in Kubernetes. */
const maxOperations = 10_000

/**
 * RFC 6902 on a copy of `document`.
 * @throws ApiError 400 when it is no patch, 422 when an operation (also `test`) does not hold
 */
export function applyJsonPatch<T>(document: T, patch: unknown): T {
  if (!Array.isArray(patch) || !patch.every((step) => isObject(step) && typeof step['op'] === 'string' && typeof step['path'] === 'string')) {
    throw badRequest('a JSON patch must be an array of operations with op and path (RFC 6902)')
  }
  if (patch.length > maxOperations) throw new ApiError(413, 'RequestEntityTooLarge', `The allowed maximum operations in a JSON patch is ${maxOperations}, got ${patch.length}`)
  try {
    return fastJsonPatch.applyPatch(clone(document), clone(patch) as Operation[], true).newDocument
  } catch (error) {
    const { name, index, operation } = error as { name?: string; index?: number; operation?: Operation }
    const step = operation === undefined ? '' : ` at operation ${index ?? 0} (${operation.op} ${operation.path})`
    throw new ApiError(422, 'Invalid', `the server rejected our request due to an error in our request: ${name ?? 'patch failed'}${step}`)
  }
}
