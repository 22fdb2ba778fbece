import { follow, rule, type Access } from '#kube/access.ts'
import type { Network } from '#kube/network.ts'

/** tarslog reads pods, to know whose logs they may write. */
export const access: Access = { namespaced: [rule('', 'pods', follow)] }

export const network: Network = {
  serves: {
    LogObj: { env: ['TARSLOG_PORT'], from: ['services'] },
    TopologyObj: { env: ['TARSLOG_TOPOLOGY_PORT'], from: ['operators'] },
    health: { env: ['TARSLOG_HEALTH_PORT'], from: ['metrics'] },
  },
  calls: [{ to: 'api' }, { env: 'OTEL_EXPORTER_OTLP_ENDPOINT' }, { env: 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT' }],
}
