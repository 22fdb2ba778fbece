// tarsnode: PID 1 of a business container. Signals first, because PID 1 has no default actions; then the environment,
// the container, the service. Exit codes: the service's outcome, or 255 when the supervisor cannot do its work.
// With a further word, `tarsk8s node <command>`, it is one of the commands of node/commands.
import { existsSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Environment } from '#base/lifecycle.ts'
import { describe } from '#base/errors.ts'
import { createLogger } from '#base/log.ts'
import { injectedEnvironment } from './container/injected.ts'
import { parseEnvironment, unhidden } from './env.ts'
import { KEEP } from './foreground.ts'
import { launcherPath, layoutAt } from './layout.ts'
import { startOutput } from './output/output.ts'
import { bindLibc, type Libc } from './system/libc.ts'
import { handleSignals } from './system/signals.ts'
import { startTarsnode, type Tarsnode } from './tarsnode.ts'

/** The supervisor's own failure (spec A.3). */
const FAILED = 255
/** Longest wait for the last output to be written, milliseconds. */
const FLUSH_MS = 1_000

const given = unhidden(process.env)

/** An injected supervisor wins: a newer one reaches pods so without a new image. Returns when this is the one to run. */
function giveWay(libc: Libc, workDir: string): void {
  const injected = launcherPath(workDir)
  if (dirname(process.argv[1] ?? '') === workDir || !existsSync(injected)) return
  libc.exec({ file: injected, argv: [injected, 'node'], cwd: '/', env: given as Readonly<Record<string, string>> })
  throw new Error(`the injected supervisor ${injected} cannot be executed`)
}

/** An init container may know what the container of the service was not told. */
function completeEnvironment(workDir: string): Environment {
  return given['PodName'] === undefined ? { ...given, ...injectedEnvironment(workDir) } : given
}

function supervise(keeps: boolean): void {
  const running: { node?: Tarsnode; asked: boolean } = { asked: false }
  handleSignals({
    stop: () => {
      running.asked = true
      running.node?.quit()
    },
    forward: (signal) => running.node?.forward(signal),
  })
  const libc = bindLibc()
  const { workDir } = layoutAt(given['TARSNODE_ROOT'])
  if (!keeps) giveWay(libc, workDir)
  const settings = parseEnvironment(completeEnvironment(workDir))
  const output = startOutput(libc, settings.paths.logDir, settings.stdoutFile)
  const log = createLogger({ write: output.log, fields: { role: 'tarsnode' } })
  const exit = (code: number, why = ''): void => {
    leaveWord(why)
    void output.flush(FLUSH_MS).then(() => libc.exitNow(code))
  }
  running.node = startTarsnode(settings, keeps ? 'keeper' : settings.launcher === 'foreground' ? 'handover' : 'supervisor', { libc, output, log, exit, failed: FAILED })
  if (running.asked) running.node.quit()
}

async function command(name: string, args: readonly string[]): Promise<number> {
  const { runCommand } = await import('./commands/main.ts')
  const { workDir } = layoutAt(given['TARSNODE_ROOT'])
  return runCommand(name, args, { out: process.stdout, err: process.stderr, env: completeEnvironment(workDir), signal: new AbortController().signal, cwd: process.cwd() })
}

/** The message that Kubernetes shows of a container that ended. Where the kubelet has made no file for it, nobody reads it. */
function leaveWord(why: string): void {
  try {
    if (why !== '') writeFileSync(layoutAt(given['TARSNODE_ROOT']).terminationLog, why, { flag: 'r+' })
  } catch {
    // The log says it, too.
  }
}

const failed = (error: unknown): never => {
  process.stderr.write(`tarsnode: ${describe(error)}\n`)
  process.exit(FAILED)
}

const [, name, ...args] = process.argv.slice(2)
if (name !== undefined && name !== KEEP) command(name, args).then((code) => (process.exitCode = code), failed)
else {
  try {
    supervise(name === KEEP)
  } catch (error) {
    leaveWord(`tarsnode: ${describe(error)}`)
    failed(error)
  }
}
