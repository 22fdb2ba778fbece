import { basename, join } from 'node:path'
import { describe } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'
import type { Command, Supervisor } from '../service/supervisor.ts'
import { replaceFile } from '../system/atomic-write.ts'
import { notOurs, REFUSED, SUCCESS, type Identity } from './identity.ts'

/** A result with the out parameter `result`, as the interface Node has it. */
export interface NodeAnswer {
  readonly return: number
  readonly result: string
}

/** What NodeObj needs of others. */
export interface NodePorts {
  /** AdminF.notify on the business server. */
  notify(command: string): Promise<string>
  /** ConfigF.loadConfig for a file of our server. */
  loadConfig(file: string): Promise<string>
  readonly binDir: string
}

const done = (result: string): NodeAnswer => ({ return: SUCCESS, result })
const refused = (result: string): NodeAnswer => ({ return: REFUSED, result })

/** `tars.tarsnode.NodeObj`: an operator's commands, on the pod's address. Commands return at once and are idempotent. */
export function nodeObj(identity: Identity, supervisor: Supervisor, ports: NodePorts, log: Logger): NodeServant {
  const command = (name: Command, words: string) => (app: string, server: string): NodeAnswer => {
    const foreign = notOurs(identity, app, server)
    if (foreign !== undefined) return refused(foreign)
    const { present, pid } = supervisor.view
    log.info('command', { command: name, present, pid })
    supervisor.command(name)
    return done(`Success: ${words} ${app}.${server}, which was ${present}${pid === 0 ? '' : ` with pid ${pid}`}`)
  }
  const guarded = async (app: string, server: string, work: () => Promise<string>): Promise<NodeAnswer> => {
    const foreign = notOurs(identity, app, server)
    if (foreign !== undefined) return refused(foreign)
    return work().then(done, (error: unknown) => refused(`error: ${describe(error)}`))
  }
  return {
    startServer: command('start', 'starting'),
    stopServer: command('stop', 'stopping'),
    restartServer: command('restart', 'restarting'),
    notifyServer: (app, server, text) => guarded(app, server, () => ports.notify(text)),
    addFile: (app, server, file) => guarded(app, server, () => addFile(ports, file)),
  }
}

export interface NodeServant {
  startServer(app: string, server: string): NodeAnswer
  stopServer(app: string, server: string): NodeAnswer
  restartServer(app: string, server: string): NodeAnswer
  notifyServer(app: string, server: string, command: string): Promise<NodeAnswer>
  addFile(app: string, server: string, file: string): Promise<NodeAnswer>
}

/** Puts a file of tarsconfig into the package folder, as a whole or not at all. */
async function addFile({ loadConfig, binDir }: NodePorts, file: string): Promise<string> {
  const name = basename(file)
  if (name === '' || name === '.' || name === '..') throw new Error(`"${file}" names no file`)
  const text = await loadConfig(name)
  replaceFile(join(binDir, name), text, { keepBackup: true })
  return `Success: wrote ${name}, ${Buffer.byteLength(text)} bytes`
}
