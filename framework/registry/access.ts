import { group, names } from '#api/names.ts'
import { follow, rule, type Access } from '#kube/access.ts'

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
