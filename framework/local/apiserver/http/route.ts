/** What a path of the resource API names (Kubernetes API Concepts, "Resource URIs"). */
export interface Route {
  readonly group: string
  readonly version: string
  readonly plural: string
  /** `''` when the path has none. */
  readonly namespace: string
  readonly name: string
  readonly subresource: string
}

/** Splits a decoded path; undefined when it is not below /api/v1 or /apis/group/version, or names no collection. */
export function parseRoute(path: string): Route | undefined {
  const parts = path.split('/').filter((part) => part !== '').map(decodePart)
  const root = parts.shift()
  const group = root === 'api' ? '' : root === 'apis' ? (parts.shift() ?? '') : undefined
  const version = parts.shift()
  if (group === undefined || version === undefined || parts.length === 0) return undefined
  return { group, version, ...placeOf(parts) }
}

/** `namespaces/x/pods/y/log` lies in a namespace; `namespaces/x`, `namespaces/x/status` and `namespaces/x/finalize` are the namespace. */
function placeOf(parts: readonly string[]): Omit<Route, 'group' | 'version'> {
  const [first = '', second = '', third = ''] = parts
  const inNamespace = first === 'namespaces' && parts.length >= 3 && third !== 'status' && third !== 'finalize'
  const [plural = '', name = '', ...rest] = inNamespace ? parts.slice(2) : parts
  return { plural, name, subresource: rest.join('/'), namespace: inNamespace ? second : '' }
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}
