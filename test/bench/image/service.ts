// tarsimage as a process of its own, as in its pod, with an API server beside it.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { completeFramework } from '#api/default.ts'
import { resources } from '#api/resources.ts'
import { postForm } from '../../../framework/cli/parts/multipart.ts'
import { namespace, startCluster } from '../../registry/cluster.ts'
import { server, type Arena, type Ground } from './contest.ts'

/** What a pod's command `tarsk8s` is. */
const launcher = join(import.meta.dirname, '../../../framework/bootstrap.mjs')
const framework = 'tars-framework'

export interface Service {
  /** From now on images go to this registry. */
  aim(arena: Arena): Promise<void>
  /** Makes the TImage of an application's server. @returns the building call for it: sends a package and waits for the image */
  timage(app: string): Promise<(file: string, arena: Arena) => Promise<void>>
  /** The most memory that the process has had, MB. */
  peak(): number
}

export interface ServiceOptions {
  /** Those it may use, as taskset takes them. */
  readonly cores?: string
  readonly env?: Readonly<Record<string, string>>
}

/** Lends a service. */
export async function withService<T>(ground: Ground, use: (service: Service) => Promise<T>, options: ServiceOptions = {}): Promise<T> {
  const dir = await mkdtemp(join(ground.dir, 'service-'))
  const { api, client, stop } = await startCluster()
  const kubeconfig = join(dir, 'kubeconfig')
  await writeFile(kubeconfig, api.kubeconfig(namespace), { mode: 0o600 })
  await client.create(resources.tframeworkconfigs, completeFramework({ name: framework, namespace }, { imageUpload: { registry: '' } }))
  const env = { ...process.env, KUBECONFIG: kubeconfig, Namespace: namespace, PodName: 'tars-tarsimage-0', PodIP: '127.0.0.1', TARSIMAGE_PORT: '0', TARSIMAGE_WORKSPACE: join(dir, 'workspace'), TARSIMAGE_SUPERVISOR: ground.supervisor, ...options.env }
  const [program, ...args] = [...(options.cores === undefined ? [] : ['taskset', '-c', options.cores]), process.execPath, launcher, 'image']
  const started = spawn(program, args, { env, stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = new Promise<void>((resolve) => started.on('exit', () => resolve()))
  try {
    const url = await serving(started.stderr)
    // The launcher hands over to the service and stays for its signals.
    const child = readFileSync(`/proc/${started.pid}/task/${started.pid}/children`, 'utf8').trim()
    return await use({
      async aim({ address }) {
        await client.patch(resources.tframeworkconfigs, { namespace, name: framework }, { imageUpload: { registry: `${address}/ours` } })
      },
      async timage(app) {
        const name = `${app}-${server}`.toLowerCase()
        await client.create(resources.timages, { apiVersion: 'k8s.tars.io/v1beta3', kind: 'TImage', metadata: { name, namespace }, imageType: 'server' })
        return (file, arena) => build(`${url}/api/v1beta3/timage/${name}/building?wait=1`, file, { ServerApp: app, ServerName: server, ServerType: 'cpp', BaseImage: arena.base })
      },
      peak: () => Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${child}/status`, 'utf8'))?.[1]) / 1000,
    })
  } finally {
    started.kill('SIGTERM')
    await ended
    await stop()
    await rm(dir, { recursive: true, force: true })
  }
}

/** The address that the service says it serves at. */
async function serving(log: Readable): Promise<string> {
  let said = ''
  return new Promise((resolve, reject) => {
    const lines = createInterface({ input: log })
    lines.on('line', (line) => {
      said += `${line}\n`
      const url = /"tarsimage serves".*"url":"([^"]+)"/.exec(line)?.[1]
      if (url !== undefined) resolve(url)
    })
    lines.on('close', () => reject(new Error(`tarsimage ended:\n${said}`)))
  })
}

async function build(url: string, path: string, fields: Readonly<Record<string, string>>): Promise<void> {
  const { size } = await stat(path)
  const { status, text } = await postForm({ url, fields, file: { field: 'ServerFile', path, name: basename(path), size }, onProgress: () => {}, signal: new AbortController().signal })
  if (status !== 200) throw new Error(`the building call was answered ${status}: ${text}`)
}
