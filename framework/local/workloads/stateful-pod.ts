import type { Claim, Pod, Volume } from '../pods/kinds.ts'
import { revisionLabel } from './kinds.ts'
import type { PodTemplate, StatefulSet } from './kinds.ts'
import { controllerReference } from './revisions.ts'

/** `<template>-<set>-<ordinal>` */
export function claimName(set: StatefulSet, template: string, ordinal: number): string {
  return `${template}-${set.metadata.name}-${ordinal}`
}

/** The pod of an ordinal: the template with its identity (Kubernetes, "StatefulSets", Pod Identity). */
export function statefulPod(set: StatefulSet, ordinal: number, template: PodTemplate, revision: string): Pod {
  const name = `${set.metadata.name}-${ordinal}`
  const labels = {
    ...template.metadata?.labels,
    [revisionLabel]: revision,
    'statefulset.kubernetes.io/pod-name': name,
    'apps.kubernetes.io/pod-index': String(ordinal),
  }
  const claimed = (set.spec.volumeClaimTemplates ?? []).map(({ metadata }): Volume => ({ name: metadata.name, persistentVolumeClaim: { claimName: claimName(set, metadata.name, ordinal) } }))
  const names = new Set(claimed.map((volume) => volume.name))
  const volumes = [...(template.spec.volumes ?? []).filter((volume) => !names.has(volume.name)), ...claimed]
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      generateName: `${set.metadata.name}-`,
      namespace: set.metadata.namespace ?? 'default',
      labels,
      ...(template.metadata?.annotations === undefined ? {} : { annotations: template.metadata.annotations }),
      ownerReferences: [controllerReference(set)],
    },
    spec: {
      ...template.spec,
      hostname: name,
      ...(set.spec.serviceName === undefined || set.spec.serviceName === '' ? {} : { subdomain: set.spec.serviceName }),
      ...(volumes.length === 0 ? {} : { volumes }),
    },
  }
}

/** The claims of an ordinal, from the set's templates. */
export function statefulClaims(set: StatefulSet, ordinal: number): Claim[] {
  return (set.spec.volumeClaimTemplates ?? []).map(({ metadata, spec }) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      ...metadata,
      name: claimName(set, metadata.name, ordinal),
      namespace: set.metadata.namespace ?? 'default',
      labels: { ...metadata.labels, ...set.spec.selector.matchLabels },
    },
    spec,
  }))
}
