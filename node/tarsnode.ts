import { release } from 'node:os'
import { systemClock } from '#base/clock.ts'
import { describe } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'
import { prepareContainer } from './container/prepare.ts'
import type { Settings } from './env.ts'
import type { Output } from './output/output.ts'
import { Handover, sayReady, serviceBegun } from './foreground.ts'
import { serviceAdmin } from './service/admin.ts'
import { attachTo } from './service/attached.ts'
import { Commands } from './service/commands.ts'
import type { Launch, SupervisorPorts } from './service/ports.ts'
import { launchPreparer } from './service/prepare-launch.ts'
import { ServiceProcess, type Ending } from './service/process.ts'
import { Supervisor } from './service/supervisor.ts'
import { lateRegistry } from './registry/late.ts'
import { noRegistry } from './registry/link.ts'
import type { Libc } from './system/libc.ts'
import { keepNewestCores } from './system/core-files.ts'
import { memoryShortages } from './system/memory.ts'
import { Reaper } from './system/reaper.ts'
import { trimWhenQuiet } from './system/trim.ts'

export interface TarsnodeWorld {
  readonly libc: Libc
  readonly output: Output
  readonly log: Logger
  /** Leaves with this code, after the last output; `why` is for whoever asks Kubernetes how the container ended. */
  readonly exit: (code: number, why?: string) => void
  /** The exit code of a supervisor that cannot do its work. */
  readonly failed: number
}

export interface Tarsnode {
  /** The stop path: drain, shut down, exit with the service's outcome. */
  quit(): void
  /** Hands a signal to the service. */
  forward(signal: NodeJS.Signals): void
}

/** Longest wait at the end for the registry to hear the last state, milliseconds. */
const LAST_WORD_MS = 1_000

/**
 * supervisor: PID 1 in background mode, the service below it · handover: PID 1 in foreground mode, until it becomes the
 * service · keeper: the tarsnode beside a service that is PID 1.
 */
export type Part = 'supervisor' | 'handover' | 'keeper'

/**
 * Puts tarsnode together and starts the service. What a launch does not need is loaded after it: the Tars server and
 * client cost more to evaluate than the runtime takes to start.
 * @throws Failure when the container cannot be made ready
 */
