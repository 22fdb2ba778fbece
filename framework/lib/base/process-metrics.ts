import { metric } from './metrics.ts'

/** Seconds since the epoch: a counter that is less than before began anew here. */
const startedAt = Date.now() / 1000 - process.uptime()

/** What any process says of itself, under the names that Prometheus' own libraries give. */
export function processMetrics(): string {
  const { rss, heapUsed } = process.memoryUsage()
  const { user, system } = process.cpuUsage()
  return [
    metric('process_cpu_seconds_total', 'CPU time of this process.', [[(user + system) / 1e6]]),
    metric('process_resident_memory_bytes', 'Resident memory of this process.', [[rss]]),
    metric('process_start_time_seconds', 'When this process started, since the epoch.', [[startedAt]]),
    metric('nodejs_heap_size_used_bytes', "What of V8's heap is used.", [[heapUsed]]),
  ].join('')
}
