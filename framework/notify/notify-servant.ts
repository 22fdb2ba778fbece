import { localTime, type Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import { mostRows } from '#store/dataset.ts'
import type { NotifyServant } from '#tars/protocol/NotifyF.ts'
import type { CallerCheck } from '#kube/caller-check.ts'
import type { Callers } from '#kube/callers.ts'
import { TarsCallError, type Current } from '#tars/server.ts'
import { isDropped, type Filters } from './model/filter.ts'
import { numberOfLevel } from './model/level.ts'
import type { Limiter } from '#base/limiter.ts'
import { recordOfInfo, recordOfProgram, splitServer, type NotifyRecord } from './model/record.ts'

export interface NotifyServantOptions {
  readonly limiter: Limiter
  readonly filters: () => Filters
  /** Resolves when the end of the process would not lose it. */
  readonly add: (record: NotifyRecord) => Promise<void>
  /** The newest first; everything added so far is found. */
  readonly find: (question: Question) => Promise<NotifyRecord[]>
  /** What became of notifications. */
  readonly counts: { taken: number; dropped: number }
  /** Who may notify of a server. */
  readonly check: CallerCheck
  readonly callers: Pick<Callers, 'at' | 'isPod'>
  readonly clock: Clock
  readonly log: Logger
}

export interface Question {
  readonly app: string
  readonly server: string
  /** Only of this node, by the name that it has in records; empty for all. */
  readonly node: string
  readonly offset: number
  readonly limit: number
}

/** Notifications a page of getNotifyInfo. */
export const pageSize = 10
/** A later page is this one, after which there is none: stores look no further back. */
const lastPage = mostRows / pageSize - 2

/** `iRet` for what is said of another server. */
const refused = -99

/** `tars.tarsnotify.NotifyObj`, functions old and new (framework-services 3.1). */
export function notifyServant({ limiter, filters, add, find, counts, check, callers, clock, log }: NotifyServantOptions): NotifyServant {
  const told = (record: NotifyRecord, { peer }: Current): void | Promise<void> => {
    const name = `${record.app}.${record.server}`
    return check.guard(peer.address, name, () => keep(record, { account: check.accountOf(peer.address, name), peer: peer.address }), () => {
      throw new TarsCallError(refused, `the caller is no pod of ${name}, of which it would notify`)
    })
  }
  const keep = async (record: NotifyRecord, { account, peer }: { readonly account: string; readonly peer: string }): Promise<void> => {
    if (isDropped(filters(), `${record.app}.${record.server}`, record.message)) return
    const { taken, first } = limiter.take(account, clock.monotonic(), peer)
    if (taken) counts.taken++
    else counts.dropped++
    if (taken) await add(record)
    else if (first) log.info('notifications dropped: too many of one server', { server: account })
  }
  /** One name for a pod, `<pod>.<server>`, whether it goes by that, by its own alone or by its address; any other stays (3.3). */
  const nodeOf = (name: string): string => {
    const first = name.split('.', 1)[0] ?? ''
    const pod = callers.isPod(first) ? first : callers.at(name)?.pod
    return pod === undefined ? name : `${pod}.${pod.slice(0, pod.lastIndexOf('-'))}`
  }

  return {
    reportServer: (name, thread, message, current) => told(recordOfProgram({ name, node: nodeOf(current.caller), thread, message }, clock.now()), current),
    notifyServer: (name, level, message, current) => told(recordOfProgram({ name, node: nodeOf(current.caller), level, message }, clock.now()), current),
    reportNotifyInfo: (info, current) => told(recordOfInfo(info, nodeOf(info.sNodeName === '' ? current.caller : info.sNodeName), clock.now()), current),
    async getNotifyInfo({ name, ip, page }) {
      const from = Math.min(Math.max(0, page), lastPage)
      const rows = await find({ ...splitServer('', name), node: nodeOf(ip), offset: from * pageSize, limit: pageSize + 1 })
      const notifyItems = rows.slice(0, pageSize).map((row) => ({
        sTimeStamp: localTime(row.time),
        sServerId: `${row.app}.${row.server}_${row.node}`,
        iLevel: numberOfLevel(row.level),
        sMessage: row.message,
      }))
      // Page 0 is the newest, so 0 as the next page says that there is none.
      return { return: 0, stInfo: { nextpage: rows.length > pageSize && from < lastPage ? from + 1 : 0, notifyItems } }
    },
  }
}
