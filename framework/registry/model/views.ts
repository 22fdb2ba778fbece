// Which of an object's endpoints a question is answered with (framework-services 1.3, 1.4). Pure.
import { noGroup, type GroupId, type Topology } from '#api/topology.ts'
import type { EndpointF } from '#tars/protocol/QueryF.ts'

/** One place where an object is served; its endpoint says group and set. */
export interface Entry {
  readonly endpoint: EndpointF
  readonly active: boolean
  /** It was active when Kubernetes heard of its machine last. */
  readonly isLost?: boolean
}

/** Where nothing else is active, what was lost is: there may be nothing wrong with it, and Kubernetes be cut off from its machines. */
export function orLost(entries: readonly Entry[]): readonly Entry[] {
  return entries.some(({ active }) => active) ? entries : entries.map((entry) => (entry.isLost === true ? { ...entry, active: true } : entry))
}

/** Where an object is served. */
export interface ServantView {
  readonly active: readonly EndpointF[]
  readonly inactive: readonly EndpointF[]
}

export function viewOf(entries: readonly Entry[]): ServantView {
  const endpoints = (wanted: boolean) => entries.filter(({ active }) => active === wanted).map(({ endpoint }) => endpoint)
  return { active: endpoints(true), inactive: endpoints(false) }
}

const inGroups = (entries: readonly Entry[], groups: ReadonlySet<GroupId>, field: 'groupworkid' | 'grouprealid'): Entry[] => entries.filter(({ endpoint }) => groups.has(endpoint[field]))

/**
 * By priority of groups, until some are active: the caller's own group, those that stand in for it, endpoints that take part
 * in no group, all. Inactive ones are of the same choice. A caller without a group gets all.
 */
export function groupEntries(entries: readonly Entry[], group: GroupId, topology: Topology): readonly Entry[] {
  if (group === noGroup) return entries
  const steps = [new Set([group]), ...topology.substitutes(group), new Set([noGroup])]
  for (const groups of steps) {
    const chosen = inGroups(entries, groups, 'groupworkid')
    if (chosen.some(({ active }) => active)) return chosen
  }
  return entries
}

/** Those that really are in one of the groups, whether they take part or not. */
export function stationEntries(entries: readonly Entry[], groups: ReadonlySet<GroupId>): readonly Entry[] {
  return inGroups(entries, groups, 'grouprealid')
}

/** The parts of `name.area.group`; undefined unless there are three, the first two no wildcard (framework-services 1.4). */
export function parseSet(setId: string): { readonly name: string; readonly area: string; readonly group: string } | undefined {
  const [name = '', area = '', group = '', ...rest] = setId.split('.', 4)
  if (rest.length > 0 || [name, area, group].includes('') || name === '*' || area === '*') return undefined
  return { name, area, group }
}

/** What a server has for one area of a set. */
export interface AreaEntries {
  /** Of all its groups and of the wildcard: what a caller gets that asks for the group `*`. */
  readonly all: readonly Entry[]
  readonly byGroup: ReadonlyMap<string, readonly Entry[]>
}

/**
 * Endpoints by set name and area; those of no valid set are left out.
 * @param declared sets that are there whether anything runs in them or not, as native's rows are: of their names something is known
 */
export function setEntries(entries: readonly Entry[], declared: readonly string[]): ReadonlyMap<string, ReadonlyMap<string, AreaEntries>> {
  const names = new Map<string, Map<string, { all: Entry[]; byGroup: Map<string, Entry[]> }>>()
  for (const setId of declared) {
    const set = parseSet(setId)
    if (set !== undefined) names.set(set.name, new Map())
  }
  for (const entry of entries) {
    const set = parseSet(entry.endpoint.setId)
    if (set === undefined) continue
    const areas = upsert(names, set.name, () => new Map<string, { all: Entry[]; byGroup: Map<string, Entry[]> }>())
    const area = upsert(areas, set.area, () => ({ all: [], byGroup: new Map<string, Entry[]>() }))
    area.all.push(entry)
    upsert(area.byGroup, set.group, (): Entry[] => []).push(entry)
  }
  return names
}

function upsert<V>(map: Map<string, V>, key: string, make: () => V): V {
  const known = map.get(key) ?? make()
  map.set(key, known)
  return known
}
