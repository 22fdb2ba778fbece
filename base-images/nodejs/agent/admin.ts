import type { Logger } from '#base/log.ts'
import { createServer, type TarsServer } from '#tars/server.ts'
import { AdminF, type AdminFServant } from '#tars/protocol/AdminF.ts'
import type { Workers } from './workers.ts'

export interface AdminOptions {
  /** Where tarsnode calls AdminObj, from the configuration's `local`. */
  readonly endpoint: string
  readonly version: string
  readonly workers: Workers
  readonly log: Logger
}

/**
 * AdminObj of a Node service: `shutdown` ends the workers, `notify` passes an operator's command to every worker as a
 * process message `{cmd, data}` (spec A.10), the first word being the command; those that ask for an answer are answered here.
 */
export function createAdmin({ endpoint, version, workers, log }: AdminOptions): TarsServer {
  const servant: AdminFServant = {
    shutdown: () => workers.stop(),
    notify: (command) => {
      const [cmd = '', ...rest] = command.trim().split(/\s+/)
      if (cmd === 'tars.viewversion') return version
      if (cmd === 'preheatCheck') return workers.online ? 'success' : 'not ready'
      workers.broadcast({ cmd, data: rest.join(' ') })
      log.info('operator command passed to the workers', { command })
      return `${cmd} was passed to the workers`
    },
    getPid: () => BigInt(process.pid),
  }
  return createServer({ adapters: [{ endpoint, servants: { AdminObj: { interface: AdminF, servant } } }], log })
}
