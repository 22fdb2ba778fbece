import { spawn } from 'node:child_process'

export interface ShellResult {
  readonly ok: boolean
  /** `exit code 1`, `killed by SIGKILL`, `not ended within …` */
  readonly outcome: string
  /** The end of what it printed. */
  readonly output: string
}

/** Characters of output that are kept. */
const tailLength = 2000

/** Runs a command by /bin/sh in a process group of its own, which is killed as a whole when time is up or the agent stops. */
export async function runShell(command: string, { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal }): Promise<ShellResult> {
  const child = spawn('/bin/sh', ['-c', command], { detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => { output = (output + text).slice(-tailLength) })
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
  const kill = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    } catch {
      // All of the group have ended.
    }
  }
  limit.addEventListener('abort', kill, { once: true })
  if (limit.aborted) kill()
  try {
    return await new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, killedBy) => {
        const outcome = limit.aborted && !signal.aborted ? `not ended within ${timeoutMs} ms` : killedBy === null ? `exit code ${code}` : `killed by ${killedBy}`
        resolve({ ok: code === 0, outcome, output: output.trim() })
      })
    })
  } finally {
    limit.removeEventListener('abort', kill)
  }
}
