// A Docker engine of our own for tests and benchmarks: Debian's dockerd with its own data, socket and containerd, ended and
// cleaned up by stop(). Needs root.
import { execFile, spawn } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { debianTool } from './tools.ts'

const execute = promisify(execFile)

export interface DockerEngine {
  /** For `DOCKER_HOST`, `unix://…`. */
  readonly host: string
  readonly socketPath: string
  /** e.g. `20.10.24` */
  readonly version: string
  /** Runs the docker client against this engine; resolves with its standard output. */
  docker(...args: readonly string[]): Promise<string>
  stop(): Promise<void>
}

export interface DockerOptions {
  /** Registries, `host:port`, spoken to by plain HTTP. Loopback ones are so by default. */
  readonly insecureRegistries?: readonly string[]
  /** Parent of the engine's folder. Default: the system's for temporary files. */
  readonly parent?: string
}

/**
 * Starts dockerd. Containers have `--network host` or `none`: there is no bridge, so no rule of the machine's firewall and no
 * address is touched.
 */
export async function dockerEngine(options: DockerOptions = {}): Promise<DockerEngine> {
  if (process.getuid?.() !== 0) throw new Error('a Docker engine needs root')
  const dockerd = await debianTool('dockerd', 'docker.io')
  const client = '/usr/bin/docker'
  const root = await mkdtemp(join(options.parent ?? tmpdir(), 'tarsk8s-dockerd-'))
  const path = (name: string): string => join(root, name)
  const socketPath = path('docker.sock')
  mkdirSync(path('home'))
  const insecure = (options.insecureRegistries ?? []).flatMap((registry) => ['--insecure-registry', registry])
  const args = ['--host', `unix://${socketPath}`, '--data-root', path('data'), '--exec-root', path('exec'), '--pidfile', path('pid'), '--bridge', 'none', '--iptables=false', '--ip6tables=false', '--ip-forward=false', '--ip-masq=false', '--userland-proxy=false', ...insecure]
  const daemon = spawn(dockerd, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, TMPDIR: root } })
  let log = ''
  for (const stream of [daemon.stdout, daemon.stderr]) stream.on('data', (part: Buffer) => (log = (log + part.toString()).slice(-8000)))
  const ended = new Promise<void>((resolve) => daemon.on('exit', () => resolve()))
  const env = { ...process.env, DOCKER_HOST: `unix://${socketPath}`, DOCKER_CONFIG: path('home'), DOCKER_BUILDKIT: '0' }
  const docker = async (...command: readonly string[]): Promise<string> => (await execute(client, [...command], { env, maxBuffer: 1 << 26 })).stdout
  const stop = async (): Promise<void> => {
    const running = await docker('ps', '-q').catch(() => '')
    if (running !== '') await docker('kill', ...running.trim().split('\n')).catch(() => {})
    daemon.kill('SIGTERM')
    await ended
    await unmountBelow(root)
    await rm(root, { recursive: true, force: true, maxRetries: 5 })
  }
  try {
    return { host: env.DOCKER_HOST, socketPath, version: await answering(docker, () => daemon.exitCode, () => log), docker, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function answering(docker: DockerEngine['docker'], exitCode: () => number | null, log: () => string): Promise<string> {
  for (;;) {
    if (exitCode() !== null) throw new Error(`dockerd ended with ${exitCode()}: ${log()}`)
    const version = await docker('version', '--format', '{{.Server.Version}}').catch(() => '')
    if (version.trim() !== '') return version.trim()
    await delay(50)
  }
}

/** Mounts that an engine which ended badly left below its folder. */
async function unmountBelow(folder: string): Promise<void> {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n').map((line) => line.split(' ')[4] ?? '').filter((mount) => mount.startsWith(`${folder}/`))
  for (const mount of mounts.reverse()) await execute('umount', ['-l', mount]).catch(() => {})
}
