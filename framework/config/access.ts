import { group } from '#api/names.ts'
import { follow, rule, type Access } from '#kube/access.ts'
import type { Network } from '#kube/network.ts'

/** tarsconfig reads the files, and pods to know who asks for one. */
export const access: Access = { namespaced: [rule(group, 'tconfigs', follow), rule('', 'pods', follow)] }

export const network: Network = {
  serves: { ConfigObj: { env: ['TARSCONFIG_PORT'], from: ['services', 'operators'] }, health: { env: ['TARSCONFIG_HEALTH_PORT'], from: ['metrics'] } },
  calls: [{ to: 'api' }],
}
