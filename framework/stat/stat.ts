import { labels } from '#api/names.ts'
import { systemClock } from '#base/clock.ts'
import { metric } from '#base/metrics.ts'
import { inSlices } from '#base/slices.ts'
import { CallerCheck, everyone, type CallerSettings } from '#kube/caller-check.ts'
import { watchCallers } from '#kube/callers.ts'
import type { KubeClient } from '#kube/client.ts'
import { statDataset } from '#store/datasets.ts'
import { Fold } from '#store/fold.ts'
import { startGatherer, type GathererOptions, type RunningGatherer } from '#store/gatherer.ts'
import type { Accounts } from '#tars/auth.ts'
import { serveTars } from '#tars/serve.ts'
import type { TlsSettings } from '#tars/tls.ts'
import { CallCounters } from './model/call-counters.ts'
import { statRules } from './model/stat-rules.ts'
import { Heads } from './heads.ts'
import { statOfLines } from './stat-lines.ts'
import { statServant, type StatCounts } from './stat-servant.ts'

export interface StatOptions extends GathererOptions {
  readonly client: KubeClient
  /** Servants speak TLS, too or only. Default: they do not. */
  readonly tls?: TlsSettings | undefined
  /** Which of its objects want an account. Default: none. */
  readonly accounts?: Accounts | undefined
  /** Who is believed to report. Default: pods of their own server, and who is no pod. */
  readonly callers?: CallerSettings
}

/** Serves StatObj, and over HTTP `/metrics`, `/calls` (both for Prometheus) and what is kept here. */
export function startStat(options: StatOptions): Promise<RunningGatherer> {
  const { client, namespace, source, address, bounds, log } = options
  const counts: StatCounts = { taken: 0, refused: { empty: 0, internal: 0, invalid: 0, foreign: 0 }, samples: 0 }
  const calls = new CallCounters(options.clock ?? systemClock)
  const rules = statRules(source)
  let check: CallerCheck | undefined
  const heads = new Heads(bounds.inAll * 2)
  return startGatherer({
    dataset: statDataset,
    fold: () => new Fold(rules, bounds),
    onClosed: (fold) => void inSlices(fold.sums(), (sum) => calls.add(sum)),
    async serve(add, lifetime) {
      const callers = lifetime.own(watchCallers({ client, namespace, ownerLabels: [labels.app, labels.server], log }))
      await callers.known()
      check = new CallerCheck({ mode: 'enforce', trusts: everyone, ...options.callers, callers, log })
      const servants = { 'tars.tarsstat.StatObj': { interface: statOfLines(heads), servant: statServant({ add, callers, check, counts, heads }) } }
      const [bound] = await serveTars({ adapters: [{ endpoint: `tcp -h ${address} -p ${options.port} -t 60000`, servants }], tls: options.tls, accounts: options.accounts, log }, lifetime)
      return bound?.port ?? 0
    },
    metrics: () => [
      metric('tarsstat_lines_total', 'Lines of reports that were taken.', [[counts.taken]]),
      metric('tarsstat_refused_lines_total', 'Lines that were not, and why; foreign: reported by a pod of another server.', Object.entries(counts.refused).map(([reason, count]) => [count, { reason }])),
      metric('tarsstat_sample_lines_total', 'Samples of call trees that arrived, of which none is kept.', [[counts.samples]]),
      check?.metrics() ?? '',
    ].join(''),
    pages: { '/calls': () => calls.text() },
  }, options)
}
