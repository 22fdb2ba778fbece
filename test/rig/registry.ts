// Registries that are not ours, on loopback and a free port, for tests and benchmarks.
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { debianTool, goTool } from './tools.ts'

export const craneVersion = 'v0.22.1'

/** The crane program (go-containerregistry). */
export function crane(): Promise<string> {
  return goTool('github.com/google/go-containerregistry/cmd/crane', craneVersion)
}

/** The cosign program, which takes minutes to build the first time. */
export function cosign(): Promise<string> {
  return goTool('github.com/sigstore/cosign/v2/cmd/cosign', 'v2.6.5')
}

/** Port 1 of the loopback: nobody listens there, and the kernel gives it to nobody who asks for any. */
export const nobodyThere = '127.0.0.1:1'

export interface ForeignRegistry {
  readonly name: string
  /** host:port */
  readonly address: string
  stop(): Promise<void>
}

/** One that is free now, and may not be a moment later. */
async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

/** Resolves once `/v2/` answers; rejects when the program ends before. */
async function answering(address: string, program: ChildProcess, said: () => string): Promise<void> {
  for (;;) {
    if (program.exitCode !== null) throw new Error(`the registry ended with ${program.exitCode}: ${said()}`)
    const status = await fetch(`http://${address}/v2/`).then((answer) => answer.status, () => 0)
    if (status === 200 || status === 401) return
    await delay(20)
  }
}

/** Says that somebody else has taken the port since it was found free. */
const taken = /address already in use/

async function launch(name: string, command: string, args: (address: string) => readonly string[]): Promise<ForeignRegistry> {
  for (;;) {
    const started = await attempt(name, command, args).catch((error: Error) => (taken.test(error.message) ? undefined : Promise.reject(error)))
    if (started !== undefined) return started
  }
}

async function attempt(name: string, command: string, args: (address: string) => readonly string[]): Promise<ForeignRegistry> {
  const address = `127.0.0.1:${await freePort()}`
  const program = spawn(command, args(address), { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  const keep = (part: Buffer): void => void (output = (output + part.toString()).slice(-4000))
  program.stdout.on('data', keep)
  program.stderr.on('data', keep)
  const ended = new Promise<void>((resolve) => program.on('exit', () => resolve()))
  await answering(address, program, () => output)
  return {
    name,
    address,
    stop: () => {
      program.kill('SIGKILL')
      return ended
    },
  }
}

/** `crane registry serve`, its blobs on disk in `dir`. */
export async function craneRegistry(dir: string): Promise<ForeignRegistry> {
  mkdirSync(dir, { recursive: true })
  return launch(`crane registry ${craneVersion}`, await crane(), (address) => ['registry', 'serve', '--address', address, '--disk', dir])
}

export interface DistributionOptions {
  /** Path of an htpasswd file (bcrypt) for Basic authentication. */
  readonly htpasswd?: string
  /** Its disk has so many bytes and no more; in a mount namespace of the registry's own. */
  readonly diskBytes?: number
}

/** Debian's docker-registry (distribution 2.8), its data in `dir`. */
export async function distributionRegistry(dir: string, options: DistributionOptions = {}): Promise<ForeignRegistry> {
  const program = await debianTool('docker-registry', 'docker-registry')
  mkdirSync(dir, { recursive: true })
  const auth = options.htpasswd === undefined ? {} : { auth: { htpasswd: { realm: 'test', path: options.htpasswd } } }
  // What is mounted goes with the registry, whatever becomes of this process.
  const mounting = options.diskBytes === undefined ? [] : ['--mount', '/bin/sh', '-c', `mount -t tmpfs -o size=${options.diskBytes} tmpfs "$0" && exec "$@"`, join(dir, 'disk'), program]
  const root = options.diskBytes === undefined ? dir : join(dir, 'disk')
  mkdirSync(root, { recursive: true })
  return launch('docker-registry', options.diskBytes === undefined ? program : 'unshare', (address) => {
    const config = { version: '0.1', log: { level: 'error', accesslog: { disabled: true } }, storage: { filesystem: { rootdirectory: root }, delete: { enabled: true } }, http: { addr: address }, ...auth }
    const path = join(dir, 'config.yml')
    writeFileSync(path, JSON.stringify(config))
    return [...mounting, 'serve', path]
  })
}
