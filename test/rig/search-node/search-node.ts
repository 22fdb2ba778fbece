// A real OpenSearch or Elasticsearch, from the libraries that Maven has: one node, a small heap, a free port of the loopback.
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { cacheDir, debianTool } from '../tools.ts'

const run = promisify(execFile)
const source = join(import.meta.dirname, 'SearchNode.java')

export type SearchKind = 'opensearch' | 'elasticsearch'

export interface SearchNode {
  readonly url: string
  readonly port: number
  readonly process: ChildProcess
  /** Freezes it, as a machine that hangs; or lets it go on. */
  signal(name: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void
  stop(): Promise<void>
  /** Stops it and takes its data away. */
  remove(): Promise<void>
}

/**
 * Starts a node; the first time on a machine its libraries are fetched (44 MB), into the cache folder.
 * @param options of a node that was stopped: its port and data again
 */
export async function startSearchNode(kind: SearchKind, { port = 0, home = mkdtempSync(join(tmpdir(), `tarsk8s-${kind}-`)) }: { readonly port?: number; readonly home?: string } = {}): Promise<SearchNode & { readonly home: string }> {
  const java = await debianTool('java', 'default-jdk-headless')
  const built = await build(kind)
  const child = spawn(java, ['-Xms128m', '-Xmx256m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xshare:auto', '-cp', `${built}/classes:${built}/lib/*`, 'SearchNode', home, String(port)], { stdio: ['pipe', 'pipe', 'pipe'] })
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => (stderr = (stderr + chunk).slice(-4000)))
  const exited = once(child, 'exit').then(([code]) => { throw new Error(`${kind} ended with ${String(code)}: ${stderr}`) })
  exited.catch(() => {})
  const [line] = (await Promise.race([once(createInterface({ input: child.stdout }), 'line'), exited])) as [string]
  const bound = Number(line.replace('port ', ''))
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGCONT')
    child.stdin.end()
    await ended
  }
  return {
    url: `http://127.0.0.1:${bound}`, port: bound, home, process: child,
    signal: (name) => void child.kill(name),
    stop,
    async remove() {
      await stop()
      rmSync(home, { recursive: true, force: true })
    },
  }
}

/** Fetches and builds both, once a machine. */
export async function searchNodes(): Promise<void> {
  for (const kind of ['opensearch', 'elasticsearch'] as const) await build(kind)
}

async function build(kind: SearchKind): Promise<string> {
  const pom = join(import.meta.dirname, `${kind}.xml`)
  const key = createHash('sha256').update(readFileSync(source)).update(readFileSync(pom)).digest('hex').slice(0, 16)
  const done = join(cacheDir, `${kind}-${key}`)
  if (existsSync(done)) return done
  const [mvn, javac] = [await debianTool('mvn', 'maven'), await debianTool('javac', 'default-jdk-headless')]
  mkdirSync(cacheDir, { recursive: true })
  const work = mkdtempSync(join(cacheDir, `${kind}-building-`))
  try {
    await run(mvn, ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${work}/lib`, '-DincludeScope=runtime'], { timeout: 600_000 })
    const text = readFileSync(source, 'utf8').replaceAll('org.opensearch', `org.${kind}`)
    mkdirSync(`${work}/src`)
    const copy = join(work, 'src', 'SearchNode.java')
    writeFileSync(copy, text)
    await run(javac, ['-encoding', 'UTF-8', '-d', `${work}/classes`, '-cp', `${work}/lib/*`, copy], { timeout: 120_000 })
    if (!existsSync(done)) renameSync(work, done)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  return done
}
