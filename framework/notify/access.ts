import { follow, rule, type Access } from '#kube/access.ts'
import type { Network } from '#kube/network.ts'

/** tarsnotify reads pods, to know who reports. */
export const access: Access = { namespaced: [rule('', 'pods', follow)] }

export const network: Network = {
  serves: { NotifyObj: { env: ['TARSNOTIFY_PORT'], from: ['services', 'operators'] }, http: { port: 13112, env: ['TARSNOTIFY_HTTP_PORT'], from: ['metrics'] } },
  calls: [{ to: 'api' }, { to: 'elastic' }, { env: 'TARSNOTIFY_WEBHOOK' }],
}
