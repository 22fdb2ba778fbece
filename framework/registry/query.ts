import { plainAddress } from '#base/address.ts'
import type { QueryFServant } from '#tars/protocol/QueryF.ts'
import type { Current } from '#tars/server.ts'
import type { Answer } from './answers.ts'
import type { Locks } from './locks.ts'
import type { Caller, Directory } from './model/directory.ts'
import { parseSet } from './model/views.ts'
import type { Upstream } from './upstream.ts'

export interface QueryOptions {
  readonly directory: Directory<Answer>
  readonly upstream: Upstream
  readonly locks: Locks
}

const refused = { return: -1, activeEp: [], inactiveEp: [] }

/**
 * `tars.tarsregistry.QueryObj` (framework-services 1.1): by group (1.3), station and set (1.4). What is not of this cluster
 * and has a registry of its own is asked for there, as the caller asked for it. Nothing is pushed: -1, as native says.
 */
export function queryServant({ directory, upstream, locks }: QueryOptions): QueryFServant {
  const all = (id: string, current: Current) => elsewhere(id, current, []) ?? directory.find(id).lists
  const near = (id: string, current: Current) => elsewhere(id, current, []) ?? directory.findNear(id, new Asker(current)).lists
  /** The answer of another registry, which may take a moment. */
  const elsewhere = (id: string, current: Current, more: readonly string[]) => {
    const locator = directory.upstreamOf(id)
    return locator === undefined ? undefined : upstream.ask(locator, current.function, [id, ...more])
  }
  return {
    findObjectById: (id, current) => elsewhere(id, current, []) ?? directory.find(id).list,
    findObjectById4Any: all,
    findObjectById4All: near,
    findObjectByIdInSameGroup: near,
    findObjectByIdInSameStation: (id, station, current) => elsewhere(id, current, [station]) ?? directory.findInStation(id, station)?.listsAfterPlace ?? refused,
    findObjectByIdInSameSet: (id, setId, current) =>
      (parseSet(setId) && elsewhere(id, current, [setId])) ?? directory.findInSet(id, setId, new Asker(current))?.listsAfterPlace ?? refused,
    findObjectNodeName: (id, current) => elsewhere(id, current, []) ?? directory.find(id).names,
    registerChange: () => -1,
    registerQuery: () => -1,
    getLocker: (request, current) => locks.ask(request, new Asker(current)),
  }
}

/** Who asks, worked out when it counts, which it seldom does. */
class Asker implements Caller {
  readonly #current: Current

  constructor(current: Current) {
    this.#current = current
  }

  get name(): string {
    return this.#current.caller
  }

  get address(): string {
    return plainAddress(this.#current.peer.address)
  }
}
