import { readFile, statfs } from 'node:fs/promises'
import { arch, cpus, hostname, loadavg, networkInterfaces, release, uptime } from 'node:os'

/** Facts of the node by name, as its own /proc tells them. Sizes are bytes, times are seconds. */
export type FactName = 'cpu' | 'memory' | 'disk' | 'host' | 'net'
export type Fact = Readonly<Record<string, unknown>>

/** @param folders those whose disks are told */
export function factReaders(nodeName: string, folders: readonly string[]): Readonly<Record<FactName, () => Promise<Fact>>> {
  return {
    cpu: async () => cpu(),
    memory,
    disk: async () => ({ disks: await Promise.all(folders.map(disk)) }),
    host: () => host(nodeName),
    net,
  }
}

function cpu(): Fact {
  const all = cpus()
  const seconds = (kind: 'user' | 'nice' | 'sys' | 'idle' | 'irq'): number => all.reduce((sum, { times }) => sum + times[kind], 0) / 1000
  return { cores: all.length, model: all[0]?.model ?? '', load: loadavg(), user: seconds('user'), nice: seconds('nice'), system: seconds('sys'), idle: seconds('idle'), irq: seconds('irq') }
}

async function memory(): Promise<Fact> {
  const text = await readFile('/proc/meminfo', 'utf8')
  const bytes = (name: string): number => Number(new RegExp(`^${name}:\\s*(\\d+) kB`, 'm').exec(text)?.[1] ?? 0) * 1024
  const [total, available] = [bytes('MemTotal'), bytes('MemAvailable')]
  return { total, available, used: total - available, free: bytes('MemFree'), cached: bytes('Cached'), swap_total: bytes('SwapTotal'), swap_free: bytes('SwapFree') }
}

export interface Disk {
  readonly path: string
  readonly total: number
  /** What others than root may still take. */
  readonly available: number
  readonly used: number
  readonly inodes: number
  readonly inodes_free: number
}

export async function disk(path: string): Promise<Disk> {
  const { bsize, blocks, bfree, bavail, files, ffree } = await statfs(path)
  return { path, total: blocks * bsize, available: bavail * bsize, used: (blocks - bfree) * bsize, inodes: files, inodes_free: ffree }
}

async function host(nodeName: string): Promise<Fact> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '')
  return { node: nodeName, hostname: hostname(), os: /^PRETTY_NAME="?([^"\n]*)/m.exec(text)?.[1] ?? 'Linux', kernel: release(), architecture: arch(), uptime: uptime() }
}

async function net(): Promise<Fact> {
  const text = await readFile('/proc/net/dev', 'utf8')
  const addresses = networkInterfaces()
  const interfaces = [...text.matchAll(/^\s*([^\s:]+):\s*(.+)$/gm)].map(([, name = '', line = '']) => {
    const [received = 0, receivedPackets = 0, receiveErrors = 0, , , , , , sent = 0, sentPackets = 0, sendErrors = 0] = line.trim().split(/\s+/).map(Number)
    return {
      name, addresses: (addresses[name] ?? []).map(({ address }) => address),
      bytes_received: received, packets_received: receivedPackets, receive_errors: receiveErrors, bytes_sent: sent, packets_sent: sentPackets, send_errors: sendErrors,
    }
  })
  return { interfaces }
}
