import type { Affinity, NodeSelectorRequirement, PreferredSchedulingTerm } from 'kubernetes-types/core/v1.d.ts'
import { abilityLabel, isLabel, nodeLabel } from '#api/names.ts'
import type { TServer } from '#api/types.ts'
import { namespaceOf, serverLabels } from '../meta.ts'

/** Which nodes the pods may and should run on (control-plane spec C.4; the order of expressions is a compatibility promise). */
export function podAffinity(server: TServer): Affinity {
  const { k8s } = server.spec
  const preferred = k8s.daemonSet ? [] : preferredTerms(server)
  return {
    nodeAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: requiredExpressions(server) }] },
      ...(preferred.length === 0 ? {} : { preferredDuringSchedulingIgnoredDuringExecution: preferred }),
    },
    ...(k8s.notStacked && !k8s.daemonSet ? { podAntiAffinity: apart(server) } : {}),
  }
}

const exists = (key: string): NodeSelectorRequirement => ({ key, operator: 'Exists' })

function requiredExpressions(server: TServer): NodeSelectorRequirement[] {
  const namespace = namespaceOf(server)
  const { app, server: name, k8s, release } = server.spec
  const own = k8s.nodeSelector.map(({ key, operator, values }): NodeSelectorRequirement => ({ key, operator, ...(values === undefined ? {} : { values: [...values] }) }))
  return [
    ...own,
    exists(nodeLabel(namespace)),
    ...(k8s.daemonSet ? [] : {
      AppRequired: [exists(abilityLabel(namespace, app))],
      ServerRequired: [exists(abilityLabel(namespace, app, name))],
      AppOrServerPreferred: [],
      None: [],
    }[k8s.abilityAffinity]),
    // Contradicts the line above: a DaemonSet that has no release is there, but fits no node.
    ...(k8s.daemonSet && release === undefined ? [{ key: nodeLabel(namespace), operator: 'DoesNotExist' }] : []),
  ]
}

function preferredTerms(server: TServer): PreferredSchedulingTerm[] {
  const { app, server: name, k8s } = server.spec
  if (k8s.abilityAffinity !== 'AppOrServerPreferred') return []
  const namespace = namespaceOf(server)
  const term = (weight: number, key: string): PreferredSchedulingTerm => ({ weight, preference: { matchExpressions: [exists(key)] } })
  // What no node can have is preferred by nobody, and Kubernetes would refuse the pods for it.
  return [[60, abilityLabel(namespace, app, name)] as const, [30, abilityLabel(namespace, app)] as const].filter(([, key]) => isLabel(key)).map(([weight, key]) => term(weight, key))
}

function apart(server: TServer): NonNullable<Affinity['podAntiAffinity']> {
  return {
    requiredDuringSchedulingIgnoredDuringExecution: [
      { labelSelector: { matchLabels: serverLabels(server) }, namespaces: [namespaceOf(server)], topologyKey: 'kubernetes.io/hostname' },
    ],
  }
}
