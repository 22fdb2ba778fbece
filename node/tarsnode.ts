import { systemClock } from '#base/clock.ts'
import { describe } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'
import { prepareContainer } from './container/prepare.ts'
import type { Settings } from './env.ts'
import type { Output } from './output/output.ts'
import { serviceAdmin } from './service/admin.ts'
import type { Launch } from './service/ports.ts'
import { launchPreparer } from './service/prepare-launch.ts'
import { ServiceProcess } from './service/process.ts'
import { Supervisor } from './service/supervisor.ts'
import { lateRegistry } from './registry/late.ts'
import { noRegistry } from './registry/link.ts'
import type { Libc } from './system/libc.ts'
import { Reaper } from './system/reaper.ts'
import { trimWhenQuiet } from './system/trim.ts'

export interface TarsnodeWorld {
  readonly libc: Libc
  readonly output: Output
  readonly log: Logger
  /** Leaves with this code, after the last output. */
  readonly exit: (code: number) => void
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
 * Puts tarsnode together and starts the service. What a launch does not need is loaded after it: the Tars server and
 * client cost more to evaluate than the runtime takes to start.
 * @throws Failure when the container cannot be made ready
 */
export function startTarsnode(settings: Settings, world: TarsnodeWorld): Tarsnode {
  const { libc, output, log, exit, failed } = world
  const { timezone } = prepareContainer(settings, log)
  const registry = settings.registry === undefined ? { ...noRegistry, load: (_onNewer: () => void) => {} } : lateRegistry(settings, settings.registry, log)
  const admin = serviceAdmin(settings)
  const happened = trimWhenQuiet(libc)
  // A service may send its first heartbeat before our server is loaded: it waits in the socket until then.
  const heartbeatSocket = libc.listen(settings.localAddress, settings.serverPort)
  const launched = Promise.withResolvers<void>()
  const supervisor = new Supervisor(
    {
      prepare: launchPreparer({ settings, timezone, registry, admin }),
      spawn: (launch, onGone) => {
        launched.resolve()
        return spawnService(world, launch, { onGone, mayDaemonise: settings.onExit === 'restart' })
      },
      lastLines: (count) => output.lastLines(count),
      report: (view) => {
        registry.report(view)
        happened()
      },
      alarm: (text) => registry.alarm(text),
      exit: (code) => void registry.close(LAST_WORD_MS).then(() => exit(code)),
      exitsWithService: settings.onExit === 'exit',
    },
    log,
    systemClock,
  )
  if (process.pid !== 1) libc.becomeSubreaper()
  new Reaper({ libc, onReaped: (pid, status) => supervisor.reaped(pid, status) }).start()
  supervisor.command('start')
  const serve = async (): Promise<void> => {
    // Not before the launch, but also when that takes long: an operator wants to be answered then most of all.
    await Promise.race([launched.promise.then(() => pause(AFTER_LAUNCH_MS)), pause(SERVE_MS)])
    output.begin()
    const { startServants } = await import('./servants/servants.ts')
    await startServants({ settings, supervisor, registry, admin, log, heartbeatSocket })
    registry.load(() => supervisor.renew('the registry has a newer descriptor than the one that the container resumed with'))
  }
  serve().catch((error: unknown) => {
    log.error('the supervisor cannot serve', { error: describe(error) })
    exit(failed)
  })
  return { quit: () => supervisor.command('quit'), forward: (signal) => void supervisor.forward(signal) }
}

/** What the service has for its own first steps before the supervisor goes on with its own, milliseconds. */
const AFTER_LAUNCH_MS = 10
/** Longest wait for the first launch before the servants are served all the same, milliseconds. */
const SERVE_MS = 200

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

function spawnService({ libc, output }: TarsnodeWorld, { plan }: Launch, { onGone, mayDaemonise }: Pick<ConstructorParameters<typeof ServiceProcess>[0], 'onGone' | 'mayDaemonise'>): ServiceProcess {
  output.beginProcess()
  return new ServiceProcess({ plan, spawn: (program) => libc.spawn(program, { stdout: output.stdout, stderr: output.stderr }), onGone, mayDaemonise })
}
