import type { QueryFServant } from '#tars/protocol/QueryF.ts'
import { listsOf, type Answer } from './answers.ts'
import { isSetId } from './model/object-id.ts'

/** Finds the prepared answer for an object's full name. */
export type Find = (id: string) => Answer

const refused = { return: -1, activeEp: [], inactiveEp: [] }

/**
 * `tars.tarsregistry.QueryObj` (framework-services 1.1). No groups, stations or sets are configured here, and the
 * functions answer as native does then: a group query gives all endpoints, a station is never known (-1), a set
 * query falls back to the group query when its set id is valid and is refused (-1) otherwise (1.3, 1.4).
 */
export function queryServant(find: Find): QueryFServant {
  const lists = (id: string) => find(id).lists
  return {
    findObjectById: (id) => find(id).list,
    findObjectById4Any: lists,
    findObjectById4All: lists,
    findObjectByIdInSameGroup: lists,
    findObjectByIdInSameStation: () => refused,
    findObjectByIdInSameSet: (id, setId) => (isSetId(setId) ? find(id).listsAfterPlace : refused),
    findObjectNodeName: (id) => ({ return: 0, nodeNames: nodeNames(find(id)) }),
    registerChange: () => -1,
    registerQuery: () => -1,
    getLocker: () => -1,
  }
}

/** Names of the pods behind an object, active ones first. */
function nodeNames(answer: Answer): string[] {
  const { activeEp, inactiveEp } = listsOf(answer)
  return [...new Set([...activeEp, ...inactiveEp].map(({ nodeName }) => nodeName))].filter((name) => name !== '')
}
