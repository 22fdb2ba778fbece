import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { namespace, type Cluster } from './cluster.ts'

const root = join(import.meta.dirname, '../../..')

/** A role of the product as a process of its own. */
export interface RoleProcess {
  readonly pid: number
  /** Where it listens; a loopback address that no other has. */
  readonly address: string
  /** Fields of the line with which it said that it serves. */
  readonly serves: Readonly<Record<string, unknown>>
  stop(): Promise<void>
}

export interface RoleOptions {
  readonly cluster: Cluster
  /** As `tarsk8s <role>` names it. */
  readonly role: string
  readonly env?: Readonly<Record<string, string>>
}

/** `BENCH_PROFILE=DIR` has each role write a CPU profile there when it ends. */
const folder = process.env['BENCH_PROFILE']
const profiling = folder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${folder}`]

/** Starts `tarsk8s <role>` with what bootstrap.mjs gives it, and resolves when it says that it serves. */
export async function startRole({ cluster, role, env }: RoleOptions): Promise<RoleProcess> {
  const address = freeAddress()
  const child = spawn(process.execPath, [...profiling, '--disable-warning=ExperimentalWarning', join(root, 'framework/main.ts'), role], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], NODE_COMPILE_CACHE: join(root, 'node_modules/.tarsk8s-compiled'), KUBECONFIG: cluster.kubeconfig, Namespace: namespace, PodIP: address, ...env },
    // The channel tells it when this process has ended.
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let said = ''
  const serves = await new Promise<Record<string, unknown>>((resolve, reject) => {
    createInterface({ input: child.stderr as Readable }).on('line', (line) => {
      said = `${said}${line}\n`.slice(-10_000)
      const { message, ...fields } = fieldsOf(line)
      if (typeof message === 'string' && / serves?$/.test(message)) resolve(fields)
    })
    child.once('exit', (code) => reject(new Error(`${role} ended with ${String(code)}:\n${said}`)))
  })
  return {
    pid: child.pid ?? -1, address, serves,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.kill('SIGTERM')
      await ended
    },
  }
}

function fieldsOf(line: string): Record<string, unknown> {
  try {
    return JSON.parse(line) as Record<string, unknown>
  } catch {
    return {}
  }
}

const byte = (): number => 1 + Math.floor(Math.random() * 254)

/** The registry's ports are what they are: each process gets an address of its own in 127.0.0.0/8. */
function freeAddress(): string {
  return `127.${byte()}.${byte()}.${byte()}`
}
