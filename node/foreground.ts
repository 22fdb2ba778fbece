// The service as PID 1. The process that the container starts prepares everything, starts a second tarsnode beside it, the
// keeper, and becomes the service by exec. Two pipes join them: the keeper says by the first that it listens, and learns
// by the end of the second, which exec closes, that the service has begun.
import { closeSync, existsSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { Failure } from '#base/errors.ts'
import { launcherPath } from './layout.ts'
import type { Launch } from './service/ports.ts'
import { byShell } from './service/process.ts'
import { isShellText, obstacleOf } from './system/executable.ts'
import type { Libc } from './system/libc.ts'

/** The word that makes a tarsnode the keeper. */
export const KEEP = 'keep'
const [READY, BEGUN] = [3, 4]
/** Longest wait for the keeper to listen, milliseconds. */
const KEEPER_MS = 10_000

/** Starts a keeper, and another one when that failed. */
export class Handover {
  readonly #libc: Libc
  readonly #env: Readonly<Record<string, string>>
  #keeper: Promise<void> | undefined

  constructor(libc: Libc, env: Readonly<Record<string, string>>) {
    this.#libc = libc
    this.#env = env
  }

  /** Resolves when it listens. @throws Failure when it does not; the next call tries again */
  keeper(): Promise<void> {
    return (this.#keeper ??= this.#start().catch((error: unknown) => {
      this.#keeper = undefined
      throw error
    }))
  }

  /** Becomes the service. @throws Failure when it cannot be executed; then nothing has changed */
  become({ plan }: Launch): never {
    this.#libc.exec(plan)
    if (isShellText(plan.file)) this.#libc.exec(byShell(plan))
    const why = obstacleOf(plan.file)
    throw new Failure('LAUNCH_EXEC', `${plan.file} cannot be executed${why === undefined ? '' : `: ${why}`}`, why === undefined ? { remedy: 'check the file and its folder, their modes and how they are mounted' } : {})
  }

  async #start(): Promise<void> {
    const [ready, begun] = [this.#libc.pipe(), this.#libc.pipe()]
    const argv = [...ownCommand(), 'node', KEEP]
    const pid = this.#libc.spawn({ file: argv[0] ?? '', argv, cwd: '/', env: this.#env }, { stdout: 1, stderr: 2, extra: [ready.write, begun.read] })
    for (const end of [ready.write, begun.read]) closeSync(end)
    try {
      if (pid < 0 || !(await heard(ready.read, KEEPER_MS))) throw new Failure('KEEPER', `the second tarsnode ${pid < 0 ? 'cannot be started' : 'ended before it listened'}`, { temporary: true })
    } catch (error) {
      closeSync(begun.write)
      // One that only was slow would take the ports of the next.
      if (pid > 0) endIfThere(pid)
      throw error
    }
  }
}

function endIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}

/** How this process was started: by the launcher that lies beside it, or in a development tree by the runtime. */
function ownCommand(): readonly string[] {
  const [, script = ''] = process.argv
  const launcher = launcherPath(dirname(script))
  return existsSync(launcher) ? [launcher] : [process.execPath, ...process.execArgv, script]
}

/** The keeper's side: it listens. */
export const sayReady = (): void => void writeSync(READY, '.')

/** The keeper's side: resolves when its parent has become the service. */
export const serviceBegun = (): Promise<unknown> => heard(BEGUN)

/** Resolves when something comes through a pipe, or its end: whether it was something. @throws Failure when that takes longer than `limitMs` */
function heard(fd: number, limitMs?: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    // Loaded here, because a service below us does not need it.
    const { Socket } = process.getBuiltinModule('node:net')
    const socket = new Socket({ fd, readable: true, writable: false })
    let something = false
    const over = (): void => void socket.destroy()
    if (limitMs !== undefined) socket.setTimeout(limitMs, () => socket.destroy(new Failure('KEEPER', 'the second tarsnode does not listen in time', { temporary: true })))
    socket.on('data', () => (something = true, over())).on('end', over).on('error', reject).on('close', () => resolve(something))
  })
}
