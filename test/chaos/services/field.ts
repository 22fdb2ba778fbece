import { randomUUID } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { customResourceDefinitions as definitions } from '#api/crds.ts'
import { resources } from '#api/resources.ts'
import { createKubeClient, type KubeClient, type KubeConfig } from '#kube/client.ts'
import { customResourceDefinitions } from '#kube/resources.ts'
import type { AnyObject, Resource } from '#kube/types.ts'
import { createEndpoint, createPod, createTemplate, namespace } from '../../registry/cluster.ts'
import { ownAddress } from '../../rig/own-address.ts'
import { cacheDir } from '../../rig/tools.ts'
import { Daemon } from '../daemon.ts'
import { Disks } from '../../rig/disks.ts'
import { Documents } from './documents.ts'
import { roleKinds } from './kinds.ts'
import { Role } from './role.ts'

/** Longest wait for the API server to be there, milliseconds. */
const READY_MS = 60_000
/** Growth that is none: connections of the moment, what is not collected yet. */
const MORE_FILES = 25
const MORE_MB = 100
/** Names of what is not complete yet. */
const draft = /\.(part|new|draft|tmp|broken)(-\w+)?$/
const servers = ['Alpha', 'Beta', 'Gamma', 'Pair'] as const

/** The API server, the document store, and all roles, each a process of its own. */
export class ServicesField {
  readonly folder: string
  readonly client: KubeClient
  readonly api: Daemon
  readonly documents: Documents
  readonly disks: Disks
  readonly roles: readonly Role[]
  /** What disturbances saw that should not be. */
  readonly faults: string[] = []

  private constructor(made: { folder: string; client: KubeClient; api: Daemon; documents: Documents; disks: Disks; roles: readonly Role[] }) {
    this.folder = made.folder
    this.client = made.client
    this.api = made.api
    this.documents = made.documents
    this.disks = made.disks
    this.roles = made.roles
  }

  static async start(): Promise<ServicesField> {
    const folder = mkdtempSync(join(tmpdir(), 'tarsk8s-chaos-services-'))
    const cache = join(cacheDir, 'compile-cache')
    mkdirSync(cache, { recursive: true })
    const starting = Documents.start()
    starting.catch(() => {})
    const { api, config, kubeconfig } = await startApi(folder)
    const client = createKubeClient(config)
    await furnish(client)
    const documents = await starting
    const kinds = roleKinds(documents.link.address).flatMap(([count, kind]) => Array.from({ length: count }, (_, number) => [`${kind.server}-${number}`, kind] as const))
    const disks = await Disks.mount(join(folder, 'disks'), Object.fromEntries(kinds.flatMap(([name, { diskMb }]) => (diskMb === undefined ? [] : [[name, diskMb]]))))
    const around = { folder, namespace, disks, api: new URL(config.server).host, kubeconfig, cache }
    const roles = await Promise.all(kinds.map(([name, kind]) => Role.create(name, kind, around)))
    for (const role of roles) {
      await createPod(client, { app: 'tars', server: role.kind.server, name: `tars-${role.name}`, ip: role.address, gate: false })
      role.bringUp()
    }
    return new ServicesField({ folder, client, api, documents, disks, roles })
  }

  /** Those of a server. */
  of(server: string): readonly Role[] {
    return this.roles.filter(({ kind }) => kind.server === server)
  }

  only(server: string): Role {
    const [role] = this.of(server)
    if (role === undefined) throw new Error(`there is no ${server}`)
    return role
  }

  /** For all at once. @returns ends it */
  cutAll(): () => void {
    const back = this.roles.map(({ reach }) => reach.cut())
    return () => back.forEach((undo) => undo())
  }

  /** Remembers what each role takes of the machine when nobody has disturbed it. */
  measure(): void {
    for (const role of this.roles) role.first = role.footprint()
  }

  /** What happened that should not have. */
  pastFaults(): readonly string[] {
    return [...this.faults, ...[this.api, ...this.roles].flatMap(({ faults }) => faults)]
  }

