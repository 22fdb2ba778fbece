// A 200 MB release package to a local registry: ours against bsdtar piped into crane append, and against docker build + push.
import { execFile, spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { composeImage } from '../../imagebuilder/compose.ts'
import { layerFromFiles } from '../../imagebuilder/layer.ts'
import { parseLocation } from '../../imagebuilder/oci/location.ts'
import { dockerEngine, type DockerEngine } from '../rig/docker.ts'
import { crane, craneVersion, distributionRegistry } from '../rig/registry.ts'
import { debianTool } from '../rig/tools.ts'
import type { Goal } from './goal.ts'
import { releasePackage } from './release-package.ts'

const execute = promisify(execFile)
const server = 'BenchServer'
const rounds = 5
/** docker takes ten times as long: its ratio needs no more rounds. */
const dockerRounds = 2

interface Setting {
  readonly dir: string
  readonly file: string
  readonly supervisor: string
  readonly engine: DockerEngine
}

/** Seconds that `work` takes. */
async function seconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await work()
  return (performance.now() - start) / 1000
}

/** A fresh docker-registry with the base image; every contender pushes into an empty repository of it. */
async function withRegistry<T>(setting: Setting, use: (address: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(setting.dir, 'registry-'))
  const registry = await distributionRegistry(dir)
  try {
    const base = await layerFromFiles([{ path: '/etc/base', content: 'base' }], join(dir, 'base.tar.gz'))
    await composeImage({ layers: [base], config: { Env: ['PATH=/bin'] }, destination: parseLocation(`${registry.address}/tars/base:1`) })
    return await use(registry.address)
  } finally {
    await registry.stop()
    await rm(dir, { recursive: true, force: true })
  }
}

/** `tarsk8s image build` as its own process, from its start to its end. @returns its peak memory in MB */
async function ours(setting: Setting, address: string): Promise<number> {
  const main = join(import.meta.dirname, 'image-build.ts')
  const args = ['build', setting.file, '--app', 'Bench', '--server', server, '--type', 'cpp', '--base', `${address}/tars/base:1`, '--to', `${address}/ours/app:1`, '--supervisor', setting.supervisor, '--json']
  const { stderr } = await execute(process.execPath, [main, ...args], { maxBuffer: 1 << 26 })
  return Number(/peak (\d+) KB/.exec(stderr)?.[1]) / 1000
}

/** The fastest rival known: paths rewritten by bsdtar, layer and push by crane. */
async function piped(setting: Setting, address: string): Promise<void> {
  const [bsdtar, program] = await Promise.all([debianTool('bsdtar', 'libarchive-tools'), crane()])
  const rewrite = spawn(bsdtar, ['-cf', '-', '-s', `,^${server}/,usr/local/server/bin/,`, `@${setting.file}`], { stdio: ['ignore', 'pipe', 'inherit'] })
  const push = spawn(program, ['append', '--insecure', '-b', `${address}/tars/base:1`, '-f', '-', '-t', `${address}/piped/app:1`], { stdio: ['pipe', 'ignore', 'pipe'] })
  rewrite.stdout.pipe(push.stdin)
  let said = ''
  push.stderr.on('data', (part: Buffer) => (said += part.toString()))
  const code = await new Promise<number | null>((resolve) => push.on('exit', resolve))
  if (code !== 0) throw new Error(`crane append ended with ${code}: ${said}`)
}

/** Unpack, docker build, docker push: what the manual way is. */
async function docker(setting: Setting, address: string): Promise<void> {
  const context = await mkdtemp(join(setting.dir, 'context-'))
  try {
    await mkdir(join(context, 'bin'))
    await execute('tar', ['-xzf', setting.file, '--strip-components=1', '-C', join(context, 'bin')])
    await writeFile(join(context, 'Dockerfile'), `FROM ${address}/tars/base:1\nENV ServerType=cpp\nCOPY bin /usr/local/server/bin\n`)
    await setting.engine.docker('build', '-q', '--no-cache', '-t', `${address}/docker/app:1`, context)
    await setting.engine.docker('push', '-q', `${address}/docker/app:1`)
  } finally {
    await rm(context, { recursive: true, force: true })
  }
}

/** Warms the page cache, so that the first contender does not pay for the disk. */
async function warm(setting: Setting): Promise<void> {
  await execute('sh', ['-c', `cat ${JSON.stringify(setting.file)} > /dev/null`])
}

export default async function bench(note: (line: string) => void): Promise<readonly Goal[]> {
  note('making the release package …')
  const file = await releasePackage(server, 200)
  const dir = await mkdtemp(join(tmpdir(), 'tarsk8s-bench-'))
  const engine = await dockerEngine({ parent: dir })
  const layer = await layerFromFiles([{ path: '/tarsnode/tarsnode.mjs', content: '// supervisor' }], join(dir, 'supervisor.tar.gz'))
  const supervisor = join(dir, 'supervisor.json')
  await writeFile(supervisor, JSON.stringify({ ...layer, entrypoint: ['/tarsnode/bin/node'] }))
  const setting = { dir, file, supervisor, engine }
  const against = { piped: [] as number[], docker: [] as number[] }
  const peaks: number[] = []
  const oursSeconds = (address: string): Promise<number> => seconds(async () => peaks.push(await ours(setting, address)))
  try {
    await warm(setting)
    for (let round = 0; round < rounds; round++) {
      // The order changes every round, so that neither always has the warmer machine.
      const first = round % 2 === 0
      const a = first ? await withRegistry(setting, oursSeconds) : NaN
      const rival = await withRegistry(setting, (address) => seconds(() => piped(setting, address)))
      const own = first ? a : await withRegistry(setting, oursSeconds)
      against.piped.push(own / rival)
      note(`round ${round + 1}: ours ${own.toFixed(2)} s, peak ${peaks.at(-1)?.toFixed(0)} MB; bsdtar | crane append ${rival.toFixed(2)} s`)
      if (round >= dockerRounds) continue
      const manual = await withRegistry(setting, (address) => seconds(() => docker(setting, address)))
      against.docker.push(own / manual)
      note(`round ${round + 1}: docker build + push ${manual.toFixed(2)} s`)
    }
  } finally {
    await engine.stop()
    await rm(dir, { recursive: true, force: true })
  }
  return [
    { what: `200 MB tgz to docker-registry, wall, ours ÷ bsdtar | crane ${craneVersion} append`, samples: against.piped, bar: 1, rule: 'most', unit: '×' },
    { what: `200 MB tgz to docker-registry, wall, ours ÷ docker ${engine.version} build + push`, samples: against.docker, bar: 0.2, rule: 'most', unit: '×' },
    { what: '200 MB tgz, peak memory of the build process', samples: peaks, bar: 180, rule: 'most', unit: ' MB' },
  ]
}
