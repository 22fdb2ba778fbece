// What the tests of tarsnode share: the real bundle, a root folder of its own for each, a real Tars registry that
// notes what it is told, and the supervisor as PID 1.
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createEndpointF, type EndpointF } from '#tars/protocol/EndpointF.ts'
import { Notify } from '#tars/protocol/NotifyF.ts'
import { QueryF } from '#tars/protocol/QueryF.ts'
import { createAdapterDescriptor, createServerDescriptor, Registry, type ServerDescriptor } from '#tars/protocol/Registry.ts'
import { createServer, TarsCallError, type Current, type TarsServer } from '#tars/server.ts'
import { buildSupervisor } from '../../node/build.ts'
import type { LayerFile } from '../../node/files.ts'
import { RUNTIME_FLAGS } from '../../node/layout.ts'
import { ownAddress } from '../rig/own-address.ts'
import { PidNamespace, type PidNamespaceOptions } from '../rig/pidns.ts'

export { ownAddress }

const repo = join(import.meta.dirname, '..', '..')
export const runtime = process.execPath

let folder: string | undefined
/** A folder for one test; see {@link removeScratch}. */
export function scratch(name: string): string {
  if (folder === undefined) {
    folder = mkdtempSync(join(tmpdir(), 'tarsnode-test-'))
    process.on('exit', removeScratch)
  }
  return mkdtempSync(join(folder, `${name}-`))
}

/** Removes all scratch folders. A test file calls it when it is over, because its process may be ended from outside. */
export function removeScratch(): void {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
}

let building: Promise<string> | undefined
/** The bundle, built once a test process. */
export const bundle = (): Promise<string> => (building ??= buildSupervisor(scratch('bundle')))

/** Puts the files of a layer below a root. */
export function place(root: string, files: readonly LayerFile[]): void {
  for (const { path, source, content, mode } of files) {
    const target = join(root, path)
    mkdirSync(dirname(target), { recursive: true })
    if (source === undefined) writeFileSync(target, content ?? '')
    else copyFileSync(source, target)
    chmodSync(target, mode)
  }
}

export interface StateReport {
  readonly pod: string
  /** Address that the report came from. */
  readonly peer: string
  readonly setting: string
  readonly present: string
  readonly pid: number
  readonly message: string
  readonly restarts: number
  /** Seconds since the epoch. */
  readonly time: number
}

/** A real Tars server with RegistryObj, QueryObj and NotifyObj that notes what it is told. */
export class NotingRegistry {
  readonly address = ownAddress()
  readonly reports: StateReport[] = []
  readonly alarms: string[] = []
  /** Those that came by the older function. */
  readonly oldAlarms: string[] = []
  /** As a tarsnotify that has the older function only. */
  knowsNotifyInfo = true
  descriptor: ServerDescriptor | undefined
  /** When the latest word of the pod was said, seconds since the epoch: one that is not later is not taken. */
  latest = 0
  /** Names of the pods that serve every object of a service. */
  serving: readonly string[] = []
  #server: TarsServer | undefined
  #waiters: (() => void)[] = []

  constructor(descriptor: ServerDescriptor | undefined) {
    this.descriptor = descriptor
  }

