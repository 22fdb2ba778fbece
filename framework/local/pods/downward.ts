import { availableParallelism, totalmem } from 'node:os'
import { Failure } from '#base/errors.ts'
import type { Container, Pod, ResourceFieldSelector } from './kinds.ts'

/**
 * A pod's field by path (Kubernetes, "Downward API"): metadata.{name,namespace,uid}, labels and annotations whole or by
 * key, spec.{nodeName,serviceAccountName}, status.{hostIP,hostIPs,podIP,podIPs}.
 * @throws CONTAINER_CONFIG for a path that is not one of these
 */
export function fieldValue(pod: Pod, path: string): string {
  const { metadata, spec, status } = pod
  const keyed = /^metadata\.(labels|annotations)\['([^']+)'\]$/.exec(path)
  if (keyed !== null) return metadata[keyed[1] as 'labels' | 'annotations']?.[keyed[2] ?? ''] ?? ''
  const fields: Readonly<Record<string, () => string>> = {
    'metadata.name': () => metadata.name,
    'metadata.namespace': () => metadata.namespace ?? 'default',
    'metadata.uid': () => metadata.uid ?? '',
    'metadata.labels': () => quoted(metadata.labels),
    'metadata.annotations': () => quoted(metadata.annotations),
    'spec.nodeName': () => spec.nodeName ?? '',
    'spec.serviceAccountName': () => spec.serviceAccountName ?? 'default',
    'status.hostIP': () => status?.hostIP ?? '',
    'status.hostIPs': () => status?.hostIP ?? '',
    'status.podIP': () => status?.podIP ?? '',
    'status.podIPs': () => status?.podIPs?.map(({ ip }) => ip).join(',') ?? '',
  }
  const field = Object.hasOwn(fields, path) ? fields[path] : undefined
  if (field === undefined) throw new Failure('CONTAINER_CONFIG', `fieldPath "${path}" is not supported`, { remedy: `use one of ${Object.keys(fields).join(', ')}` })
  return field()
}

/** `key="value"` lines, sorted, as the downward API writes maps. */
function quoted(map: Readonly<Record<string, string>> | undefined): string {
  return Object.entries(map ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => `${key}=${JSON.stringify(value)}`).join('\n')
}

/** A container's limit or request divided by the divisor, rounded up; without a limit, what the machine has. */
export function resourceValue(pod: Pod, container: Container, { containerName, resource, divisor = 1 }: ResourceFieldSelector): string {
  const from = containerName === undefined ? container : pod.spec.containers.find(({ name }) => name === containerName)
  const [kind = '', name = ''] = resource.split('.')
  const set = kind === 'limits' ? from?.resources?.limits : from?.resources?.requests
  const machine: Readonly<Record<string, number>> = kind === 'limits' ? { cpu: availableParallelism(), memory: totalmem() } : {}
  const value = set?.[name] === undefined ? (machine[name] ?? 0) : quantity(set[name])
  const unit = quantity(divisor)
  return String(Math.ceil(value / (unit === 0 ? 1 : unit)))
}

const suffixes: Readonly<Record<string, number>> = {
  '': 1, n: 1e-9, u: 1e-6, m: 1e-3, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18,
  Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30, Ti: 2 ** 40, Pi: 2 ** 50, Ei: 2 ** 60,
}

/** A Kubernetes quantity as a number, e.g. `500m` is 0.5; NaN is never returned: nonsense is a Failure. */
export function quantity(text: string | number): number {
  const [, digits = '', suffix = ''] = /^([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)([A-Za-z]*)$/.exec(String(text)) ?? []
  const value = Number(digits) * (suffixes[suffix] ?? Number.NaN)
  if (digits === '' || Number.isNaN(value)) throw new Failure('CONTAINER_CONFIG', `"${text}" is not a resource quantity`, { remedy: 'write it like 500m, 2 or 1.5Gi' })
  return value
}
