import { group, names } from '#api/names.ts'
import { follow, rule, type Access } from '#kube/access.ts'
import type { Network } from '#kube/network.ts'

/** tarsimage keeps its builds in TImages, reads pull secrets and settings, and shows by a lease that it lives. */
export const access: Access = {
  namespaced: [
    rule(group, 'timages', [...follow, 'patch']),
    { ...rule(group, 'tframeworkconfigs', ['get']), resourceNames: [names.framework] },
    rule(group, 'tservers', ['get']),
    rule('', 'secrets', ['get']),
    rule('coordination.k8s.io', 'leases', ['get', 'create', 'update', 'patch']),
  ],
}

/** The registries that TImages name may be anywhere. */
export const network: Network = {
  serves: { http: { env: ['TARSIMAGE_PORT'], from: ['operators'] } },
  calls: [{ to: 'api' }, { to: 'anywhere' }],
}
