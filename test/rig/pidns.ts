// Runs a command as PID 1 of PID and mount namespaces of its own, as a container runtime would.
import { spawn, type ChildProcess } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'
import type { Readable } from 'node:stream'
import { which } from './tools.ts'

/** Whether this machine lets us make PID and mount namespaces; asked once a process. */
export function namespacesRefused(): string | undefined {
  if (which('unshare') === undefined) return 'unshare is missing; install util-linux'
  return process.getuid?.() === 0 ? undefined : 'PID namespaces need root here; run the tests as root'
}

export interface PidNamespaceOptions {
  readonly argv: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** The folder that is the command's root. */
  readonly root?: string
  /** User and group that the command runs as; default: those of the test. */
  readonly user?: number
  /** Words before the command that makes the namespaces; the last thing they do is to become it. */
  readonly within?: readonly string[]
  /** Default: pipes, collected in `stdout` and `stderr`. */
  readonly stdio?: 'pipe' | 'ignore' | readonly ('ignore' | 'pipe' | number)[] | undefined
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A command that runs as PID 1 of its own namespace; it and all below it die with the test process. */
export class PidNamespace {
  readonly #child: ChildProcess
  readonly ended: Promise<Ended>
  #stdout = ''
  #stderr = ''
  #waiters: (() => void)[] = []
  #over = false
  #initPid = 0

  constructor({ argv, env = {}, cwd, root, user, within = [], stdio = 'pipe' }: PidNamespaceOptions) {
    const refused = namespacesRefused()
    if (refused !== undefined) throw new Error(refused)
    const [program = '', ...args] = [...within, 'unshare', '--pid', '--fork', '--kill-child=SIGKILL', '--mount', ...(root === undefined ? [] : [`--root=${root}`]), '--mount-proc', ...(user === undefined ? [] : [`--setuid=${user}`, `--setgid=${user}`]), '--', ...argv]
    this.#child = spawn(program, args, { env: { PATH: process.env['PATH'] ?? '', ...env }, ...(cwd && { cwd }), stdio: stdio === 'pipe' ? ['ignore', 'pipe', 'pipe'] : typeof stdio === 'string' ? stdio : [...stdio] })
    this.#collect(this.#child.stdout, (text) => (this.#stdout += text))
    this.#collect(this.#child.stderr, (text) => (this.#stderr += text))
    this.ended = new Promise((resolve) => this.#child.on('close', (code, signal) => resolve({ code, signal })))
    void this.ended.then(() => ((this.#over = true), this.#wake()))
  }

  get stdout(): string {
    return this.#stdout
  }

  get stderr(): string {
    return this.#stderr
  }

  /** The pid of the namespace's init as seen from here. */
  get initPid(): number {
    if (this.#initPid === 0) this.#initPid = childrenOf(this.#child.pid ?? 0)[0] ?? 0
    return this.#initPid
  }

  /** Resolves once PID 1 is there, or was. */
  async started(): Promise<void> {
    while (this.initPid === 0 && !this.#over) await new Promise((resolve) => setImmediate(resolve))
  }

  /** Signals PID 1 from outside, as a container runtime does. */
  kill(signal: NodeJS.Signals | number): void {
    if (this.initPid === 0) throw new Error(`there is no PID 1 to signal: ${this.#stderr}`)
    process.kill(this.initPid, signal)
  }

  /** Resolves once stdout or stderr matches; rejects when the command ends before. */
  async output(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const match = pattern.exec(this.#stdout) ?? pattern.exec(this.#stderr)
      if (match !== null) return match
      if (this.#over) throw new Error(`it ended without printing ${String(pattern)}\n--- stdout\n${this.#stdout}\n--- stderr\n${this.#stderr}`)
      await new Promise<void>((resolve) => this.#waiters.push(resolve))
    }
  }

  /** Ends the namespace with everything in it. */
  async destroy(): Promise<void> {
    if (!this.#over) {
      const pid = this.initPid
      if (pid !== 0) tryKill(pid)
      this.#child.kill('SIGKILL')
    }
    await this.ended
  }

  /** Processes of the namespace as seen from here: pid, state letter, command name. */
  processes(): readonly { readonly pid: number; readonly state: string; readonly name: string }[] {
    const found: { pid: number; state: string; name: string }[] = []
    const queue = [this.initPid]
    for (let pid = queue.shift(); pid !== undefined; pid = queue.shift()) {
      const stat = readStat(pid)
      if (stat === undefined) continue
      found.push({ pid, ...stat })
      queue.push(...childrenOf(pid))
    }
    return found
  }

  #collect(stream: Readable | null, add: (text: string) => void): void {
    stream?.setEncoding('utf8').on('data', (text: string) => (add(text), this.#wake()))
  }

  #wake(): void {
    for (const waiter of this.#waiters.splice(0)) waiter()
  }
}

/** The exit code that a shell would show. */
export const exitCode = ({ code, signal }: Ended): number => code ?? 128 + constants.signals[signal ?? 'SIGKILL']

function tryKill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended by itself.
  }
}

function readStat(pid: number): { state: string; name: string } | undefined {
  const text = readIfThere(() => readFileSync(`/proc/${pid}/stat`, 'latin1'))
  if (text === undefined) return undefined
  const end = text.lastIndexOf(')')
  return { name: text.slice(text.indexOf('(') + 1, end), state: text[end + 2] ?? '' }
}

/** Of all threads: each of them, and the process, may end meanwhile. */
function childrenOf(pid: number): number[] {
  return (readIfThere(() => readdirSync(`/proc/${pid}/task`)) ?? []).flatMap((task) => (readIfThere(() => readFileSync(`/proc/${pid}/task/${task}/children`, 'latin1')) ?? '').split(' ').filter((word) => word.trim() !== '').map(Number))
}

/** What is read of a process that may end meanwhile. */
export function readIfThere<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
