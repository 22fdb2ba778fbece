// `npm run bench pid1`: tarsnode as PID 1 against tini and s6-supervise, rounds interleaved.
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Communicator } from '#tars/client.ts'
import { ServerF, type ServerFProxy } from '#tars/protocol/NodeF.ts'
import { descriptorToText } from '../../node/registry/descriptor-text.ts'
import { RUNTIME_FLAGS } from '../../node/layout.ts'
import { bundle, command, descriptor, NotingRegistry, pod, runtime, scratch, supervise, type Pod } from '../node/rig.ts'
import { PidNamespace } from '../rig/pidns.ts'
import { debianTool, debianVersion } from '../rig/tools.ts'
import type { Goal } from './goal.ts'

/** A program to compare with, and exactly which. */
interface Rival {
  readonly path: string
  readonly name: string
}

const ROUNDS = 15
const ORPHANS = 10_000
const IDLE_NODES = 10
const IDLE_MS = 6_000
/** Prints the time of its own exec, nanoseconds since the epoch, and ends at once. */
const CLOCK = { file: '/bin/date', argv: 'date +%s%N' }

const now = (): number => performance.timeOrigin + performance.now()

const timesIn = (text: string): string[] => text.match(/^\d{19}$/gm) ?? []

/** Runs a program until it has printed `count` times of exec; returns them in milliseconds since the epoch. */
function execTimes(argv: readonly string[], env: Readonly<Record<string, string>>, count: number): Promise<number[]> {
  const [file = '', ...args] = argv
  const child = spawn(file, args, { env: { PATH: process.env['PATH'] ?? '', ...env }, stdio: ['ignore', 'pipe', 'inherit'] })
  return new Promise((resolve, reject) => {
    let text = ''
    child.on('error', reject)
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      if (count <= timesIn(text).length) child.kill('SIGKILL')
    })
    child.on('close', () => {
      const times = timesIn(text).slice(0, count)
      if (times.length < count) reject(new Error(`${argv.join(' ')} ended early: ${text}`))
      else resolve(times.map((time) => Number(BigInt(time) / 1000n) / 1000))
    })
  })
}

/** A container whose service is CLOCK, with its descriptor kept from before and no registry that answers. */
function cachedPod(): Pod {
  const made = pod('none', { ...command(CLOCK.file, CLOCK.argv), ServerType: 'custom', TARSNODE_REGISTRY: '127.0.0.1', TARSNODE_REGISTRY_PORT: '1' })
  const base = join(made.root, 'usr/local/app/tars/tarsnode/data/Test.EchoServer')
  mkdirSync(base, { recursive: true })
  writeFileSync(join(base, 'descriptor.json'), descriptorToText(descriptor()))
  return made
}

/** Runs "$@" without its log. */
const QUIET = ['/bin/sh', '-c', 'exec "$@" 2>/dev/null', 'sh']

