import { openSync, closeSync, ftruncateSync, readFileSync, writeSync } from 'node:fs'
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Pod, Service } from './kinds.ts'

const clusterDomain = 'cluster.local'

/**
 * Text of the hosts(5) file that all pods share: what cluster DNS would answer for pods and services (Kubernetes, "DNS for
 * Services and Pods"). A service has one line a ready pod, unless it publishes those that are not ready, so that names
 * resolve to the first of them.
 */
export function hostsText(pods: readonly Pod[], services: readonly Service[]): string {
  const lines = ['127.0.0.1 localhost', '::1 localhost ip6-localhost ip6-loopback']
  for (const pod of pods) if (pod.status?.podIP !== undefined) lines.push(`${pod.status.podIP} ${podNames(pod).join(' ')}`)
  for (const service of services) lines.push(...serviceLines(service, pods))
  return `${lines.join('\n')}\n`
}

function podNames({ metadata, spec }: Pod): string[] {
  const { name, namespace = 'default' } = metadata
  const host = spec.hostname ?? name
  const names = new Set([name, host])
  if (spec.subdomain !== undefined) for (const domain of domains(namespace, spec.subdomain)) names.add(`${host}.${domain}`)
  return [...names]
}

/** `svc`, `svc.ns`, `svc.ns.svc`, `svc.ns.svc.cluster.local` */
function domains(namespace: string, service: string): string[] {
  return [service, `${service}.${namespace}`, `${service}.${namespace}.svc`, `${service}.${namespace}.svc.${clusterDomain}`]
}

function serviceLines({ metadata, spec }: Service, pods: readonly Pod[]): string[] {
  const { name, namespace = 'default' } = metadata
  const names = domains(namespace, name).join(' ')
  return pods
    .filter((pod) => (pod.metadata.namespace ?? 'default') === namespace && selects(spec.selector, pod) && pod.metadata.deletionTimestamp === undefined)
    .filter((pod) => pod.status?.podIP !== undefined && (spec.publishNotReadyAddresses === true || isReady(pod)))
    .map((pod) => `${pod.status?.podIP ?? ''} ${names}`)
}

/** Whether a service's selector, which must not be empty, chooses the pod. */
export function selects(selector: Readonly<Record<string, string>> | undefined, pod: Pod): boolean {
  const wanted = Object.entries(selector ?? {})
  return wanted.length > 0 && wanted.every(([key, value]) => pod.metadata.labels?.[key] === value)
}

export function isReady(pod: Pod): boolean {
  return pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') === true
}

/**
 * Rewrites the file in place, because containers have this very inode mounted. Readers may meet the file between two
 * states for a moment; the longest common start is left alone so that they hardly ever do.
 * @returns false when nothing had to be written
 */
export function rewriteInPlace(file: string, text: string): boolean {
  mkdirSync(dirname(file), { recursive: true })
  const fd = openSync(file, 'a+', 0o644)
  closeSync(fd)
  const before = readFileSync(file)
  const after = Buffer.from(text)
  if (before.equals(after)) return false
  const writer = openSync(file, 'r+')
  try {
    writeSync(writer, after, 0, after.length, 0)
    ftruncateSync(writer, after.length)
  } finally {
    closeSync(writer)
  }
  return true
}
