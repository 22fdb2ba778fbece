// A role as a process of its own, whose wall clock is moved by hand, and which is ended and started again.
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { get } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const main = join(import.meta.dirname, '../../framework/main.ts')
const movedClock = join(import.meta.dirname, 'moved-clock.ts')
/** Lines of its log that a failure shows. */
const lastLines = 20

export interface RoleOptions {
  readonly role: string
  readonly env: Readonly<Record<string, string>>
  /** Milliseconds since the epoch. */
  readonly now: number
}

export class RoleProcess {
  readonly #role: string
  #env: Readonly<Record<string, string>>
  #now: number
  #child: ChildProcess | undefined
  #log: string[] = []
  /** What it said when it served: its ports, by name. */
  ports: Readonly<Record<string, number>> = {}
  /** How often it was ended by each signal. */
  readonly ended = { SIGTERM: 0, SIGKILL: 0 }

  constructor({ role, env, now }: RoleOptions) {
    this.#role = role
    this.#env = env
    this.#now = now
  }

  /** Starts it; resolves when it serves. @param env more of its environment, from now on */
  async start(env: Readonly<Record<string, string>> = {}): Promise<void> {
    this.#env = { ...this.#env, ...env }
    const child = fork(main, [this.#role], {
      execArgv: ['--disable-warning=ExperimentalWarning', '--import', movedClock],
      env: { ...process.env, ...this.#env, TARSK8S_TEST_NOW: String(this.#now) }, stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    this.#child = child
    this.#log = []
    const served = Promise.withResolvers<Record<string, number>>()
    createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', (line) => {
      this.#log = [...this.#log, line].slice(-lastLines)
      const said = line.startsWith('{') ? (JSON.parse(line) as Record<string, unknown>) : {}
      if (/^\w+ serves$/.test(String(said['message']))) served.resolve(Object.fromEntries(Object.entries(said).filter((entry): entry is [string, number] => typeof entry[1] === 'number')))
    })
    child.once('exit', (code, signal) => served.reject(new Error(`${this.#role} ended (${code ?? signal}) before it served:\n${this.#log.join('\n')}`)))
    this.ports = await served.promise
  }

  /** Tells it what time it is; resolves when that is so. */
  async setClock(now: number): Promise<void> {
    this.#now = now
    const child = this.#child
    if (child === undefined || hasEnded(child)) return
    const answered = once(child, 'message')
    child.send({ now })
    await answered
  }

  /** @throws Error when it does not end in order after SIGTERM */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#child
    if (child === undefined || hasEnded(child)) return
    const exited = once(child, 'exit') as Promise<[number | null]>
    child.kill(signal)
    const [code] = await exited
    this.ended[signal]++
    if (signal === 'SIGTERM' && code !== 0) throw new Error(`${this.#role} ended with ${code} after SIGTERM:\n${this.#log.join('\n')}`)
  }

  /** Sum of a metric over its labels. */
  async metric(name: string): Promise<number> {
    const host = this.address.includes(':') ? `[${this.address}]` : this.address
    const lines = (await textOf(`http://${host}:${this.ports['http']}/metrics`)).split('\n').filter((line) => line.startsWith(name) && /[ {]/.test(line.charAt(name.length)))
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
  }

  /** Where it serves. */
  get address(): string {
    return this.#env['PodIP'] ?? ''
  }
}

/** The channel to it may seem open for a moment longer. */
const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null

/** A connection of its own, as the process at the other end is often another one. */
function textOf(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => (text += part)).on('end', () => resolve(text))
    }).on('error', reject)
  })
}
