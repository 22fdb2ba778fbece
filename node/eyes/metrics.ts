import { metricsOf, type Sample } from '#base/metrics.ts'
import type { Sights } from './eyes.ts'
import { cgroupFigures, usageOf, usageOfService } from './usage.ts'

const presentStates = ['Inactive', 'Activating', 'Active', 'Deactivating'] as const

const metric = metricsOf('tarsnode_')

const samplesOf = (value: number | null | undefined): Sample[] => (value === null || value === undefined ? [] : [[value]])

/** Everything that is counted and measured. */
export function metricsText({ settings, supervisor, output }: Sights): string {
  const { view } = supervisor
  const [service, own] = [usageOfService(), usageOf([process.pid])]
  const cgroup = cgroupFigures()
  return [
    metric('info', 'The server that is supervised.', [[1, { app: settings.app, server: settings.server, type: settings.type, pod: settings.podName }]]),
    metric('service_state', 'Present state of the service: 1 for the one that it is in.', presentStates.map((state) => [Number(view.present === state), { state }])),
    metric('service_setting_active', 'Whether the service is set to run.', [[Number(view.setting === 'Active')]]),
    metric('service_pid', 'Process id of the service, 0 when there is none.', [[view.pid]]),
    metric('service_restarts_total', 'Launches after the first one.', [[view.restarts]]),
    metric('service_crashes_in_row', 'Unexpected ends without a stable run in between.', [[supervisor.crashesInRow]]),
    metric('service_crash_loop', 'Whether the service crashes again and again.', [[Number(supervisor.crashLoop)]]),
    metric('service_last_exit_code', 'Exit code of the last run; not there when a signal killed it.', samplesOf(supervisor.lastExit?.code)),
    metric('service_last_exit_signal', 'Signal that killed the last run; not there when it exited.', samplesOf(supervisor.lastExit?.signal)),
    metric('heartbeats_total', 'Heartbeats believed.', [[supervisor.heartbeatCount]]),
    metric('heartbeat_age_seconds', 'Time since the last heartbeat of an adapter, or since the launch.', supervisor.heartbeats.map(({ adapter, ageMs }) => [ageMs / 1000, { adapter }])),
    metric('output_lost_lines_total', 'Lines of output dropped because a destination did not keep up.', [[output.lostLines]]),
    metric('service_cpu_seconds_total', 'CPU time of the living processes of the service.', [[service.cpuSeconds]]),
    metric('service_memory_bytes', 'Resident memory of the processes of the service.', [[service.memoryBytes]]),
    metric('service_processes', 'Living processes of the service.', [[service.processes]]),
    metric('supervisor_cpu_seconds_total', 'CPU time of the supervisor.', [[own.cpuSeconds]]),
    metric('supervisor_memory_bytes', 'Resident memory of the supervisor, the shared pages of its runtime included.', [[own.memoryBytes]]),
    ...Object.entries(cgroup).map(([name, value]) => metric(`container_${name}`, "Of the container's control group.", [[value]])),
  ].join('')
}
