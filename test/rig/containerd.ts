// A containerd of our own for tests, with its own data and socket, ended and cleaned up by stop(). Needs root.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { debianTool } from './tools.ts'

export interface Containerd {
  readonly socket: string
  stop(): Promise<void>
}

/** Starts containerd with its CRI plugin, as a node has it; it runs no container here. */
export async function startContainerd(): Promise<Containerd> {
  const program = await debianTool('containerd', 'containerd')
  const folder = mkdtempSync(join(tmpdir(), 'tarsk8s-containerd-'))
  const socket = join(folder, 'containerd.sock')
  const cri = 'plugins."io.containerd.grpc.v1.cri"'
  writeFileSync(join(folder, 'config.toml'), `version = 2
root = "${folder}/root"
state = "${folder}/state"
[grpc]
address = "${socket}"
[${cri}]
enable_selinux = false
[${cri}.containerd]
snapshotter = "native"
[${cri}.cni]
conf_dir = "${folder}/cni"
[plugins."io.containerd.internal.v1.opt"]
path = "${folder}/opt"
`)
  const daemon = spawn(program, ['--config', join(folder, 'config.toml')], { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [daemon.stdout, daemon.stderr]) stream.on('data', (part: Buffer) => (said = (said + part.toString()).slice(-8000)))
  const ended = new Promise<void>((resolve) => daemon.once('exit', () => resolve()))
  while (!(existsSync(socket) && said.includes('containerd successfully booted'))) {
    if (daemon.exitCode !== null) throw new Error(`containerd ended with ${daemon.exitCode}: ${said}`)
    await delay(20)
  }
  return {
    socket,
    async stop() {
      daemon.kill('SIGTERM')
      await ended
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}
