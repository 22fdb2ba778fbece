import { group } from '#api/names.ts'
import { follow, rule, type Access } from '#kube/access.ts'

/** tarsagent serves claims of every namespace on its node; it makes volumes, and neither claims nor pods. */
export const access: Access = {
  cluster: [
    rule('', ['persistentvolumeclaims', 'nodes', 'pods'], follow),
    rule('', 'persistentvolumes', [...follow, 'create', 'patch', 'delete']),
    rule('', 'events', ['get', 'create', 'patch']),
    rule('storage.k8s.io', 'storageclasses', follow),
    rule(group, 'timages', follow),
  ],
}
