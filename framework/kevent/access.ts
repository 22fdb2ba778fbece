import { follow, rule, type Access } from '#kube/access.ts'

/** tarskevent reads the events of its namespace, and of what has none, whose events are in `default`; one of its pods does, by a Lease. */
export const access: Access = {
  namespaced: [rule('coordination.k8s.io', 'leases', ['get', 'create', 'update'])],
  cluster: [rule('', 'events', follow)],
}
