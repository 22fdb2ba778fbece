import type { PodDisturbance } from './pod-disturbance.ts'
import { clockJump, fullDisk } from './machine.ts'
import { cut, hang, refuse, restartApiServer, restartRegistry } from './network.ts'
import { restart, start, stop } from './operator.ts'
import { killService, orphans, pauseService, pauseSupervisor } from './process.ts'

/** Every kind by its name in the log. A new one changes what older seeds mean. */
export const disturbances: Readonly<Record<string, PodDisturbance>> = {
  'kill-service': killService,
  orphans,
  'pause-service': pauseService,
  'pause-supervisor': pauseSupervisor,
  'restart-registry': restartRegistry,
  'restart-apiserver': restartApiServer,
  'partition-refuse': refuse,
  'partition-hang': hang,
  'partition-cut': cut,
  'full-disk': fullDisk,
  'clock-jump': clockJump,
  'operator-stop': stop,
  'operator-start': start,
  'operator-restart': restart,
}
