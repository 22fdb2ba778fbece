import { follow, rule, type Access } from '#kube/access.ts'
import type { Network } from '#kube/network.ts'

/** tarsproperty reads pods, to know who reports. */
export const access: Access = { namespaced: [rule('', 'pods', follow)] }

export const network: Network = {
  serves: { PropertyObj: { env: ['TARSPROPERTY_PORT'], from: ['services'] }, http: { port: 14001, env: ['TARSPROPERTY_HTTP_PORT'], from: ['metrics'] } },
  calls: [{ to: 'api' }, { to: 'elastic' }],
}
