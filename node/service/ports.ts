import type { LaunchPlan } from '../launch/plan.ts'
import type { HeartbeatLimits } from '../supervisor/heartbeats.ts'
import type { StopPlan } from '../supervisor/stop-plan.ts'
import type { Ending, ServiceProcess } from './process.ts'

/** A run of the service as the supervisor handles it. */
export type Run = Pick<ServiceProcess, 'pid' | 'running' | 'heardFrom' | 'ended' | 'signal' | 'signalGroup' | 'sweep'>
import type { View } from './supervisor.ts'

/** Everything that one launch needs, decided before it. */
export interface Launch {
  readonly plan: LaunchPlan
  readonly stop: StopPlan
  /** The adapters to hear of; undefined for a service that sends no heartbeats and is active once it runs. */
  readonly heartbeats: (HeartbeatLimits & { readonly adapters: readonly string[] }) | undefined
  /** AdminF.shutdown, or the service's own stop command; undefined for a service that has neither. */
  readonly shutdown: (() => Promise<void>) | undefined
  /** Whether callers have another pod to go to, once they have heard of this one's end; undefined: they are waited for in any case. Never rejects. */
  readonly othersServe: (() => Promise<boolean>) | undefined
  /** The signal that makes the runtime print its threads. */
  readonly dumpSignal: NodeJS.Signals | undefined
}

/** alarm: an operator should look; normal: it went as it was meant to. */
export type NoticeLevel = 'alarm' | 'normal'

/** The world as the supervisor sees it. */
export interface SupervisorPorts {
  /** Descriptor, conf and launch plan. */
  prepare(signal: AbortSignal): Promise<Launch>
  spawn(launch: Launch, onGone: (ending: Ending) => void): Run
  /** The last lines that the service printed. */
  lastLines(count: number): readonly string[]
  /** Why, when the kernel has killed processes of the service for want of memory since this was asked last. */
  outOfMemory(): string | undefined
  /** The core file that a crash just left; bounds how many there are. */
  newestCore(): string | undefined
  /** Called on each change; must not wait. */
  report(view: View): void
  /** Tells tarsnotify; must not wait. */
  notify(level: NoticeLevel, text: string): void
  /** Leaves; called once. */
  exit(code: number): void
  /** The service runs on when its heartbeats are overdue, and is not ready until they come again; otherwise it is restarted. */
  readonly sparesOverdue: boolean
  /** The supervisor leaves when the service ends by itself. */
  readonly exitsWithService: boolean
}
