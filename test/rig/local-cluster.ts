// A cluster as `npm start` runs it: a process of its own with a data directory of its own.
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { which } from './tools.ts'

export { eventually as until } from './eventually.ts'

const main = join(import.meta.dirname, '../../framework/main.ts')

export interface Output {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Runs a program to its end. */
export async function run(program: string, args: readonly string[], options: { readonly input?: string; readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {}): Promise<Output> {
  const child = spawn(program, args, { cwd: options.cwd, env: options.env ?? process.env, stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.end(options.input ?? '')
  const texts = [child.stdout, child.stderr].map(async (stream) => {
    let text = ''
    for await (const chunk of stream.setEncoding('utf8')) text += chunk as string
    return text
  })
  const [[code], out = '', err = ''] = await Promise.all([once(child, 'close') as Promise<[number | null]>, ...texts])
  return { code: code ?? -1, out, err }
}

export class LocalCluster {
  readonly dataDir: string
  readonly #child: ChildProcess
  /** Everything the process wrote. */
  log = ''

  private constructor(dataDir: string, child: ChildProcess) {
    this.dataDir = dataDir
    this.#child = child
  }

  /** Starts `up` with these arguments and resolves when it says that the cluster is up. */
  static async start(args: readonly string[] = [], dataDir?: string): Promise<LocalCluster> {
    const dir = dataDir ?? (await mkdtemp(join(tmpdir(), 'tarsk8s-cluster-')))
    // A process group of its own, so that a test can end the whole of it at once, as a closing terminal does.
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, 'up', '--data', dir, ...args], { stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    const cluster = new LocalCluster(dir, child)
    const up = new Promise<void>((resolve, reject) => {
      for (const stream of [child.stdout, child.stderr]) {
        createInterface({ input: stream }).on('line', (line) => {
          cluster.log += `${line}\n`
          if (line.includes('cluster is up')) resolve()
        })
      }
      child.once('exit', (code) => reject(new Error(`up ended with ${code}:\n${cluster.log}`)))
    })
    await up
    return cluster
  }

  get pid(): number {
    return this.#child.pid ?? -1
  }

  /** `tarsk8s <args> --data …`; on a busy machine a call may take long. */
  cli(...args: string[]): Promise<Output> {
    const patience = args[0] === 'call' ? ['--timeout', '60000'] : []
    return run(process.execPath, ['--disable-warning=ExperimentalWarning', main, ...args, ...patience, '--data', this.dataDir])
  }

  async kubectl(args: readonly string[], input?: string): Promise<Output> {
    return run(which('kubectl') ?? 'kubectl', ['--kubeconfig', join(this.dataDir, 'kubeconfig'), '-n', 'tars', ...args], input === undefined ? {} : { input })
  }

  async info(): Promise<Readonly<Record<string, string>>> {
    return JSON.parse(await readFile(join(this.dataDir, 'cluster.json'), 'utf8')) as Record<string, string>
  }

  /** Ends it in order (SIGINT, as Ctrl-C) and returns its exit code. */
  async stop(): Promise<number | null> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return this.#child.exitCode
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGINT')
    const [code] = (await ended) as [number | null]
    return code
  }

  /** Ends the process as a power cut would, with all its pods left to the kernel. */
  async kill9(): Promise<void> {
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
  }

  async remove(): Promise<void> {
    await this.stop()
    await rm(this.dataDir, { recursive: true, force: true })
  }
}
