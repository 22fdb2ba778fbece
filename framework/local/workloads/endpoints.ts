import type { KubeClient } from '#kube/client.ts'
import { isAlreadyExists, isNotFound } from '#kube/errors.ts'
import { splitKey } from '#kube/types.ts'
import { isReady, selects } from '../pods/hosts.ts'
import { endpointsResource } from '../pods/kinds.ts'
import type { EndpointAddress, EndpointSubset, Endpoints, Pod, Service, ServicePort } from '../pods/kinds.ts'

/**
 * The addresses behind a service with a selector: ready pods and those that are not yet (Kubernetes API reference,
 * "Endpoints v1 core").
 */
function endpointSubsets(service: Service, pods: readonly Pod[]): EndpointSubset[] {
  const chosen = pods
    .filter((pod) => pod.metadata.namespace === service.metadata.namespace && selects(service.spec.selector, pod))
    .filter((pod) => pod.status?.podIP !== undefined && pod.metadata.deletionTimestamp === undefined && pod.status.phase === 'Running')
    .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
  if (chosen.length === 0) return []
  const isIn = (pod: Pod): boolean => service.spec.publishNotReadyAddresses === true || isReady(pod)
  const addresses = chosen.filter(isIn).map((pod) => address(service, pod))
  const notReadyAddresses = chosen.filter((pod) => !isIn(pod)).map((pod) => address(service, pod))
  const ports = (service.spec.ports ?? []).map((port) => ({ ...(port.name === undefined ? {} : { name: port.name }), port: targetPort(port, chosen), protocol: port.protocol ?? 'TCP' }))
  return [{
    ...(addresses.length === 0 ? {} : { addresses }),
    ...(notReadyAddresses.length === 0 ? {} : { notReadyAddresses }),
    ...(ports.length === 0 ? {} : { ports }),
  }]
}

function address(service: Service, { metadata, spec, status }: Pod): EndpointAddress {
  const { name, namespace = 'default', uid = '' } = metadata
  return {
    ip: status?.podIP ?? '',
    ...(spec.hostname !== undefined && spec.subdomain === service.metadata.name ? { hostname: spec.hostname } : {}),
    ...(spec.nodeName === undefined ? {} : { nodeName: spec.nodeName }),
    targetRef: { kind: 'Pod', namespace, name, uid },
  }
}

function targetPort({ port, targetPort: target = port }: ServicePort, pods: readonly Pod[]): number {
  if (typeof target === 'number') return target
  const found = pods.flatMap(({ spec }) => spec.containers).flatMap(({ ports = [] }) => ports).find(({ name }) => name === target)
  return found?.containerPort ?? port
}

/** Keeps the Endpoints object of a service; removes it with the service. */
export async function reconcileEndpoints(client: KubeClient, key: string, service: Service | undefined, pods: readonly Pod[]): Promise<void> {
  const { namespace = 'default', name } = splitKey(key)
  if (service !== undefined && Object.keys(service.spec.selector ?? {}).length === 0) return // somebody else's to fill
  const before = await client.get(endpointsResource, { namespace, name }).catch((error: unknown) => (isNotFound(error) ? undefined : Promise.reject(error)))
  if (service === undefined) {
    if (before !== undefined) await client.delete(endpointsResource, { namespace, name }).catch(() => {})
    return
  }
  const subsets = endpointSubsets(service, pods)
  if (before !== undefined && JSON.stringify(before.subsets ?? []) === JSON.stringify(subsets)) return
  const endpoints: Endpoints = { apiVersion: 'v1', kind: 'Endpoints', metadata: { name, namespace, labels: service.metadata.labels ?? {} }, subsets }
  if (before !== undefined) await client.patch(endpointsResource, { namespace, name }, { subsets })
  else {
    await client.create(endpointsResource, endpoints).catch((error: unknown) => {
      if (!isAlreadyExists(error)) throw error
    })
  }
}