  /** What roles left lying about; what one is just writing is there for a moment only. */
  leftovers(): readonly string[] {
    return this.roles.flatMap(({ name, files }) => files.filter((file) => draft.test(file)).map((file) => `${name} left ${file}`))
  }

  /** What roles take more of than at first. */
  growth(note: (line: string) => void): readonly string[] {
    return this.roles.flatMap((role) => {
      const { first, name } = role
      const last = role.footprint()
      note(`${name.padEnd(22)} ${first?.megabytes.toFixed(0)} MB and ${first?.openFiles} open files, in the end ${last?.megabytes.toFixed(0)} and ${last?.openFiles}`)
      return [
        ...(last === undefined || first === undefined ? [`${name} does not run`] : [
          ...(last.openFiles > first.openFiles + MORE_FILES ? [`${name} had ${first.openFiles} open files, and has ${last.openFiles}`] : []),
          ...(last.megabytes > first.megabytes + MORE_MB ? [`${name} took ${first.megabytes.toFixed(0)} MB, and takes ${last.megabytes.toFixed(0)}`] : []),
        ]),
      ]
    })
  }

  /** @returns the folder */
  keepLogs(): string {
    const folder = mkdtempSync(join(tmpdir(), 'chaos-services-logs-'))
    for (const { name, lines } of [this.api, ...this.roles]) writeFileSync(join(folder, `${name}.log`), `${lines.join('\n')}\n`)
    return folder
  }

  async stop(): Promise<void> {
    await Promise.all(this.roles.map((role) => role.stop()))
    await Promise.all([this.api.takeDown(), this.documents.stop(), this.disks.unmount()])
    this.client.close()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

interface Reached {
  readonly config: KubeConfig
  readonly kubeconfig: string
}

/** It keeps its port when it is started again, and nobody takes it meanwhile: the address is its own. */
async function startApi(folder: string): Promise<Reached & { readonly api: Daemon }> {
  const common = { dataFile: join(folder, 'api.sqlite'), host: ownAddress(), token: randomUUID(), namespaces: [namespace] }
  const program = (port: number): string[] => [process.execPath, '--disable-warning=ExperimentalWarning', join(import.meta.dirname, 'api-process.ts'), JSON.stringify({ ...common, port })]
  const env = { PATH: process.env['PATH'] ?? '' }
  const reached = Promise.withResolvers<Reached>()
  const onLine = (line: string): void => {
    if (line.startsWith('{"config"')) reached.resolve(JSON.parse(line) as Reached)
  }
  const first = new Daemon({ name: 'apiserver', argv: program(0), env, onLine })
  first.bringUp()
  const late = setTimeout(() => reached.reject(new Error(`the API server does not start: ${first.lines.join(' | ')}`)), READY_MS)
  const { config, kubeconfig } = await reached.promise.finally(() => clearTimeout(late))
  await first.takeDown('SIGTERM')
  const api = new Daemon({ name: 'apiserver', argv: program(Number(new URL(config.server).port)), env })
  api.bringUp()
  return { config, kubeconfig, api }
}

/** What there is before anything happens. */
async function furnish(client: KubeClient): Promise<void> {
  for (const crd of definitions()) await taken(() => client.create(customResourceDefinitions, crd as unknown as AnyObject))
  for (const resource of Object.values(resources)) await taken(() => client.list(resource as Resource, { namespace }))
  await createTemplate(client, 'tars.default', 'tars.default', '<tars>\n</tars>')
  for (const server of servers) await createEndpoint(client, 'Chaos', server, [{ name: 'Obj', port: 10_000, isTcp: true, isTars: true, timeout: 60_000 }])
}

async function taken(write: () => Promise<unknown>): Promise<void> {
  const deadline = performance.now() + READY_MS
  for (;;) {
    try {
      await write()
      return
    } catch (error) {
      if (performance.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}
