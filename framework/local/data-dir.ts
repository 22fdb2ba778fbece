import { createHash } from 'node:crypto'
import { mkdir, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { join, resolve } from 'node:path'
import { Failure } from '#base/errors.ts'
import type { Running } from '#base/lifecycle.ts'

/** Where a local cluster keeps what, all below its data directory. */
export interface DataPaths {
  readonly root: string
  /** Objects of the Kubernetes API. */
  readonly apiServer: string
  /** Blobs of the OCI registry. */
  readonly registry: string
  /** Unpacked images, pods, logs. */
  readonly pods: string
  /** Built once and kept: base images, supervisor layer, sample packages. */
  readonly cache: string
  /** Files of the framework's own services. */
  readonly services: string
  readonly kubeconfig: string
  /** How commands find the cluster; written when it is up. */
  readonly clusterFile: string
}

export interface DataDir extends Running {
  readonly paths: DataPaths
  /** The cluster's own part of 127.0.0.0/8, e.g. `127.83.20`: `.1` is the host's side, each pod has one of the others. */
  readonly subnet: string
}

/** TCP port of the API server on `<subnet>.1`; whether it is free decides whether a subnet is. */
export const apiServerPort = 6443

function pathsOf(root: string): DataPaths {
  const at = (name: string): string => join(root, name)
  return { root, apiServer: at('api-server.sqlite'), registry: at('registry'), pods: at('pods'), cache: at('cache'), services: at('services'), kubeconfig: at('kubeconfig'), clusterFile: at('cluster.json') }
}

/**
 * Opens a data directory for this process alone, making it when it is new.
 * The lock is an abstract socket, which the kernel releases with the process, however it ends.
 * @throws Failure LOCAL_DATA_DIR, LOCAL_ALREADY_RUNNING, LOCAL_NO_SUBNET
 */
export async function openDataDir(dir: string): Promise<DataDir> {
  await mkdir(resolve(dir), { recursive: true, mode: 0o711 }).catch((cause: unknown) => {
    throw new Failure('LOCAL_DATA_DIR', `the data directory ${resolve(dir)} cannot be made`, { cause, remedy: 'choose a folder that can be written to with --data DIR' })
  })
  const root = await realpath(resolve(dir))
  const digest = createHash('sha256').update(root).digest()
  const lock = await listen({ path: `\0tarsk8s-${digest.toString('hex').slice(0, 32)}` })
  if (lock === undefined) {
    const pid = await readFile(join(root, 'pid'), 'utf8').catch(() => '?')
    throw new Failure('LOCAL_ALREADY_RUNNING', `a cluster with the data directory ${root} is running already, process ${pid.trim()}`, { remedy: 'use it, stop it with Ctrl-C or SIGTERM, or choose another directory with --data DIR' })
  }
  await writeFile(join(root, 'pid'), `${process.pid}\n`)
  const ended = Promise.withResolvers<void>()
  const stop = async (): Promise<void> => {
    await rm(join(root, 'pid'), { force: true })
    await close(lock)
    ended.resolve()
  }
  try {
    const paths = pathsOf(root)
    const subnet = await freeSubnet(join(root, 'subnet'), digest)
    return { paths, subnet, stop, done: ended.promise }
  } catch (error) {
    await stop()
    throw error
  }
}

/** The subnet used before, when it is free; else the first free one, remembered for the next time. */
async function freeSubnet(file: string, digest: Buffer): Promise<string> {
  const before = await readFile(file, 'utf8').catch(() => '')
  const seed = digest.readUInt16BE(0)
  const candidates = Array.from({ length: 64 }, (_, index) => {
    const number = (seed + index * 257) % 65_024
    return `127.${1 + (number >> 8)}.${number & 255}`
  })
  for (const subnet of before === '' ? candidates : [before.trim(), ...candidates]) {
    const probe = await listen({ host: `${subnet}.1`, port: apiServerPort })
    if (probe === undefined) continue
    await close(probe)
    await writeFile(`${file}.tmp`, `${subnet}\n`)
    await rename(`${file}.tmp`, file)
    return subnet
  }
  throw new Failure('LOCAL_NO_SUBNET', `no free address for the API server on port ${apiServerPort} of the loopback network`, { remedy: 'stop other clusters on this machine' })
}

async function listen(where: { readonly path: string } | { readonly host: string; readonly port: number }): Promise<Server | undefined> {
  const server = createServer()
  return new Promise((resolvePromise, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => (error.code === 'EADDRINUSE' ? resolvePromise(undefined) : reject(error)))
    server.listen(where, () => resolvePromise(server.unref()))
  })
}

async function close(server: Server): Promise<void> {
  await new Promise<void>((done) => void server.close(() => done()))
}
