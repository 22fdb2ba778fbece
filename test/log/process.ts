// `tarsk8s log` as a process of its own.
import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export interface LogProcess {
  readonly child: ChildProcess
  readonly ports: { readonly log: number; readonly topology: number }
}

/**
 * Resolves when it serves.
 * @param path of its logs @param within words before its command
 */
export async function startLogProcess(path: string, within: readonly string[] = []): Promise<LogProcess> {
  const main = join(import.meta.dirname, '../../framework/main.ts')
  const env = { ...process.env, PodIP: '127.0.0.1', TARS_CALLERS: 'off', TARSLOG_PORT: '0', TARSLOG_TOPOLOGY_PORT: '0', TARSLOG_PATH: path }
  const [program, ...args] = [...within, process.execPath, '--disable-warning=ExperimentalWarning', main, 'log']
  const child = spawn(program, args, { env, stdio: ['ignore', 'ignore', 'pipe'] })
  for await (const line of createInterface({ input: child.stderr })) {
    const said = JSON.parse(line) as { readonly message?: string; readonly log?: number; readonly topology?: number }
    if (said.message === 'log serves') return { child, ports: { log: said.log ?? 0, topology: said.topology ?? 0 } }
  }
  throw new Error('tarslog ended before it served')
}
