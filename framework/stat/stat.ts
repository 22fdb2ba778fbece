import { labels } from '#api/names.ts'
import { metric } from '#base/metrics.ts'
import { CallerCheck, everyone, type CallerSettings } from '#kube/caller-check.ts'
import { watchCallers } from '#kube/callers.ts'
import type { KubeClient } from '#kube/client.ts'
import { statDataset } from '#store/datasets.ts'
import { startGatherer, type GathererOptions, type RunningGatherer } from '#store/gatherer.ts'
import type { Accounts } from '#tars/auth.ts'
import { StatF } from '#tars/protocol/StatF.ts'
import { serveTars } from '#tars/serve.ts'
import { unread } from '#tars/server/unread.ts'
import type { TlsSettings } from '#tars/tls.ts'
import { statRules } from './model/stat-rules.ts'
import { variants } from './stat-lines.ts'
import { statServant } from './stat-servant.ts'

export interface StatOptions extends GathererOptions {
  readonly client: KubeClient
  /** Servants speak TLS, too or only. Default: they do not. */
  readonly tls?: TlsSettings | undefined
  /** Which of its objects want an account. Default: none. */
  readonly accounts?: Accounts | undefined
  /** Who is believed to report. Default: pods of their own server, and who is no pod. */
  readonly callers?: CallerSettings
}

/** Where the thread's code is: beside this file, from the sources or in the bundle. */
const thread = new URL(import.meta.url.endsWith('.ts') ? './stat-keeper.ts' : './stat-keeper.mjs', import.meta.url)

/** Serves StatObj, and over HTTP `/metrics`, `/calls` (both for Prometheus) and what is kept here. */
export function startStat(options: StatOptions): Promise<RunningGatherer> {
  const { client, namespace, source, address, log } = options
  const samples = { taken: 0 }
  let check: CallerCheck | undefined
  return startGatherer({
    dataset: statDataset,
    rules: statRules(source),
    variants,
    thread,
    page: '/calls',
    async serve(intake, lifetime) {
      const callers = lifetime.own(watchCallers({ client, namespace, ownerLabels: [labels.app, labels.server], log }))
      await callers.known()
      check = new CallerCheck({ mode: 'enforce', trusts: everyone, ...options.callers, callers, log })
      const servants = { 'tars.tarsstat.StatObj': { interface: unread(StatF, 'reportMicMsg'), servant: statServant({ intake, callers, check, samples }) } }
      const [bound] = await serveTars({ adapters: [{ endpoint: `tcp -h ${address} -p ${options.port} -t 60000`, servants }], tls: options.tls, accounts: options.accounts, log }, lifetime)
      return bound?.port ?? 0
    },
    metrics: ({ taken, refused }) => [
      metric('tarsstat_lines_total', 'Lines of reports that were taken.', [[taken]]),
      metric('tarsstat_refused_lines_total', 'Lines that were not, and why; foreign: reported by a pod of another server.', Object.entries(refused).map(([reason, count]) => [count, { reason }])),
      metric('tarsstat_sample_lines_total', 'Samples of call trees that arrived, of which none is kept.', [[samples.taken]]),
      check?.metrics() ?? '',
    ].join(''),
  }, options)
}
