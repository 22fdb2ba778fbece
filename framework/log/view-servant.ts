import { describe, Failure } from '#base/errors.ts'
import { Turns } from '#base/turns.ts'
import type { Logger } from '#base/log.ts'
import type { CallerCheck } from '#kube/caller-check.ts'
import type { LogViewServant } from '#tars/protocol/LogView.ts'
import type { Current } from '#tars/server.ts'
import { listLogs, readLogOf, type LogsOf } from './files/viewer.ts'

const failed = -1
/** Logs that are read at once: the threads that do it write logs, too, and one that was compressed may be long. */
const mostAtOnce = 2

/** `tars.tarslog.LogViewObj`: a pod sees the logs of its application, as by AdminRegObj, the framework's pods and who is no pod those of all. */
export function viewServant(root: string, check: CallerCheck, log: Logger): LogViewServant {
  const admit = async ({ peer }: Current, { app, server }: LogsOf): Promise<void> => check.guard(peer.address, `${app}.${server}`, () => {}, () => {
    throw new Failure('LOG_REFUSED', `the caller is no pod of ${app}, whose logs it would read`)
  })
  const turns = new Turns(mostAtOnce)
  return {
    async getLogFileList(app, server, current) {
      try {
        await admit(current, { app, server })
      } catch {
        // The check says so itself.
        return { return: failed, logFileList: [] }
      }
      try {
        return { return: 0, logFileList: await turns.take(current.peer.address, () => listLogs(root, { app, server })) }
      } catch (error) {
        log.error('the logs of a server cannot be listed', { server: `${app}.${server}`.slice(0, 128), error, remedy: `see that tarslog may read what is below ${root}` })
        return { return: failed, logFileList: [] }
      }
    },
    async getLogData(app, server, file, query, current) {
      try {
        await admit(current, { app, server })
        return { return: 0, fileData: await turns.take(current.peer.address, () => readLogOf(root, { app, server }, file, query)) }
      } catch (error) {
        return { return: failed, fileData: describe(error) }
      }
    },
  }
}