  async start(): Promise<void> {
    const registry = { interface: Registry, servant: this.#registry() }
    const query = { interface: QueryF, servant: this.#query() }
    const notify = { interface: Notify, servant: this.#notify() }
    this.#server = createServer({
      adapters: [
        { endpoint: `tcp -h ${this.address} -p 17891 -t 30000`, servants: { 'tars.tarsregistry.RegistryObj': registry } },
        { endpoint: `tcp -h ${this.address} -p 17890 -t 30000`, servants: { 'tars.tarsregistry.QueryObj': query, 'tars.tarsnotify.NotifyObj': notify } },
      ],
    })
    await this.#server.start()
  }

  async stop(): Promise<void> {
    await this.#server?.drain(0)
    await this.#server?.stop()
    this.#server = undefined
  }

  /** What was told of the present state; one that was not answered in time is told again. */
  get story(): string[] {
    return this.reports.map(({ present }) => present).filter((present, index, all) => present !== all[index - 1])
  }

  /** Resolves with the first report, from number `from` on, that matches. */
  async report(matches: (report: StateReport) => boolean, from = 0): Promise<StateReport> {
    for (;;) {
      const found = this.reports.slice(from).find(matches)
      if (found !== undefined) return found
      await new Promise<void>((resolve) => this.#waiters.push(resolve))
    }
  }

  async alarm(pattern: RegExp): Promise<string> {
    for (;;) {
      const found = this.alarms.find((alarm) => pattern.test(alarm))
      if (found !== undefined) return found
      await new Promise<void>((resolve) => this.#waiters.push(resolve))
    }
  }

  #note(note: () => void): void {
    note()
    for (const waiter of this.#waiters.splice(0)) waiter()
  }

  #registry(): object {
    const unused = (): number => 0
    const others = Object.fromEntries(Object.keys(Registry.functions).map((name) => [name, unused]))
    return {
      ...others,
      getServerDescriptor: () => ({ return: this.descriptor === undefined ? -1 : 0, descriptor: this.descriptor ?? createServerDescriptor() }),
      updateServerState: (pod: string, setting: string, present: string, { context, peer, responseContext }: Current) => {
        const time = Number(context.get('Time'))
        if (time <= this.latest) {
          responseContext.set('Time', String(this.latest))
          throw new TarsCallError(-99, `pod ${pod} has said more since`)
        }
        this.#note(() => this.reports.push({ pod, setting, present, peer: peer.address, pid: Number(context.get('PID')), message: context.get('Message') ?? '', restarts: Number(context.get('Restarts')), time }))
      },
    }
  }

  #query(): object {
    const endpoint = createEndpointF({ host: this.address, port: 17890, timeout: 3000, istcp: 1 })
    const served = (id: string): EndpointF[] => (id === 'tars.tarsnotify.NotifyObj' ? [endpoint] : this.serving.map((nodeName) => createEndpointF({ host: nodeName, port: 10000, timeout: 3000, istcp: 1, nodeName })))
    const all = (id: string): object => ({ return: 0, activeEp: served(id), inactiveEp: [] })
    return { ...Object.fromEntries(Object.keys(QueryF.functions).map((name) => [name, all])), findObjectById: served }
  }

  #notify(): object {
    return {
      ...Object.fromEntries(Object.keys(Notify.functions).map((name) => [name, () => undefined])),
      reportNotifyInfo: ({ sMessage }: { sMessage: string }) => {
        if (!this.knowsNotifyInfo) throw new TarsCallError(-3, 'there is no such function')
        this.#note(() => this.alarms.push(sMessage))
      },
      reportServer: (_server: string, _thread: string, message: string) =>
        this.#note(() => {
          this.alarms.push(message)
          this.oldAlarms.push(message)
        }),
    }
  }
}

const PROFILE = `<tars>
  <application>
    <client>
      locator=\${locator}
      modulename=\${modulename}
    </client>
    <server>
      app=\${app}
      server=\${server}
      localip=\${localip}
      local=\${local}
      deactivating-timeout=2000
    </server>
  </application>
</tars>
`

/** A descriptor with one adapter; `extra` lines join /tars/application/server. */
export function descriptor(extra: readonly string[] = []): ServerDescriptor {
  const adapter = createAdapterDescriptor({ adapterName: 'Test.EchoServer.EchoObjAdapter', endpoint: 'tcp -h ${localip} -p 10000 -t 60000', threadNum: 2, maxConnections: 1024, servant: 'Test.EchoServer.EchoObj', queuecap: 100, queuetimeout: 4000, protocol: 'tars' })
  const profile = PROFILE.replace('    </server>', `${extra.map((line) => `      ${line}\n`).join('')}    </server>`)
  return createServerDescriptor({ profile, asyncThreadNum: 3, adapters: new Map([[adapter.adapterName, adapter]]) })
}

export interface Pod {
  readonly root: string
  readonly address: string
  readonly env: Readonly<Record<string, string>>
}

/** The files and the environment of one container, `program` being its service. `registry` none: no Tars server. */
export function pod(registry: Pick<NotingRegistry, 'address'> | 'none', env: Readonly<Record<string, string>> = {}, program = `exec ${runtime} ${join(repo, 'test/node/services/beating.ts')} "$@"`): Pod {
  const root = scratch('root')
  const address = ownAddress()
  const bin = join(root, 'usr/local/server/bin')
  mkdirSync(bin, { recursive: true })
  mkdirSync(join(root, 'etc'))
  writeFileSync(join(root, 'etc/hosts'), '127.0.0.1\tlocalhost\n')
  writeFileSync(join(bin, 'EchoServer'), `#!/bin/sh\n${program}\n`)
  chmodSync(join(bin, 'EchoServer'), 0o755)
  return {
    root,
    address,
    env: {
      PodName: 'echo-0', PodIP: address, ServerApp: 'Test', ServerName: 'EchoServer', ServerType: registry === 'none' ? 'not-tars' : 'nodejs-pkg',
      TARSNODE_ROOT: root, TARSNODE_LOCAL_ADDRESS: address, TARSNODE_REGISTRY: registry === 'none' ? 'none' : registry.address, ...env,
    },
  }
}

/** Environment of a service that is any command line. */
export const command = (file: string, argv: string): Record<string, string> => ({ ServerLauncherFile: file, ServerLauncherArgv: argv })

/** The command line of the supervisor, as an image's ENTRYPOINT has it but for the loader. */
export const supervisorCommand = async (): Promise<readonly string[]> => [runtime, ...RUNTIME_FLAGS, await bundle()]

/** Starts the real supervisor as PID 1 of a PID namespace of its own. */
export async function supervise({ env }: Pod, stdio: PidNamespaceOptions['stdio'] = 'pipe'): Promise<PidNamespace> {
  const space = new PidNamespace({ argv: await supervisorCommand(), env, stdio })
  await space.started()
  return space
}
