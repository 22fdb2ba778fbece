// All answers about one object, made when its endpoints change. Pure.
import { noGroup, type GroupId, type Topology } from '#api/topology.ts'
import { groupEntries, orLost, parseSet, setEntries, stationEntries, viewOf, type Entry, type ServantView } from './views.ts'

interface AreaAnswers<Answer> {
  readonly all: Answer
  readonly byGroup: ReadonlyMap<string, Answer>
}

/** Where an object is served, and which sets its servers declare. */
export interface Served {
  readonly entries: readonly Entry[]
  readonly sets?: readonly string[]
}

export class ObjectAnswers<Answer> {
  /** Every endpoint. */
  readonly all: Answer
  readonly #groups: ReadonlyMap<GroupId, Answer> | undefined
  readonly #stations: ReadonlyMap<string, Answer> | undefined
  readonly #sets: ReadonlyMap<string, ReadonlyMap<string, AreaAnswers<Answer>>> | undefined

  /** @param prepare turns lists into what is handed out; called once for equal lists */
  constructor({ entries: all, sets: declared = [] }: Served, topology: Topology, prepare: (view: ServantView) => Answer) {
    const entries = orLost(all)
    const made = new Map<string, Answer>()
    const place = new Map(entries.map((entry, index) => [entry, index]))
    const answer = (chosen: readonly Entry[]): Answer => {
      const key = chosen.map((entry) => place.get(entry)).join()
      const known = made.get(key) ?? prepare(viewOf(chosen))
      made.set(key, known)
      return known
    }
    this.all = answer(entries)
    const inGroups = entries.some(({ endpoint }) => endpoint.groupworkid !== noGroup)
    this.#groups = inGroups ? mapOf(topology.groups, (group) => answer(groupEntries(entries, group, topology))) : undefined
    this.#stations = mapOf(topology.stations, (station) => answer(stationEntries(entries, topology.groupsOf(station) ?? new Set())))
    const sets = setEntries(entries, declared)
    this.#sets = mapOf(sets.keys(), (name) => new Map([...(sets.get(name) ?? [])].map(([area, { all, byGroup }]) => [area, { all: answer(all), byGroup: new Map([...byGroup].map(([group, some]) => [group, answer(some)])) }])))
  }

  /** Whether {@link inGroup} depends on the caller. */
  get differ(): boolean {
    return this.#groups !== undefined
  }

  /** For a caller of a group, which is asked for only where groups count. */
  inGroup(callerGroup: () => GroupId): Answer {
    return this.#groups === undefined ? this.all : (this.#groups.get(callerGroup()) ?? this.all)
  }

  /** Undefined when there is no such station. */
  inStation(station: string): Answer | undefined {
    return this.#stations?.get(station)
  }

  /**
   * For a caller of this set (framework-services 1.4): its own group of the set, else the endpoints that serve every group of the area.
   * @param callerGroup counts when nothing of the object is in a set of that name, or shall be
   * @returns undefined when the set is none, or has no endpoints
   */
  inSet(setId: string, callerGroup: () => GroupId): Answer | undefined {
    const set = parseSet(setId)
    if (set === undefined) return undefined
    const areas = this.#sets?.get(set.name)
    if (areas === undefined) return this.inGroup(callerGroup)
    const area = areas.get(set.area)
    return set.group === '*' ? area?.all : (area?.byGroup.get(set.group) ?? area?.byGroup.get('*'))
  }
}

/** Values by key; undefined instead of an empty map, as most objects have no groups and no sets. */
function mapOf<K, V>(keys: Iterable<K>, value: (key: K) => V): ReadonlyMap<K, V> | undefined {
  const map = new Map([...keys].map((key) => [key, value(key)]))
  return map.size === 0 ? undefined : map
}
