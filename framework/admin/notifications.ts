import { Failure } from '#base/errors.ts'
import type { Communicator } from '#tars/client.ts'
import { Notify, type NotifyProxy } from '#tars/protocol/NotifyF.ts'
import type { NotificationPage, ServerRow } from './contract.ts'
import { isActive } from './model/pod-row.ts'

const timeoutMs = 3000
const levels = ['normal', 'warn', 'error'] as const

/**
 * A page of a server's notifications, newest first, from any pod of tarsnotify.
 * @param notify the row of tarsnotify's own server
 */
export async function notificationPage(communicator: Communicator, notify: ServerRow | undefined, row: ServerRow, page: number): Promise<NotificationPage> {
  const proxy = communicator.proxy<NotifyProxy>(Notify, objectOf(notify))
  const { stInfo } = await proxy.getNotifyInfo({ name: `${row.app}.${row.server}`, ip: '', page }, { timeoutMs })
  const notifications = stInfo.notifyItems.map(({ sTimeStamp, sServerId, iLevel, sMessage }) => {
    return { time: sTimeStamp, serverId: sServerId, level: levels[iLevel] ?? 'normal', message: sMessage }
  })
  return { notifications, ...(stInfo.nextpage > page ? { nextPage: stInfo.nextpage } : {}) }
}

/** By address, so that neither the registry nor DNS has to be up. */
function objectOf(notify: ServerRow | undefined): string {
  const { port, isSsl = false, auth = false } = notify?.servants.find(({ name }) => name.toLowerCase() === 'notifyobj') ?? {}
  const hosts = (notify?.pods ?? []).filter((pod) => isActive(pod) && pod.ip !== '')
  if (port === undefined || hosts.length === 0) throw new Failure('NOTIFY_UNAVAILABLE', 'tarsnotify does not run', { remedy: 'see the server tars-tarsnotify', temporary: true })
  return `tars.tarsnotify.NotifyObj@${hosts.map(({ ip }) => `${isSsl ? 'ssl' : 'tcp'} -h ${ip} -p ${port} -t ${timeoutMs}${auth ? ' -e 1' : ''}`).join(':')}`
}