export function startTarsnode(settings: Settings, part: Part, world: TarsnodeWorld): Tarsnode {
  const { libc, output, log, exit, failed } = world
  const { timezone } = prepareContainer(settings, log)
  const registry = settings.registry === undefined ? { ...noRegistry, load: (_onNewer: () => void) => {} } : lateRegistry(settings, settings.registry, log)
  const admin = serviceAdmin(settings)
  const happened = trimWhenQuiet(libc)
  const onEnded = (pid: number, word: number): void => {
    commands.ended(pid, word)
    supervisor.ended(pid, word)
  }
  const reaper = new Reaper({ libc, kernel: release(), onEnded })
  const commands = new Commands(reaper, output)
  const prepare = launchPreparer({ settings, timezone, registry, admin, run: commands.run })
  const launched = Promise.withResolvers<void>()
  let failing = false
  const supervisor = new Supervisor(
    {
      ...launchPorts({ settings, part, world, reaper, prepare, launched: launched.resolve }),
      lastLines: (count) => output.lastLines(count),
      outOfMemory: memoryShortages(),
      // Where the kernel puts them: the service's working folder.
      newestCore: () => keepNewestCores(settings.paths.binDir),
      report: (view) => {
        if (!failing) registry.report(view)
        happened()
      },
      notify: (level, text) => registry.notify(level, text),
      exit: (code) => void registry.close(LAST_WORD_MS).then(() => exit(code)),
      exitsWithService: settings.onExit === 'exit',
      sparesOverdue: part === 'keeper',
    },
    log,
    systemClock,
  )
  if (process.pid !== 1) libc.becomeSubreaper()
  reaper.start()
  // A service may send its first heartbeat before our server is loaded: it waits in the socket until then.
  const heartbeatSocket = part === 'handover' ? undefined : libc.listen(settings.localAddress, settings.serverPort)
  const asksByAddress = settings.type === 'php' && part !== 'handover'
  const locatorSocket = asksByAddress ? libc.listen(settings.localAddress, settings.locatorPort) : undefined
  const listen = async (): Promise<void> => {
    if (asksByAddress && settings.registry !== undefined) {
      const { serveLocator } = await import('./registry/locator.ts')
      await serveLocator({ registry: settings.registry, localAddress: settings.localAddress, port: settings.locatorPort, socket: locatorSocket })
    }
    const { startServants } = await import('./servants/servants.ts')
    const guard = await startServants({ settings, supervisor, registry, admin, log, heartbeatSocket, libc, root: part === 'keeper' ? process.ppid : process.pid })
    const { openEyes } = await import('./eyes/eyes.ts')
    await openEyes({ settings, supervisor, guard, output, besides: part === 'keeper' })
  }
  const serve = async (): Promise<void> => {
    if (part === 'keeper') await keep(listen, () => supervisor.command('start'))
    // Not before the launch, but also when that takes long: an operator wants to be answered then most of all.
    await Promise.race([launched.promise.then(() => pause(AFTER_LAUNCH_MS)), pause(SERVE_MS)])
    output.begin()
    if (part === 'supervisor') await listen()
    registry.load(() => supervisor.renew('the registry has a newer descriptor than the one that the container resumed with'))
  }
  if (part !== 'keeper') supervisor.command('start')
  serve().catch((error: unknown) => {
    const message = `the supervisor cannot serve: ${describe(error)}`
    log.error('the supervisor cannot serve', { error: describe(error) })
    // The service ends with us. Beside one that is PID 1 we are not the one who speaks yet.
    failing = true
    if (part !== 'keeper') registry.report({ ...supervisor.view, present: 'Inactive', pid: 0, message })
    void registry.close(LAST_WORD_MS).then(() => exit(failed, message))
  })
  return { quit: () => supervisor.command('quit'), forward: (signal) => void supervisor.forward(signal) }
}

interface LaunchPortsOptions {
  readonly settings: Settings
  readonly part: Part
  readonly world: TarsnodeWorld
  readonly reaper: Reaper
  readonly prepare: SupervisorPorts['prepare']
  readonly launched: () => void
}

/** How a launch comes about: below us, as what we become, or as what is there already. */
function launchPorts({ settings, part, world, reaper, prepare, launched }: LaunchPortsOptions): Pick<SupervisorPorts, 'prepare' | 'spawn'> {
  if (part === 'keeper') {
    const service = process.ppid
    return { prepare, spawn: () => (launched(), attachTo(service)) }
  }
  if (part === 'supervisor') {
    return { prepare, spawn: (launch, onGone) => (launched(), spawnService(world.output, launch, { reaper, onGone, mayDaemonise: settings.onExit === 'restart' })) }
  }
  const handover = new Handover(world.libc, settings.container)
  const prepareAll = async (signal: AbortSignal): Promise<Launch> => {
    const [launch] = await Promise.all([prepare(signal), handover.keeper()])
    // The last chance to say no: what follows cannot be undone.
    return handover.become(launch)
  }
  return { prepare: prepareAll, spawn: () => attachTo(process.pid) }
}

async function keep(listen: () => Promise<void>, start: () => void): Promise<void> {
  await listen()
  sayReady()
  await serviceBegun()
  start()
}

/** What the service has for its own first steps before the supervisor goes on with its own, milliseconds. */
const AFTER_LAUNCH_MS = 10
/** Longest wait for the first launch before the servants are served all the same, milliseconds. */
const SERVE_MS = 200

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

interface SpawnServiceOptions {
  readonly reaper: Reaper
  readonly onGone: (ending: Ending) => void
  readonly mayDaemonise: boolean
}

function spawnService(output: Output, { plan }: Launch, { reaper, onGone, mayDaemonise }: SpawnServiceOptions): ServiceProcess {
  output.beginProcess()
  const { stdout, stderr } = output
  return new ServiceProcess({ plan, spawn: (program) => reaper.spawn(program, { stdout, stderr }), watch: (pid) => reaper.watch(pid), onGone, mayDaemonise })
}
