import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Communicator } from '#tars/client.ts'
import { Log, type LogProxy } from '#tars/protocol/LogF.ts'
import type { Role } from './role.ts'

const GAP_MS = 30
const CALL_MS = 5_000
const LINES = 5
/** Long enough that a disk fills in the middle of one. */
const text = 'x'.repeat(170)
const app = 'Chaos'
const server = 'LogServer'

/** One service that writes its log line by line, and does not say again what was not taken. */
class Writer {
  readonly file: string
  readonly acknowledged: number[] = []
  sent = 0

  constructor(file: string) {
    this.file = file
  }

  async run(log: LogProxy, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const numbers = Array.from({ length: LINES }, () => this.sent++)
      await log.logger(app, server, this.file, '%Y', numbers.map(lineOf)).then(() => this.acknowledged.push(...numbers), () => {})
      await sleep(GAP_MS, undefined, { signal }).catch(() => {})
    }
  }

  /** What is wrong with its file. */
  faults(role: Role): readonly string[] {
    const name = role.files.find((file) => file.startsWith(join(app, server, `${app}.${server}_${this.file}_`)))
    const written = name === undefined ? '' : readFileSync(join(role.disk, name), 'utf8')
    const lines = written.split('\n').slice(0, -1)
    const numbers = lines.map((line) => Number(line.split(' ')[0]))
    const torn = lines.filter((line, index) => `${line}\n` !== lineOf(numbers[index] ?? -1))
    const known = new Set(numbers)
    const missing = this.acknowledged.filter((number) => !known.has(number))
    const about = (what: string, some: readonly unknown[]): string[] => (some.length === 0 ? [] : [`log ${this.file}: ${some.length} lines ${what}: ${some.slice(0, 3).join(', ')}`])
    return [
      ...about('that were acknowledged are not there', missing),
      ...about('are torn', torn.map((line) => JSON.stringify(line.length > 60 ? `${line.slice(0, 30)}…${line.slice(-20)}` : line))),
      ...about('are there twice, or after later ones', numbers.filter((number, index) => index > 0 && number <= (numbers[index - 1] ?? 0))),
      ...about('were never written', numbers.filter((number) => number >= this.sent)),
    ]
  }
}

const lineOf = (number: number): string => `${number} ${text}\n`

/** Services that write logs. */
export class Logs {
  readonly #role: Role
  readonly #writers = ['a', 'b', 'c'].map((file) => new Writer(file))

  constructor(role: Role) {
    this.#role = role
  }

  get acknowledged(): number {
    return this.#writers.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0)
  }

  async run(signal: AbortSignal): Promise<void> {
    const communicator = new Communicator({ timeoutMs: CALL_MS })
    const log = communicator.proxy<LogProxy>(Log, this.#role.object('LogObj', 'log'))
    await Promise.all(this.#writers.map((writer) => writer.run(log, signal)))
    await communicator.close()
  }

  /** What is wrong, when nobody writes any more. */
  settledFaults(): readonly string[] {
    return this.#writers.flatMap((writer) => writer.faults(this.#role))
  }
}
