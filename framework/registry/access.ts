import { group, names } from '#api/names.ts'
import { follow, rule, type Access } from '#kube/access.ts'
import type { Network } from '#kube/network.ts'

/** tarsregistry reads what it answers from, and writes the conditions of pods that tarsnode reports and the Leases of servers with a master. */
export const access: Access = {
  namespaced: [
    rule(group, ['tendpoints', 'ttemplates'], follow),
    { ...rule(group, 'tframeworkconfigs', follow), resourceNames: [names.framework] },
    rule('', 'pods', follow),
    rule('', 'pods/status', ['patch']),
    rule('coordination.k8s.io', 'leases', [...follow, 'create', 'update']),
  ],
  cluster: [rule('', 'nodes', follow)],
}

export const network: Network = {
  serves: {
    queryobj: { from: ['services', 'operators'] },
    registryobj: { from: ['services'] },
    health: { env: ['TARSREGISTRY_HEALTH_PORT'], from: ['metrics'] },
  },
  // For weights by load it asks itself where tarsquerystat is.
  calls: [{ to: 'api' }, { role: 'registry', port: 'queryobj' }, { role: 'querystat', port: 'QueryObj' }],
}
