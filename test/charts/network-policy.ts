// What NetworkPolicies let through, by the rules of networking.k8s.io/v1: policies of a pod add up; a pod that no policy of a direction selects is open in it.
import type { AnyObject } from '#kube/types.ts'

/** One end of a connection: a pod, or with an address alone something outside of the pod network. */
export interface End {
  readonly namespace?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly address?: string
}

export interface Attempt {
  readonly from: End
  readonly to: End
  readonly port: number
  readonly protocol?: 'TCP' | 'UDP'
}

interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>
  readonly matchExpressions?: readonly { readonly key: string; readonly operator: string; readonly values?: readonly string[] }[]
}
interface Peer {
  readonly podSelector?: Selector
  readonly namespaceSelector?: Selector
  readonly ipBlock?: { readonly cidr: string }
}
interface Rule {
  readonly from?: readonly Peer[]
  readonly to?: readonly Peer[]
  readonly ports?: readonly { readonly port?: number; readonly endPort?: number; readonly protocol?: string }[]
}

/** Whether a connection passes at both of its ends. */
export function allows(policies: readonly AnyObject[], attempt: Attempt): boolean {
  return passes(policies, 'egress', attempt.from, attempt.to, attempt) && passes(policies, 'ingress', attempt.to, attempt.from, attempt)
}

function passes(policies: readonly AnyObject[], direction: 'ingress' | 'egress', own: End, other: End, attempt: Attempt): boolean {
  if (own.labels === undefined) return true
  const type = direction === 'ingress' ? 'Ingress' : 'Egress'
  const mine = policies.filter(({ metadata, spec }) => metadata.namespace === own.namespace && (spec as { policyTypes: string[] }).policyTypes.includes(type) && selects((spec as { podSelector: Selector }).podSelector, own.labels))
  if (mine.length === 0) return true
  return mine.some(({ metadata, spec }) => ((spec as Record<string, readonly Rule[] | undefined>)[direction] ?? []).some((rule) => {
    const peers = (direction === 'ingress' ? rule.from : rule.to) ?? []
    return (peers.length === 0 || peers.some((peer) => isPeer(peer, other, metadata.namespace ?? ''))) && hasPort(rule, attempt)
  }))
}

function hasPort({ ports = [] }: Rule, { port, protocol = 'TCP' }: Attempt): boolean {
  return ports.length === 0 || ports.some((one) => (one.protocol ?? 'TCP') === protocol && (one.port === undefined || (port >= one.port && port <= (one.endPort ?? one.port))))
}

/** Namespaces have their name as a label, and here no other. */
function isPeer({ podSelector, namespaceSelector, ipBlock }: Peer, end: End, namespace: string): boolean {
  if (ipBlock !== undefined) return end.address !== undefined && inBlock(ipBlock.cidr, end.address)
  if (end.labels === undefined) return false
  const there = namespaceSelector === undefined ? end.namespace === namespace : selects(namespaceSelector, { 'kubernetes.io/metadata.name': end.namespace ?? '' })
  return there && (podSelector === undefined || selects(podSelector, end.labels))
}

function selects({ matchLabels = {}, matchExpressions = [] }: Selector, labels: Readonly<Record<string, string>> = {}): boolean {
  return Object.entries(matchLabels).every(([key, value]) => labels[key] === value) && matchExpressions.every(({ key, operator, values = [] }) => {
    const value = labels[key]
    if (operator === 'Exists') return value !== undefined
    if (operator === 'In') return value !== undefined && values.includes(value)
    if (operator === 'NotIn') return value === undefined || !values.includes(value)
    throw new Error(`no operator ${operator}`)
  })
}

/** IPv4. */
function inBlock(cidr: string, address: string): boolean {
  const [base = '', bits = '32'] = cidr.split('/')
  const number = (text: string): bigint => text.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n)
  const shift = BigInt(32 - Number(bits))
  return number(base) >> shift === number(address) >> shift
}
