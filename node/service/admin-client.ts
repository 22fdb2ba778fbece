import { Failure } from '#base/errors.ts'
import { Communicator } from '#tars/client.ts'
import { AdminF, type AdminFProxy } from '#tars/protocol/AdminF.ts'
import type { Settings } from '../env.ts'
import type { ServiceAdmin } from './admin.ts'

const CONNECT_MS = 1_000
/** Of a command, milliseconds. */
const COMMAND_MS = 5_000

export function adminClient({ localAddress, adminPort }: Pick<Settings, 'localAddress' | 'adminPort'>): ServiceAdmin {
  const communicator = new Communicator({ timeoutMs: COMMAND_MS, connectTimeoutMs: CONNECT_MS })
  const admin = communicator.proxy<AdminFProxy>(AdminF, `AdminObj@tcp -h ${localAddress} -p ${adminPort} -t ${COMMAND_MS}`)
  return {
    shutdown: (timeoutMs) => admin.shutdown({ timeoutMs }).catch(unlessTaken),
    notify: (command) => admin.notify(command),
  }
}

/** A service that was asked may leave without an answer, or be slow with it: that is no refusal. */
function unlessTaken(error: unknown): void {
  if (error instanceof Failure && (error.code === 'TARS_CLOSED' || error.code === 'TARS_TIMEOUT')) return
  throw error
}
