import { labels } from '#api/names.ts'
import type { KubeClient } from '#kube/client.ts'
import { daemonSets, events, persistentVolumeClaims, podDisruptionBudgets, pods, services, statefulSets } from '#kube/resources.ts'
import type { AnyObject, Resource } from '#kube/types.ts'
import { tars } from './space.ts'

const looked = {
  servers: tars('tservers'), endpoints: tars('tendpoints'), records: tars('texitedrecords'), configs: tars('tconfigs'), templates: tars('ttemplates'),
  trees: tars('ttrees'), accounts: tars('taccounts'), images: tars('timages'), frameworks: tars('tframeworkconfigs'),
  services, statefulSets, daemonSets, budgets: podDisruptionBudgets, pods, claims: persistentVolumeClaims, events,
} as const
/** These kinds hold things that are no framework's, too. */
const shared: readonly Resource[] = [services, statefulSets, daemonSets, podDisruptionBudgets, pods, persistentVolumeClaims]

/** What there is, by kind. */
export type Snapshot = Readonly<Record<keyof typeof looked, readonly AnyObject[]>>

export async function snapshotOf(client: KubeClient): Promise<Snapshot> {
  const entries = Object.entries(looked).map(async ([name, resource]) => {
    const { items } = await client.list(resource, shared.includes(resource) ? { labelSelector: labels.server } : {})
    return [name, items] as const
  })
  return Object.fromEntries(await Promise.all(entries)) as unknown as Snapshot
}

/** What of it is in a namespace. */
export function within(snapshot: Snapshot, namespace: string): Snapshot {
  return Object.fromEntries(Object.entries(snapshot).map(([name, objects]) => [name, objects.filter(({ metadata }) => metadata.namespace === namespace)])) as unknown as Snapshot
}

/** What is not the same any more, by kind and name; somebody writes it again and again. */
export function changesBetween(before: Snapshot, after: Snapshot): string[] {
  const versions = new Map(Object.values(before).flat().map(({ metadata }) => [metadata.uid, metadata.resourceVersion]))
  return Object.values(after).flat().flatMap(({ kind, metadata }) => (versions.get(metadata.uid) === metadata.resourceVersion ? [] : [`${kind} ${metadata.namespace ?? ''}/${metadata.name}`]))
}
