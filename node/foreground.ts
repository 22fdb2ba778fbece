// The service as PID 1. The process that the container starts prepares everything, starts a second tarsnode beside it, the
// keeper, and becomes the service by exec. Two pipes join them: the keeper says by the first that it listens, and learns
// by the end of the second, which exec closes, that the service has begun.
import { existsSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { Failure } from '#base/errors.ts'
import { launcherPath } from './layout.ts'
import type { Launch } from './service/ports.ts'
import type { Libc } from './system/libc.ts'

/** The word that makes a tarsnode the keeper. */
export const KEEP = 'keep'
const [READY, BEGUN] = [3, 4]
/** Longest wait for the keeper to listen, milliseconds. */
const KEEPER_MS = 10_000

/** Starts the keeper once, and resolves when it listens. */
export class Handover {
  readonly #libc: Libc
  readonly #env: Readonly<Record<string, string>>
  #keeper: Promise<void> | undefined

  constructor(libc: Libc, env: Readonly<Record<string, string>>) {
    this.#libc = libc
    this.#env = env
  }

  keeper(): Promise<void> {
    return (this.#keeper ??= this.#start())
  }

  /** Becomes the service. @throws Failure when it cannot be executed; then nothing has changed */
  become({ plan }: Launch): never {
    this.#libc.exec(plan)
    throw new Failure('LAUNCH_EXEC', `${plan.file} cannot be executed`, { remedy: 'check the file, its interpreter and its architecture' })
  }

  async #start(): Promise<void> {
    const [ready, begun] = [this.#libc.pipe(), this.#libc.pipe()]
    const argv = [...ownCommand(), 'node', KEEP]
    const pid = this.#libc.spawn({ file: argv[0] ?? '', argv, cwd: '/', env: this.#env }, { stdout: 1, stderr: 2, extra: [ready.write, begun.read] })
    if (pid < 0) throw new Failure('KEEPER', 'the second tarsnode cannot be started', { temporary: true })
    await heard(ready.read, KEEPER_MS)
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
export const serviceBegun = (): Promise<void> => heard(BEGUN)

/** Resolves when something comes through a pipe, or its end. @throws Failure when that takes longer than `limitMs` */
function heard(fd: number, limitMs?: number): Promise<void> {
  return new Promise((resolve, reject) => {
    // Loaded here, because a service below us does not need it.
    const { Socket } = process.getBuiltinModule('node:net')
    const socket = new Socket({ fd, readable: true, writable: false })
    const over = (): void => void socket.destroy()
    if (limitMs !== undefined) socket.setTimeout(limitMs, () => socket.destroy(new Failure('KEEPER', 'the second tarsnode does not listen in time', { temporary: true })))
    socket.on('data', over).on('end', over).on('error', reject).on('close', () => resolve())
  })
}
