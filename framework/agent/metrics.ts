import { metric as prometheus, type Sample } from '#base/metrics.ts'
import type { Cleaner } from './cleaning/cleaner.ts'
import { disk } from './node/facts.ts'
import type { Prepuller } from './prepull/prepuller.ts'
import type { Provisioner } from './volumes/provisioner.ts'

const metric = (name: string, help: string, samples: readonly Sample[]): string => prometheus(`tarsagent_${name}`, help, samples)

export interface Measured {
  readonly cleaner: Cleaner
  readonly provisioner: Provisioner
  readonly prepuller: Prepuller | undefined
}

/** Everything that is counted and measured. */
export async function metricsText({ cleaner: { counts, rulesGood }, provisioner, prepuller }: Measured, folders: readonly string[]): Promise<string> {
  const disks = (await Promise.all(folders.map((folder) => disk(folder).catch(() => undefined)))).filter((one) => one !== undefined)
  const age = provisioner.ageMs()
  return [
    metric('local_volumes', 'Local volumes of this node.', [...provisioner.phases()].map(([phase, count]) => [count, { phase }])),
    metric('knowledge_age_seconds', 'Time since the API server last confirmed what is known of volumes; not there before it did.', Number.isFinite(age) ? [[age / 1000]] : []),
    metric('log_sweeps_total', 'Looks at all log folders.', [[counts.sweeps]]),
    metric('log_files_removed_total', 'Logs and core files removed.', [[counts.removed]]),
    metric('log_files_truncated_total', 'Logs cut to nothing, because their server may have them open.', [[counts.truncated]]),
    metric('log_freed_bytes_total', 'Bytes that removing and cutting freed.', Object.entries(counts.freedBytes).map(([reason, bytes]) => [bytes, { reason }])),
    metric('log_folders_over_quota', 'Log folders that the last sweep left over their quota.', [[counts.overQuota]]),
    metric('log_failures_total', 'Log folders that could not be cleaned.', [[counts.failures]]),
    metric('rule_commands_total', 'Commands of crontab.config that ended.', [[counts.commands]]),
    metric('rule_command_failures_total', 'Commands of crontab.config that failed.', [[counts.commandFailures]]),
    metric('rules_good', 'Whether the files of rules are good, and in force.', [[Number(rulesGood)]]),
    metric('image_pulls_total', 'Images pulled before a pod asked for them.', prepuller === undefined ? [] : [[prepuller.counts.pulled]]),
    metric('image_pull_failures_total', 'Pulls that failed.', prepuller === undefined ? [] : [[prepuller.counts.failed]]),
    metric('disk_bytes', 'Size of the disk of a folder.', disks.map(({ path, total }) => [total, { path }])),
    metric('disk_available_bytes', 'Bytes of it that are available.', disks.map(({ path, available }) => [available, { path }])),
    metric('disk_inodes_free', 'Free inodes of it.', disks.map(({ path, inodes_free: free }) => [free, { path }])),
  ].join('')
}
