import { group } from '#api/names.ts'
import { follow, rule, type Access } from '#kube/access.ts'
import type { Network } from '#kube/network.ts'

/** tarsadmin reads what it shows; commands go to tarsnode and tarsagent, not to the API server. */
export const access: Access = {
  namespaced: [rule(group, ['tservers', 'tendpoints'], follow), rule('', 'pods', follow), rule('', 'pods/log', ['get'])],
  // Those of the framework, to ask their agents for ports.
  cluster: [rule('', 'nodes', ['list'])],
}

export const network: Network = {
  serves: { http: { env: ['TARSADMIN_PORT', 'HTTP_PORT'], from: ['operators'] } },
  calls: [{ to: 'api' }, { to: 'tarsnode' }, { to: 'agent' }, { role: 'notify', port: 'NotifyObj' }],
}
