// A real OpenSearch or Elasticsearch, from the libraries that Maven has: one node, a small heap, a free port of the loopback.
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { cacheDir, debianTool } from '../tools.ts'

const run = promisify(execFile)
const here = (name: string): string => join(import.meta.dirname, name)

const kinds = ['opensearch', 'elasticsearch', 'elasticsearch8'] as const
export type SearchKind = (typeof kinds)[number]

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
 * Starts a node; the first time on a machine its libraries are fetched (some 45 MB), into the cache folder.
 * @param options of a node that was stopped: its port and data again
 */
export async function startSearchNode(kind: SearchKind, { port = 0, home = mkdtempSync(join(tmpdir(), `tarsk8s-${kind}-`)) }: { readonly port?: number; readonly home?: string } = {}): Promise<SearchNode & { readonly home: string }> {
  const java = await debianTool('java', 'default-jdk-headless')
  const built = await build(kind)
  // Elasticsearch 8 is made of Java's modules, and finds its own in the folder of its installation.
  const program = kind === 'elasticsearch8' ? ['--module-path', `${built}/lib`, '--add-modules', 'jdk.net,ALL-MODULE-PATH', '-cp', `${built}/classes`, 'SearchNode8'] : ['-cp', `${built}/classes:${built}/lib/*`, 'SearchNode']
  if (kind === 'elasticsearch8') {
    for (const folder of ['config', 'plugins', 'logs']) mkdirSync(join(home, folder), { recursive: true })
    cpSync(`${built}/modules`, join(home, 'modules'), { recursive: true })
  }
  const child = spawn(java, ['-Xms128m', '-Xmx256m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xshare:auto', ...program, home, String(port)], { stdio: ['pipe', 'pipe', 'pipe'] })
  let stderr = ''
  child.stderr.on('data', (chunk: Buffer) => (stderr = (stderr + chunk).slice(-4000)))
  const exited = once(child, 'exit').then(([code]) => { throw new Error(`${kind} ended with ${String(code)}: ${stderr}`) })
  exited.catch(() => {})
  const bound = await Promise.race([portOf(child), exited])
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

/** Fetches and builds all, once a machine. */
export async function searchNodes(): Promise<void> {
  for (const kind of kinds) await build(kind)
}

/** What it says once it serves; before that it may say other things. */
async function portOf({ stdout }: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    createInterface({ input: stdout as NodeJS.ReadableStream }).on('line', (line) => {
      if (line.startsWith('port ')) resolve(Number(line.slice('port '.length)))
    })
  })
}

async function build(kind: SearchKind): Promise<string> {
  const isModular = kind === 'elasticsearch8'
  const source = here(isModular ? 'SearchNode8.java' : 'SearchNode.java')
  const poms = [here(`${kind}.xml`), ...(isModular ? [here('elasticsearch8-transport.xml')] : [])]
  const key = [source, ...poms].reduce((hash, file) => hash.update(readFileSync(file)), createHash('sha256')).digest('hex').slice(0, 16)
  const done = join(cacheDir, `${kind}-${key}`)
  if (existsSync(done)) return done
  const [mvn, javac] = [await debianTool('mvn', 'maven'), await debianTool('javac', 'default-jdk-headless')]
  mkdirSync(cacheDir, { recursive: true })
  const work = mkdtempSync(join(cacheDir, `${kind}-building-`))
  try {
    const [pom = '', module] = poms
    const fetchTo = (file: string, folder: string) => run(mvn, ['-q', '-B', '-f', file, 'dependency:copy-dependencies', `-DoutputDirectory=${folder}`, '-DincludeScope=runtime'], { timeout: 600_000 })
    await fetchTo(pom, `${work}/lib`)
    if (module !== undefined) await fetchModule(module, `${work}/modules/transport-netty4`, fetchTo)
    const text = isModular ? readFileSync(source, 'utf8') : readFileSync(source, 'utf8').replaceAll('org.opensearch', `org.${kind}`)
    mkdirSync(`${work}/src`)
    const copy = join(work, 'src', basename(source))
    writeFileSync(copy, text)
    await run(javac, ['-encoding', 'UTF-8', '-d', `${work}/classes`, '-cp', `${work}/lib/*`, copy], { timeout: 120_000 })
    if (!existsSync(done)) renameSync(work, done)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
  return done
}

/** A module as an installation of Elasticsearch has it. */
async function fetchModule(pom: string, folder: string, fetchTo: (pom: string, folder: string) => Promise<unknown>): Promise<void> {
  await fetchTo(pom, folder)
  const version = /<version>(\d+\.\d+\.\d+)<\/version>/.exec(readFileSync(pom, 'utf8'))?.[1] ?? ''
  const descriptor = {
    name: basename(folder), description: 'Netty', version, classname: 'org.elasticsearch.transport.netty4.Netty4Plugin', modulename: 'org.elasticsearch.transport.netty4',
    'java.version': '17', 'elasticsearch.version': version, 'has.native.controller': 'false', 'extended.plugins': '',
  }
  writeFileSync(join(folder, 'plugin-descriptor.properties'), Object.entries(descriptor).map(([name, value]) => `${name}=${value}\n`).join(''))
}
