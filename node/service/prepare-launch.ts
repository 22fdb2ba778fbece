import { setTimeout as delay } from 'node:timers/promises'
import { Failure } from '#base/errors.ts'
import type { ServerDescriptor } from '#tars/protocol/RegistryDescriptor.ts'
import type { Settings } from '../env.ts'
import { serverVariables } from '../container/injected.ts'
import { realFiles } from '../launch/files.ts'
import { planLaunch, type LaunchPlan } from '../launch/plan.ts'
import { applyTemplateEnv } from '../launch/template-env.ts'
import type { RegistryLink } from '../registry/link.ts'
import { hostsOfConf } from '../server-config/addresses.ts'
import { renderConf, type RenderedConf } from '../server-config/render.ts'
import type { HeartbeatLimits } from '../supervisor/heartbeats.ts'
import { stopPlan } from '../supervisor/stop-plan.ts'
import { withoutDescendants } from '../system/processes.ts'
import { replaceFile } from '../system/atomic-write.ts'
import type { ServiceAdmin } from './admin.ts'
import type { RunCommand } from './commands.ts'
import type { Launch } from './ports.ts'

export interface PrepareOptions {
  readonly settings: Settings
  readonly timezone: string | undefined
  readonly registry: RegistryLink
  readonly admin: ServiceAdmin
  readonly run: RunCommand
}

/**
 * From the report Deactivating to the shutdown of a service that is stopped or restarted, milliseconds: whoever asks the registry
 * after that is not sent here any more. The template's key drain-delay sets it, also for the end of the pod.
 */
const DRAIN_MS = 500
/**
 * Native clients ask for endpoints at an interval, the template's refresh-endpoint-interval, and call who they know until then. A
 * pod that ends serves on that long when there are others to go to. Milliseconds, of tars.default.
 */
const REFRESH_MS = 60_000
/** After an answer that differs from the last one, TarsJava asks again up to 29 s later than at its interval, milliseconds. */
const LATE_REFRESH_MS = 30_000
/** Longest from a client's last look at its old endpoints to the answer of the call that it then made, milliseconds. */
const LAST_CALL_MS = 10_000
const DEACTIVATING_MS = 2_000
const HEARTBEAT_SECONDS = 60
/** How long a service that is no Tars server is held back for a registry that does not answer, milliseconds. */
const OPTIONAL_MS = 1_000

/** How long a launch waits for what the last run left behind, which holds its ports until it is gone, milliseconds. */
const LEFT_OVER_MS = 2_000

/** Everything before a launch, each time anew: descriptor, conf file, launch plan and deadlines. */
export function launchPreparer(options: PrepareOptions): (signal: AbortSignal) => Promise<Launch> {
  const { settings, registry } = options
  return async (signal) => {
    await withoutDescendants(process.pid, LEFT_OVER_MS)
    const tars = settings.type !== 'not-tars'
    const descriptor = tars ? await registry.descriptor(signal) : await registry.tryDescriptor(OPTIONAL_MS)
    const conf = descriptor === undefined ? undefined : writeConf(settings, descriptor)
    const setting = (key: string): string | undefined => conf?.setting(key)
    const plan = planLaunch(settings.type, { ...settings, env: serviceEnv(options, setting), setting, files: realFiles })
    return launch(options, plan, { conf, objects: [...(descriptor?.adapters.values() ?? [])].map(({ servant }) => servant) })
  }
}

interface Described {
  readonly conf: RenderedConf | undefined
  /** Full names of what the service serves. */
  readonly objects: readonly string[]
}

/** A setting in milliseconds or seconds; undefined when it is none. */
function amount(text: string | undefined): number | undefined {
  const value = Number(text)
  return text === undefined || text === '' || !Number.isFinite(value) || value < 0 ? undefined : value
}

