import type { Logger } from '#base/log.ts'
import type { Supervisor } from '../service/supervisor.ts'
import { isAlive, isDescendant } from '../system/processes.ts'
import { notOurs, REFUSED, SUCCESS, type Identity } from './identity.ts'

/** The heartbeat of the ServerF interface (spec A.6). */
export interface Heartbeat {
  readonly application: string
  readonly serverName: string
  readonly pid: number
  readonly adapter: string
}

/**
 * Why a heartbeat is not believed; undefined when it is. It must come for our server and name a living process below
 * `root`, us or the service itself where that is PID 1: anybody who reaches the port could otherwise make a dead service look alive.
 */
export function disbelieve(identity: Identity, root: number, { application, serverName, pid }: Heartbeat): string | undefined {
  const foreign = notOurs(identity, application, serverName)
  if (foreign !== undefined) return foreign
  if (!isAlive(pid)) return `process ${pid} does not exist`
  return isDescendant(pid, root) || (pid === root && root !== process.pid) ? undefined : `process ${pid} is not one of this service`
}

/** `tars.tarsnode.ServerObj`, spoken by the business server on the local address. */
export function serverObj(identity: Identity & { readonly root: number }, supervisor: Supervisor, log: Logger): {
  keepAlive(info: Heartbeat): number
  keepActiving(info: Heartbeat): number
  reportVersion(app: string, server: string, version: string): number
  getLatestKeepAliveTime(): number
} {
  let refusals = 0
  const heard = (kind: 'alive' | 'warming', info: Heartbeat): number => {
    const reason = disbelieve(identity, identity.root, info)
    if (reason === undefined) {
      supervisor.heartbeat(kind, info.pid, info.adapter)
      return SUCCESS
    }
    // Logged at the 1st, 10th, 100th …: a wrong neighbour sends one every few seconds for ever.
    if (/^10*$/.test(String(++refusals))) log.error('a heartbeat was not believed', { reason, refusals })
    return REFUSED
  }
  return {
    keepAlive: (info) => heard('alive', info),
    keepActiving: (info) => heard('warming', info),
    reportVersion(app, server, version) {
      if (notOurs(identity, app, server) !== undefined) return REFUSED
      log.info('the service told its version', { version })
      return SUCCESS
    },
    getLatestKeepAliveTime: () => supervisor.latestHeartbeat,
  }
}
