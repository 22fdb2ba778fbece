import type { AnyObject } from '#kube/types.ts'
import type { Api, ApiRequest } from './api.ts'
import { apiVersionOf, collectionOf } from './definition.ts'
import { badRequest } from './errors.ts'
import type { Address } from './store.ts'

// What several verbs read out of a request.

export function addressOf(request: Pick<ApiRequest, 'definition' | 'namespace' | 'name'>): Address {
  return { collection: collectionOf(request.definition), namespace: request.definition.namespaced ? request.namespace : '', name: request.name }
}

export const isDryRun = (request: ApiRequest): boolean => {
  const value = request.query.get('dryRun')
  if (value !== null && value !== 'All') throw badRequest(`Invalid value: "${value}": dryRun supports All only`)
  return value === 'All'
}

export const managerOf = (request: ApiRequest): string => request.query.get('fieldManager') ?? request.agent

/** Type and place of a body must be those of the path. */
export function checkIdentity(request: ApiRequest, object: AnyObject): void {
  const { definition, namespace } = request
  const apiVersion = apiVersionOf(definition)
  object.apiVersion ??= apiVersion
  object.kind ??= definition.kind
  if (object.apiVersion !== apiVersion) throw badRequest(`the API version in the data (${object.apiVersion}) does not match the expected API version (${apiVersion})`)
  if (object.kind !== definition.kind) throw badRequest(`${definition.kind} in version "${definition.version}" cannot be handled as a ${object.kind}`)
  const given = object.metadata.namespace
  if (!definition.namespaced) delete object.metadata.namespace
  else if (given !== undefined && given !== '' && given !== namespace) throw badRequest(`the namespace of the provided object does not match the namespace sent on the request`)
  else object.metadata.namespace = namespace
}

/** Shape of the metadata, schema defaults and pruning; unknown fields refuse the request, warn, or pass, as `fieldValidation` says. */
export function prepare(api: Api, request: ApiRequest, object: AnyObject): void {
  api.decodeMetadata(object)
  const unknown = request.definition.prepare(object)
  if (unknown.length === 0) return
  const level = request.query.get('fieldValidation') ?? 'Warn'
  const texts = unknown.map((path) => `unknown field "${path}"`)
  if (level === 'Strict') throw badRequest(`${object.kind} in version "${request.definition.version}" cannot be handled as a ${object.kind}: strict decoding error: ${texts.join(', ')}`)
  if (level === 'Warn') warn(request, texts)
}

/** Adds texts for Warning headers, each once. */
export function warn({ warnings }: ApiRequest, texts: readonly string[]): void {
  warnings.push(...texts.filter((text) => !warnings.includes(text)))
}
