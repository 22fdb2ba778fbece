import { setImmediate as turn } from 'node:timers/promises'
import { systemClock } from '#base/clock.ts'
import { describe } from '#base/errors.ts'
import type { Logger } from '#base/log.ts'
import { prepareContainer } from './container/prepare.ts'
import type { Settings } from './env.ts'
import type { Output } from './output/output.ts'
import { serviceAdmin } from './service/admin.ts'
import { Commands } from './service/commands.ts'
import { launchPreparer } from './service/prepare-launch.ts'
import { ServiceProcess } from './service/process.ts'
import { Supervisor } from './service/supervisor.ts'
import { connectRegistry } from './registry/connect.ts'
import { startServants } from './servants/servants.ts'
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
 * Puts tarsnode together and starts the service.
 * @throws Failure when the container cannot be made ready
 */
export function startTarsnode(settings: Settings, { libc, output, log, exit, failed }: TarsnodeWorld): Tarsnode {
  const { timezone } = prepareContainer(settings, log)
  const registry = connectRegistry(settings, log)
  const admin = serviceAdmin(settings)
  const happened = trimWhenQuiet(libc)
  const commands = new Commands(output)
  const prepare = launchPreparer({ settings, timezone, registry, admin, run: commands.run })
  // A Tars server sends its first heartbeat as soon as it runs; what sends none need not wait for us to listen.
  const listening = Promise.withResolvers<void>()
  const supervisor = new Supervisor(
    {
      prepare: async (signal) => {
        const launch = await prepare(signal)
        if (launch.heartbeats !== undefined) await listening.promise
        return launch
      },
      spawn: (plan, onGone) => {
        output.beginProcess()
        return new ServiceProcess({ plan, stdout: output.stdout, stderr: output.stderr, onGone })
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
  new Reaper({ libc, isOurs: (pid) => supervisor.isOurs(pid) || commands.isOurs(pid), onReaped: (pid, status) => supervisor.reaped(pid, status) }).start()
  supervisor.command('start')
  const serve = async (): Promise<void> => {
    // The descriptor is on its way by then.
    await turn()
    await startServants({ settings, supervisor, registry, admin, log })
    listening.resolve()
  }
  serve().catch((error: unknown) => {
    log.error('the supervisor cannot serve', { error: describe(error) })
    exit(failed)
  })
  return { quit: () => supervisor.command('quit'), forward: (signal) => void supervisor.forward(signal) }
}
