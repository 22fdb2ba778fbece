import { labels } from '#api/names.ts'
import { systemClock } from '#base/clock.ts'
import { metric } from '#base/metrics.ts'
import { CallerCheck, everyone, type CallerSettings } from '#kube/caller-check.ts'
import { watchCallers } from '#kube/callers.ts'
import type { KubeClient } from '#kube/client.ts'
import { propertyDataset } from '#store/datasets.ts'
import { Fold } from '#store/fold.ts'
import { startGatherer, type GathererOptions, type RunningGatherer } from '#store/gatherer.ts'
import type { Accounts } from '#tars/auth.ts'
import { PropertyF } from '#tars/protocol/PropertyF.ts'
import { serveTars } from '#tars/serve.ts'
import type { TlsSettings } from '#tars/tls.ts'
import { propertyText, propertyRules } from './model/property-rules.ts'
import { propertyServant, type PropertyCounts } from './property-servant.ts'

export interface PropertyOptions extends GathererOptions {
  readonly client: KubeClient
  /** Servants speak TLS, too or only. Default: they do not. */
  readonly tls?: TlsSettings | undefined
  /** Which of its objects want an account. Default: none. */
  readonly accounts?: Accounts | undefined
  /** Who is believed to report. Default: pods of their own server, and who is no pod. */
  readonly callers?: CallerSettings
}

/** Serves PropertyObj, and over HTTP `/metrics`, `/properties` (both for Prometheus) and what is kept here. */
export function startProperty(options: PropertyOptions): Promise<RunningGatherer> {
  const { client, namespace, source, address, bounds, log } = options
  const counts: PropertyCounts = { taken: 0, refused: { empty: 0, internal: 0, invalid: 0, foreign: 0 } }
  const rules = propertyRules(source)
  let check: CallerCheck | undefined
  const clock = options.clock ?? systemClock
  let last = { fold: new Fold(rules, bounds), end: 0 }
  /** What is older is not what services measure now. */
  const isOfNow = (): boolean => clock.now() - last.end < 2 * options.windowMs
  return startGatherer({
    dataset: propertyDataset,
    fold: () => new Fold(rules, bounds),
    onClosed: (fold, end) => (last = { fold, end }),
    async serve(add, lifetime) {
      const callers = lifetime.own(watchCallers({ client, namespace, ownerLabels: [labels.app, labels.server], log }))
      await callers.known()
      check = new CallerCheck({ mode: 'enforce', trusts: everyone, ...options.callers, callers, log })
      const servants = { 'tars.tarsproperty.PropertyObj': { interface: PropertyF, servant: propertyServant({ add, callers, check, counts }) } }
      const [bound] = await serveTars({ adapters: [{ endpoint: `tcp -h ${address} -p ${options.port} -t 60000`, servants }], tls: options.tls, accounts: options.accounts, log }, lifetime)
      return bound?.port ?? 0
    },
    metrics: () => [
      metric('tarsproperty_values_total', 'Values that were taken.', [[counts.taken]]),
      metric('tarsproperty_refused_values_total', 'Values that were not, and why; foreign: reported by a pod of another server.', Object.entries(counts.refused).map(([reason, count]) => [count, { reason }])),
      check?.metrics() ?? '',
    ].join(''),
    pages: { '/properties': () => propertyText(isOfNow() ? last.fold.sums() : []) },
  }, options)
}
