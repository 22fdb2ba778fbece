// A machine of its own on this one: network, mount and PID namespaces, a tmpfs for /run, and a cable to the test.
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { randomBytes, randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import type { Something } from '../eventually.ts'
import { namespacesRefused } from '../pidns.ts'

const run = promisify(execFile)

/** Last words kept of a program. Characters. */
const maxWords = 20_000
/** Networks that are tried; of 512 few are taken. */
const attempts = 20
/**
 * What the machine's first process does: it adopts and reaps what others leave behind, and ends with its standard input.
 * /run and /var/log are in memory and the machine's own; mounts reach containers and nothing else.
 */
const first = `set -e
mount --make-rshared /
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/log
ip link set lo up
echo up
read -r _ || true`

export interface Program {
  readonly name: string
  /** What it wrote last, both streams. */
  readonly words: string
  /** Resolves when it has ended. */
  readonly ended: Promise<void>
  readonly isRunning: boolean
  /** Of the program itself, seen from the test. */
  pid(): Promise<number>
  kill(signal?: NodeJS.Signals): Promise<void>
  /** Stops it as it is, or lets it go on. */
  pause(on: boolean): Promise<void>
}

/** Ends with the test process, however that ends, and takes all programs, mounts and network devices along. */
export class Machine {
  /** Of the machine, on its end of the cable. */
  readonly address: string
  /** Of the test, on its end: what listens there is reached from the machine and from nowhere else. */
  readonly hostAddress: string
  /** Half of the network between the two is for pods: the test reaches them, and they it, each by its own address. */
  readonly podRange: string
  /** Unique among the machines here, and tells whose it is: see {@link ownerOf}. */
  readonly name: string
  readonly #shell: ChildProcess
  readonly #pid: number
  /** Those that are to run. */
  readonly #programs = new Set<Program>()

  private constructor(shell: ChildProcess, pid: number, name: string, subnet: string) {
    this.#shell = shell
    this.#pid = pid
    this.name = name
    this.hostAddress = `${subnet}.1`
    this.address = `${subnet}.2`
    this.podRange = `${subnet}.128/25`
  }

  static async start(): Promise<Machine> {
    const refused = namespacesRefused()
    if (refused !== undefined) throw new Error(refused)
    const shell = spawn('setpriv', ['--pdeathsig', 'KILL', 'unshare', '--net', '--mount', '--pid', '--fork', '--kill-child=SIGKILL', '--mount-proc', '--', 'bash', '-c', first], { stdio: ['pipe', 'pipe', 'pipe'], detached: true })
    let complaint = ''
    shell.stderr.on('data', (part: Buffer) => void (complaint += part.toString()))
    await Promise.race([
      once(createInterface({ input: shell.stdout }), 'line'),
      once(shell, 'exit').then(() => Promise.reject(new Error(`no namespaces: ${complaint}`))),
    ])
    try {
      const pid = (await childOf(shell.pid ?? 0)) ?? fail(`no namespaces: ${complaint}`)
      const name = `tk${process.pid.toString(36)}-${randomBytes(3).toString('hex')}`
      return new Machine(shell, pid, name, await connect(name, pid))
    } catch (error) {
      shell.kill('SIGKILL')
      throw error
    }
  }

  /** The path by which this process sees a file of the machine. */
  outside(path: string): string {
    return join(`/proc/${this.#pid}/root`, path)
  }

  /** Writes a file of the machine, its folder too. */
  async write(path: string, content: string): Promise<void> {
    const outside = this.outside(path)
    await mkdir(dirname(outside), { recursive: true })
    await writeFile(outside, content, { mode: 0o600 })
  }

  /** Runs a program of the machine to its end. @returns what it printed */
  async run(program: string, args: readonly string[]): Promise<string> {
    const { stdout } = await run('nsenter', [...this.#inside(), program, ...args], { maxBuffer: 1 << 26 })
    return stdout
  }

  /** Starts a program that goes on; it lives no longer than the machine. */
  start(name: string, program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Program {
    // nsenter stays outside and waits; what it started is not to outlive it.
    const child = spawn('nsenter', [...this.#inside(), 'setpriv', '--pdeathsig', 'KILL', program, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: searchPath(), HOME: '/run', ...env }, detached: true })
    let words = ''
    const keep = (part: Buffer): void => void (words = (words + part.toString()).slice(-maxWords))
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
    const isRunning = (): boolean => child.exitCode === null && child.signalCode === null
    const started: Program = {
      name, ended,
      get words() { return words },
      get isRunning() { return isRunning() },
      pid: async () => (await childOf(child.pid ?? 0)) ?? fail(`${name} has ended: ${words}`),
      kill: async (signal = 'SIGKILL') => {
        this.#programs.delete(started)
        signalIfThere(await childOf(child.pid ?? 0), signal)
        await ended
      },
      pause: async (on) => {
        signalIfThere(await childOf(child.pid ?? 0), on ? 'SIGSTOP' : 'SIGCONT')
        // nsenter stops with its child, and does not go on with it.
        if (!on) child.kill('SIGCONT')
      },
    }
    this.#programs.add(started)
    return started
  }

  /** Resolves with what `probe` gives; rejects, with its last words, when one of the machine's programs ends before. */
  async until<T>(what: string, probe: () => Promise<T>, limitMs = 240_000): Promise<Something<T>> {
    const deadline = performance.now() + limitMs
    for (;;) {
      const value = await probe().catch(() => undefined)
      if (value) return value as Something<T>
      const dead = [...this.#programs].find(({ isRunning }) => !isRunning)
      if (dead !== undefined) throw new Error(`${dead.name} ended before: ${what}\n${dead.words}`)
      if (performance.now() > deadline) throw new Error(`not within ${limitMs} ms: ${what}\n${this.words()}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  /** Last words of all programs. */
  words(): string {
    return [...this.#programs].map(({ name, words }) => `--- ${name}\n${words.slice(-4000)}`).join('\n')
  }

  async stop(): Promise<void> {
    if (this.#shell.exitCode !== null || this.#shell.signalCode !== null) return
    const ended = once(this.#shell, 'close')
    signalIfThere(this.#pid, 'SIGKILL')
    await Promise.all([ended, ...[...this.#programs].map((program) => program.ended)])
  }

  #inside(): readonly string[] {
    return [`--target=${this.#pid}`, '--net', '--mount', '--pid', '--']
  }
}

/** The process that started the machine of this name; undefined when it is the name of none. */
export function ownerOf(name: string): number | undefined {
  const digits = /^tk([0-9a-z]{1,6})-[0-9a-f]{6}$/.exec(name)?.[1]
  return digits === undefined ? undefined : parseInt(digits, 36)
}

/** A cable between here and there. The device goes with the namespace that has its other end. */
async function connect(name: string, pid: number): Promise<string> {
  await run('ip', ['link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', String(pid)])
  await run('ip', ['link', 'set', name, 'up'])
  const subnet = await ownSubnet(name)
  await run('ip', ['address', 'add', `${subnet}.1/24`, 'dev', name, 'noprefixroute'])
  const there = ['-t', String(pid), '-n', 'ip']
  await run('nsenter', [...there, 'address', 'add', `${subnet}.2/24`, 'dev', 'eth0'])
  await run('nsenter', [...there, 'link', 'set', 'eth0', 'up'])
  await run('nsenter', [...there, 'route', 'add', 'default', 'via', `${subnet}.1`])
  return subnet
}

/** A network of the block for tests between networks (RFC 2544), which nothing else routes: whose route is there first has it. */
async function ownSubnet(device: string): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const subnet = `198.${18 + randomInt(2)}.${randomInt(256)}`
    try {
      await run('ip', ['route', 'add', `${subnet}.0/24`, 'dev', device])
      return subnet
    } catch (error) {
      if (attempt === attempts) throw error
    }
  }
}

/** The only child of a process, once it is there; undefined when the process has ended. */
async function childOf(pid: number): Promise<number | undefined> {
  for (;;) {
    const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => undefined)
    if (children === undefined) return undefined
    const [child = ''] = children.trim().split(' ')
    if (child !== '') return Number(child)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/** To a process that may end by itself at any time. */
function signalIfThere(pid: number | undefined, signal: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function fail(message: string): never {
  throw new Error(message)
}

/** Where programs of a machine are looked for. */
export function searchPath(): string {
  return `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`
}