function launch(options: PrepareOptions, plan: LaunchPlan, { conf, objects }: Described): Launch {
  const { settings } = options
  const tars = settings.type !== 'not-tars'
  const number = (key: string, fallback: number): number => amount(conf?.setting(key)) ?? fallback
  const deactivatingMs = number('deactivating-timeout', DEACTIVATING_MS)
  const wishedMs = tars ? (settings.drainMs ?? amount(conf?.setting('drain-delay'))) : 0
  const drainMs = wishedMs ?? DRAIN_MS
  const leaveMs = wishedMs ?? (amount(conf?.clientSetting('refresh-endpoint-interval')) ?? REFRESH_MS) + LATE_REFRESH_MS + LAST_CALL_MS
  return {
    plan,
    stop: stopPlan({ graceMs: settings.graceMs, drainMs, leaveMs, deactivatingMs }),
    othersServe: wishedMs === undefined ? () => othersServe(options.registry, objects, drainMs) : undefined,
    heartbeats: tars ? { adapters: conf?.adapters ?? [], ...heartbeatLimits(number('hearttimeout', HEARTBEAT_SECONDS), number('activating-timeout', 0)) } : undefined,
    shutdown: shutdownOf(options, plan, deactivatingMs),
    dumpSignal: settings.type.startsWith('java-') ? 'SIGQUIT' : undefined,
  }
}

/** Asked a little later, when pods that were told to end together have all said so. Without an answer callers are waited for. */
async function othersServe(registry: RegistryLink, objects: readonly string[], afterMs: number): Promise<boolean> {
  await delay(afterMs)
  return registry.othersServe(objects).catch(() => true)
}

/** How the service is asked to end: by its own stop command where it has one, else by its AdminObj. */
function shutdownOf({ settings, admin, run }: PrepareOptions, plan: LaunchPlan, deactivatingMs: number): (() => Promise<void>) | undefined {
  const { stop } = plan
  if (stop !== undefined) return async () => checkStopped(await run({ ...plan, argv: stop }))
  return settings.type === 'not-tars' ? undefined : () => admin.shutdown(deactivatingMs)
}

function checkStopped(code: number): void {
  if (code !== 0) throw new Failure('SERVICE_STOP_FAILED', `the stop command of the service exited with code ${code}`, { remedy: 'its output is in the log' })
}

/**
 * hearttimeout is seconds on Kubernetes and milliseconds natively: as services beat every ten seconds, nobody means less than 10,000
 * milliseconds. activating-timeout is milliseconds, and what a service has besides until its first heartbeat.
 */
export function heartbeatLimits(hearttimeout: number, activatingMs: number): HeartbeatLimits {
  const timeoutMs = Math.min(LONGEST_TIMER_MS, hearttimeout < 10_000 ? Math.max(1, hearttimeout) * 1000 : hearttimeout)
  return { timeoutMs, firstMs: Math.min(LONGEST_TIMER_MS, Math.max(timeoutMs, activatingMs)) }
}
/** A timer that is longer fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** Writes the service's conf file of a descriptor. @throws Failure CONF_PROFILE, CONF_WRITE */
export function writeConf(settings: Settings, descriptor: ServerDescriptor): RenderedConf | undefined {
  if (settings.registry === undefined) return undefined
  const conf = renderConf(hostsOfConf(settings, settings.registry), descriptor)
  const path = settings.paths.confFile
  try {
    replaceFile(path, conf.text, { keepBackup: true })
    return conf
  } catch (error) {
    throw new Failure('CONF_WRITE', `the conf file ${path} cannot be written`, { cause: error, remedy: 'check the space and the mode of the work volume' })
  }
}

/** The environment of the service, and its launch plan when there can be one. */
export function planOf(options: Pick<PrepareOptions, 'settings' | 'timezone'>, setting: (key: string) => string | undefined): { readonly env: Readonly<Record<string, string>>; readonly plan: LaunchPlan | undefined } {
  const env = serviceEnv(options, setting)
  try {
    return { env, plan: planLaunch(options.settings.type, { ...options.settings, env, setting, files: realFiles }) }
  } catch {
    return { env, plan: undefined }
  }
}

/** The container's environment, what the reference's start script exports (spec A.3), and the template's `env`. */
function serviceEnv({ settings, timezone }: Pick<PrepareOptions, 'settings' | 'timezone'>, setting: (key: string) => string | undefined): Record<string, string> {
  const base: Record<string, string> = { ...settings.container, ...serverVariables(settings) }
  if (timezone !== undefined) base['TZ'] = timezone
  return applyTemplateEnv(setting('env') ?? '', base)
}