async function startRounds(tini: Rival, note: (line: string) => void): Promise<readonly Goal[]> {
  const tarsnode = [runtime, ...RUNTIME_FLAGS, await bundle()]
  const bare = [runtime, '-e', `require('node:child_process').spawn('${CLOCK.file}', ['+%s%N'], { stdio: 'inherit' })`]
  const { env } = cachedPod()
  const first = async (argv: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<number> => {
    const started = now()
    const [time = NaN] = await execTimes([...QUIET, ...argv], environment, 1)
    return time - started
  }
  const ratios: number[] = []
    for (let round = -2; round < ROUNDS; round++) {
    const ours = await first(tarsnode, env)
    const theirs = await first(bare)
    const least = await first([tini.path, '-s', '--', CLOCK.file, '+%s%N'])
    if (round < 0) continue
    ratios.push(ours / theirs)
    note(`start: tarsnode ${ours.toFixed(1)} ms, bare runtime ${theirs.toFixed(1)} ms, ${tini.name} ${least.toFixed(1)} ms`)
  }
  return [{ what: `exec of PID 1 to exec of the service, tarsnode ÷ Node ${process.version} spawning it from one line`, samples: ratios, bar: 1.25, rule: 'most', unit: '×' }]
}

async function restartRounds(s6: Rival, note: (line: string) => void): Promise<readonly Goal[]> {
  const tarsnode = [runtime, ...RUNTIME_FLAGS, await bundle()]
  const service = scratch('s6')
  writeFileSync(join(service, 'run'), `#!/bin/sh\nexec ${CLOCK.file} +%s%N\n`, { mode: 0o755 })
  const gap = async (argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<number> => {
    const [first = NaN, second = NaN] = await execTimes([...QUIET, ...argv], env, 2)
    return second - first
  }
  const ratios: number[] = []
  for (let round = 0; round < 5; round++) {
    const ours = await gap(tarsnode, cachedPod().env)
    const theirs = await gap([s6.path, service])
    ratios.push(ours / theirs)
    note(`crash to re-exec: tarsnode ${ours.toFixed(1)} ms, ${s6.name} ${theirs.toFixed(1)} ms`)
  }
  return [{ what: `first crash to re-exec, tarsnode ÷ s6-supervise of ${s6.name}`, samples: ratios, bar: 1 / 20, rule: 'most', unit: '×' }]
}

const BURST = join(import.meta.dirname, '..', 'node', 'services', 'burst.pl')

async function orphanRounds(tini: Rival, perl: string, note: (line: string) => void): Promise<readonly Goal[]> {
  const argv = `perl ${BURST} ${ORPHANS}`
  const burst = async (space: PidNamespace): Promise<number> => {
    const [, ms = ''] = await space.output(/reaped in ([\d.]+) ms/)
    await space.destroy()
    return Number(ms)
  }
  const ratios: number[] = []
  for (let round = 0; round < 7; round++) {
    const ours = await burst(await supervise(pod('none', command(perl, argv))))
    const theirs = await burst(new PidNamespace({ argv: [tini.path, '--', ...argv.replace('perl', perl).split(' ')] }))
    ratios.push(ours / theirs)
    note(`${ORPHANS} orphans: tarsnode ${ours.toFixed(0)} ms, ${tini.name} ${theirs.toFixed(0)} ms`)
  }
  return [{ what: `${ORPHANS} orphans until none is left, tarsnode ÷ ${tini.name}`, samples: ratios, bar: 1, rule: 'most', unit: '×' }]
}

/** Private memory of a process in MB: what would be free if it ended (proc_pid_smaps(5)). */
function privateMegabytes(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const kilobytes = [...text.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB$/gm)].map(([, value]) => Number(value))
  return kilobytes.reduce((sum, value) => sum + value, 0) / 1024
}

async function memoryRounds(note: (line: string) => void): Promise<readonly Goal[]> {
  const registry = new NotingRegistry(descriptor())
  await registry.start()
  const pods = Array.from({ length: IDLE_NODES }, (_, i) => pod(registry, { ...command('/bin/sleep', 'sleep 1000'), ServerType: 'custom', PodName: `echo-${i}` }))
  const spaces = await Promise.all(pods.map((one) => supervise(one)))
  const communicator = new Communicator()
  const beat = async ({ address, env }: Pod): Promise<void> => {
    const { pid } = await registry.report(({ pod: name, present }) => name === env['PodName'] && present === 'Activating')
    const heart = communicator.proxy<ServerFProxy>(ServerF, `tars.tarsnode.ServerObj@tcp -h ${address} -p 19386`)
    for (let i = 0; i < 100; i++) await heart.keepAlive({ application: 'Test', serverName: 'EchoServer', pid, adapter: '' })
  }
  await Promise.all(pods.map(beat))
  await Promise.all(pods.map(({ env }) => registry.report(({ pod: name, present }) => name === env['PodName'] && present === 'Active')))
  // Idle is what is measured: the garbage of the start is given back by then.
  await delay(IDLE_MS)
  const samples = spaces.map(({ initPid }) => privateMegabytes(initPid))
  note(`private memory of ${IDLE_NODES} idle tarsnodes: ${samples.map((megabytes) => megabytes.toFixed(1)).join(', ')} MB`)
  await Promise.all(spaces.map((space) => space.destroy()))
  await communicator.close()
  await registry.stop()
  return [{ what: `private memory of an idle tarsnode, ${IDLE_NODES} from one file`, samples, bar: 12, rule: 'most', unit: ' MB' }]
}

export default async function bench(note: (line: string) => void): Promise<readonly Goal[]> {
  const rival = async (program: string, pkg: string): Promise<Rival> => ({ path: await debianTool(program, pkg), name: await debianVersion(pkg) })
  const [tini, s6, perl] = [await rival('tini', 'tini'), await rival('s6-supervise', 's6'), await debianTool('perl', 'perl-base')]
  const goals: Goal[] = []
  goals.push(...(await startRounds(tini, note)))
  goals.push(...(await restartRounds(s6, note)))
  goals.push(...(await orphanRounds(tini, perl, note)))
  goals.push(...(await memoryRounds(note)))
  return goals
}
