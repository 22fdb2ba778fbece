import { Failure } from '#base/errors.ts'
import type { Resource } from './types.ts'

/** Query parameters; undefined ones are left out. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>

export interface PathOptions {
  readonly namespace?: string | undefined
  readonly name?: string | undefined
  readonly subresource?: string | undefined
}

/** Path of a collection, an object or a subresource (Kubernetes API Concepts, "Resource URIs"). */
export function resourcePath(resource: Resource, { namespace, name, subresource }: PathOptions = {}): string {
  const parts = [resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`]
  if (resource.namespaced && namespace !== undefined && namespace !== '') parts.push('namespaces', encodeURIComponent(namespace))
  parts.push(resource.plural)
  if (name !== undefined) parts.push(encodeURIComponent(requireName(resource, name)))
  if (subresource !== undefined) parts.push(...subresource.split('/').map(encodeURIComponent))
  return parts.join('/')
}

function requireName(resource: Resource, name: string): string {
  if (name !== '' && name !== '.' && name !== '..') return name
  throw new Failure('KUBE_NAME_INVALID', `a ${resource.kind} cannot be named ${JSON.stringify(name)}`, { remedy: 'give its metadata.name' })
}

export function withQuery(path: string, query: Query): string {
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) if (value !== undefined) search.set(key, String(value))
  const text = search.toString()
  return text === '' ? path : `${path}?${text}`
}
