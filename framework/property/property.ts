import { labels } from '#api/names.ts'
import { metric } from '#base/metrics.ts'
import { CallerCheck, everyone, type CallerSettings } from '#kube/caller-check.ts'
import { watchCallers } from '#kube/callers.ts'
import type { KubeClient } from '#kube/client.ts'
import { propertyDataset } from '#store/datasets.ts'
import { startGatherer, type GathererOptions, type RunningGatherer } from '#store/gatherer.ts'
import type { Accounts } from '#tars/auth.ts'
import { PropertyF } from '#tars/protocol/PropertyF.ts'
import { serveTars } from '#tars/serve.ts'
import { unread } from '#tars/server/unread.ts'
import type { TlsSettings } from '#tars/tls.ts'
import { propertyRules } from './model/property-rules.ts'
import { variants } from './property-lines.ts'
import { propertyServant } from './property-servant.ts'

export interface PropertyOptions extends GathererOptions {
  readonly client: KubeClient
  /** Servants speak TLS, too or only. Default: they do not. */
  readonly tls?: TlsSettings | undefined
  /** Which of its objects want an account. Default: none. */
  readonly accounts?: Accounts | undefined
  /** Who is believed to report. Default: pods of their own server, and who is no pod. */
  readonly callers?: CallerSettings
}

/** Where the thread's code is: beside this file, from the sources or in the bundle. */
const thread = new URL(import.meta.url.endsWith('.ts') ? './property-keeper.ts' : './property-keeper.mjs', import.meta.url)

/** Serves PropertyObj, and over HTTP `/metrics`, `/properties` (both for Prometheus) and what is kept here. */
export function startProperty(options: PropertyOptions): Promise<RunningGatherer> {
  const { client, namespace, source, address, log } = options
  let check: CallerCheck | undefined
  return startGatherer({
    dataset: propertyDataset,
    rules: propertyRules(source),
    variants,
    thread,
    page: '/properties',
    async serve(intake, lifetime) {
      const callers = lifetime.own(watchCallers({ client, namespace, ownerLabels: [labels.app, labels.server], log }))
      await callers.known()
      check = new CallerCheck({ mode: 'enforce', trusts: everyone, ...options.callers, callers, log })
      const servants = { 'tars.tarsproperty.PropertyObj': { interface: unread(PropertyF, 'reportPropMsg'), servant: propertyServant({ intake, callers, check }) } }
      const [bound] = await serveTars({ adapters: [{ endpoint: `tcp -h ${address} -p ${options.port} -t 60000`, servants }], tls: options.tls, accounts: options.accounts, log }, lifetime)
      return bound?.port ?? 0
    },
    metrics: ({ taken, refused }) => [
      metric('tarsproperty_values_total', 'Values that were taken.', [[taken]]),
      metric('tarsproperty_refused_values_total', 'Values that were not, and why; foreign: reported by a pod of another server.', Object.entries(refused).map(([reason, count]) => [count, { reason }])),
      check?.metrics() ?? '',
    ].join(''),
  }, options)
}
