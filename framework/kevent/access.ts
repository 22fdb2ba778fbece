import { follow, rule, type Access } from '#kube/access.ts'
import type { Network } from '#kube/network.ts'

/** tarskevent reads the events of its namespace, and of what has none, whose events are in `default`; one of its pods does, by a Lease. */
export const access: Access = {
  namespaced: [rule('coordination.k8s.io', 'leases', ['get', 'create', 'update'])],
  cluster: [rule('', 'events', follow)],
}

export const network: Network = {
  serves: { store: { env: ['TARSKEVENT_HTTP_PORT'], from: ['operators', 'metrics'] } },
  calls: [{ to: 'api' }, { to: 'elastic' }],
}
