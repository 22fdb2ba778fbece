import { statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'
import type { Command, Supervisor } from '../service/supervisor.ts'
import type { Libc } from '../system/libc.ts'
import { createServerStateInfo, ServerState, type ServerStateInfo } from '#tars/protocol/NodeDescriptor.ts'
import { replaceFile } from '../system/atomic-write.ts'
import { listLogFiles, readLog } from '#base/log-files.ts'
import { nodeLoad } from './node-load.ts'
import { notOurs, REFUSED, SUCCESS, type Identity } from './identity.ts'

/** A result with the out parameter `result`, as the interface Node has it. */
export interface NodeAnswer {
  readonly return: number
  readonly result: string
}

interface FileAnswer {
  readonly return: number
  readonly fileData: string
}

function attempt<T>(work: () => T, otherwise: (error: unknown) => T): T {
  try {
    return work()
  } catch (error) {
    return otherwise(error)
  }
}

export interface NodeIdentity extends Identity {
  readonly podName: string
  readonly launcher: 'background' | 'foreground'
}

/** What NodeObj needs of others. */
export interface NodePorts {
  /** AdminF.notify on the business server. */
  notify(command: string): Promise<string>
  /** Writes the conf file anew; resolves with its path. */
  loadServer(): Promise<string>
  /** ConfigF.loadConfig for a file of our server. */
  loadConfig(file: string): Promise<string>
  /** Removes shared memory by its key. */
  readonly removeSharedMemory: Libc['removeSharedMemory']
  readonly binDir: string
  readonly logDir: string
}

/** Its end is the container's, which Kubernetes would start again at once. */
const FOREGROUND_STOP = 'a server whose launcherType is foreground cannot be stopped in its pod; scale it to 0 replicas'

const done = (result: string): NodeAnswer => ({ return: SUCCESS, result })
const refused = (result: string): NodeAnswer => ({ return: REFUSED, result })

/** `tars.tarsnode.NodeObj`: an operator's commands, on the pod's address. Commands return at once and are idempotent. */
export function nodeObj(identity: NodeIdentity, supervisor: Supervisor, ports: NodePorts, log: Logger): NodeServant {
  const command = (name: Command, words: string) => (app: string, server: string): NodeAnswer => {
    const foreign = notOurs(identity, app, server)
    if (foreign !== undefined) return refused(foreign)
    if (name === 'stop' && identity.launcher === 'foreground') return refused(FOREGROUND_STOP)
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
  const logData = (app: string, server: string, read: () => string): FileAnswer => {
    const foreign = notOurs(identity, app, server)
    if (foreign !== undefined) return { return: REFUSED, fileData: foreign }
    return attempt(() => ({ return: SUCCESS, fileData: read() }), (error) => ({ return: REFUSED, fileData: describe(error) }))
  }
  return {
    startServer: command('start', 'starting'),
    stopServer: command('stop', 'stopping'),
    restartServer: command('restart', 'restarting'),
    loadServer: (app, server) => guarded(app, server, async () => `Success: wrote ${await ports.loadServer()}`),
    getStateInfo: (app, server) => stateInfo(identity, supervisor, app, server),
    getLogFileList: (app, server) => ({ return: SUCCESS, logFileList: notOurs(identity, app, server) === undefined ? attempt(() => listLogFiles(ports.logDir), () => []) : [] }),
    getLogData: (app, server, file, query) => logData(app, server, () => readLog(ports.logDir, file, query)),
    getNodeLoad: (app, server, pid) => logData(app, server, () => nodeLoad(pid, [ports.logDir, ports.binDir])),
    delCache: (name, _backup, key) => delCache(identity, ports, { name, key }),
    notifyServer: (app, server, text) => guarded(app, server, () => ports.notify(text)),
    addFile: (app, server, file) => guarded(app, server, () => addFile(ports, file)),
  }
}

export interface NodeServant {
  startServer(app: string, server: string): NodeAnswer
  stopServer(app: string, server: string): NodeAnswer
  restartServer(app: string, server: string): NodeAnswer
  loadServer(app: string, server: string): Promise<NodeAnswer>
  getStateInfo(app: string, server: string): NodeAnswer & { readonly info: ServerStateInfo }
  getLogFileList(app: string, server: string): { readonly return: number; readonly logFileList: string[] }
  getLogData(app: string, server: string, file: string, query: string): FileAnswer
  getNodeLoad(app: string, server: string, pid: number): FileAnswer
  delCache(fullCacheName: string, backupPath: string, key: string): NodeAnswer
  notifyServer(app: string, server: string, command: string): Promise<NodeAnswer>
  addFile(app: string, server: string, file: string): Promise<NodeAnswer>
}

/** The state by its native numbers, and the story as the result. */
function stateInfo({ app, server, podName }: NodeIdentity, supervisor: Supervisor, askedApp: string, askedServer: string): NodeAnswer & { readonly info: ServerStateInfo } {
  const foreign = notOurs({ app, server }, askedApp, askedServer)
  if (foreign !== undefined) return { ...refused(foreign), info: createServerStateInfo() }
  const { setting, present, pid, restarts, message } = supervisor.view
  const info = createServerStateInfo({ serverState: ServerState[present], settingState: ServerState[setting], processId: pid, nodeName: podName, application: app, serverName: server })
  return { ...done(`${setting}/${present}, pid ${pid}, ${restarts} restarts${message === '' ? '' : `: ${message}`}`), info }
}

const cacheAnswers = {
  removed: done('Success: the shared memory is removed'),
  missing: done('Success: there is no shared memory of this key'),
  attached: refused('error: a process is attached to the shared memory; stop the server first'),
  refused: refused('error: the shared memory is not ours to remove'),
} as const satisfies Record<ReturnType<Libc['removeSharedMemory']>, NodeAnswer>

/**
 * Shared memory of a stopped server: it stays as long as the pod, or with hostIPC as long as the node. A backup path has no effect, as
 * natively (NodeImp::delCache): memory is not kept, and files are not touched. Without a key it is the one that DCache makes itself.
 */
function delCache({ app, server }: NodeIdentity, { removeSharedMemory, binDir }: NodePorts, { name, key }: { readonly name: string; readonly key: string }): NodeAnswer {
  if (name !== `${app}.${server}`) return refused(`server ${name} does not exist here; this node runs ${app}.${server}`)
  const number = key === '' ? attempt(() => keyOf(binDir), () => undefined) : /^(0x[0-9a-fA-F]{1,8}|\d{1,10})$/.test(key) ? Number(key) : Number.NaN
  if (number === undefined) return cacheAnswers.missing
  // Key 0 is IPC_PRIVATE: no segment's.
  if (!(number > 0 && number <= 0xffff_ffff)) return refused(`error: "${key}" is no key of shared memory; write it as a number, as in the server's configuration, or leave it empty`)
  return cacheAnswers[removeSharedMemory(number)]
}

/** ftok(path, 'D') of the C libraries. @throws when there is no such file */
function keyOf(path: string): number {
  const { ino, dev } = statSync(path)
  return (('D'.charCodeAt(0) << 24) | ((dev & 0xff) << 16) | (ino & 0xffff)) >>> 0
}

/** Puts a file of tarsconfig into the package folder, as a whole or not at all. */
async function addFile({ loadConfig, binDir }: NodePorts, file: string): Promise<string> {
  const name = basename(file)
  if (name === '' || name === '.' || name === '..') throw new Error(`"${file}" names no file`)
  const text = await loadConfig(name)
  replaceFile(join(binDir, name), text, { keepBackup: true })
  return `Success: wrote ${name}, ${Buffer.byteLength(text)} bytes`
}
