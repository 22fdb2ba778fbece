import type { Access } from '#kube/access.ts'
import type { Network } from '#kube/network.ts'

/** tarslog asks the API server for nothing. */
export const access: Access = {}

export const network: Network = {
  serves: {
    LogObj: { env: ['TARSLOG_PORT'], from: ['services'] },
    TopologyObj: { env: ['TARSLOG_TOPOLOGY_PORT'], from: ['operators'] },
    health: { env: ['TARSLOG_HEALTH_PORT'], from: ['metrics'] },
  },
  calls: [{ env: 'OTEL_EXPORTER_OTLP_ENDPOINT' }, { env: 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT' }],
}
