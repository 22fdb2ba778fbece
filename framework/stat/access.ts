import { follow, rule, type Access } from '#kube/access.ts'
import type { Network } from '#kube/network.ts'

/** tarsstat reads pods, to know who reports. */
export const access: Access = { namespaced: [rule('', 'pods', follow)] }

export const network: Network = {
  serves: { StatObj: { env: ['TARSSTAT_PORT'], from: ['services'] }, http: { port: 17001, env: ['TARSSTAT_HTTP_PORT'], from: ['metrics'] } },
  calls: [{ to: 'api' }, { to: 'elastic' }],
}
