// A service that tells when it was executed, and the supervisors that run it.
import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { descriptorToText } from '../../../node/registry/descriptor-text.ts'
import { command, descriptor, pod, scratch, type Pod } from '../../node/rig.ts'

/** Prints the time of its own exec, nanoseconds since the epoch, and ends at once. */
export const CLOCK = { file: '/bin/date', argv: 'date +%s%N' }
const POLL_MS = 2
const PATIENCE_MS = 30_000

export interface Timed {
  readonly argv: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Where the times are written, unless it is the standard output. */
  readonly file?: string
}

const timesIn = (file: string): string[] => readFileSync(file, 'utf8').match(/^\d{19}$/gm) ?? []

/**
 * Runs a supervisor until CLOCK has told `count` times. They go into a file, because some rivals cannot reopen a
 * socket as /dev/stdout; CLOCK tells the time itself, so the look at the file measures nothing.
 * @returns milliseconds since the epoch
 */
export async function execTimes({ argv, env = {}, file = join(scratch('times'), 'times') }: Timed, count: number): Promise<number[]> {
  const [program = '', ...args] = argv
  const out = openSync(file, 'a')
  const child = spawn(program, args, { env: { PATH: process.env['PATH'] ?? '', ...env }, stdio: ['ignore', out, 'ignore'] })
  closeSync(out)
  const ended = new Promise((resolve, reject) => child.on('error', reject).on('close', resolve))
  const over = (): boolean => child.exitCode !== null || child.signalCode !== null
  const deadline = performance.now() + PATIENCE_MS
  while (timesIn(file).length < count && !over() && performance.now() < deadline) await Promise.race([delay(POLL_MS), ended])
  const asked = over() ? false : child.kill('SIGKILL')
  await ended
  const times = timesIn(file).slice(0, count)
  if (times.length < count) throw new Error(`${argv.join(' ')} ${asked ? 'took too long' : 'ended early'}: ${readFileSync(file, 'utf8')}`)
  return times.map((time) => Number(BigInt(time) / 1000n) / 1000)
}

/** A container whose service is CLOCK, with its descriptor kept from before and no registry that answers. */
export function cachedPod(): Pod {
  const made = pod('none', { ...command(CLOCK.file, CLOCK.argv), ServerType: 'custom', TARSNODE_REGISTRY: '127.0.0.1', TARSNODE_REGISTRY_PORT: '1' })
  const base = join(made.root, 'usr/local/app/tars/tarsnode/data/Test.EchoServer')
  mkdirSync(base, { recursive: true })
  writeFileSync(join(base, 'descriptor.json'), descriptorToText(descriptor()))
  return made
}
