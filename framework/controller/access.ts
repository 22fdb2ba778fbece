import { group } from '#api/names.ts'
import { follow, rule, type Access } from '#kube/access.ts'

/** tarscontroller works in the namespaces of all frameworks; its own holds what its replicas share. */
export const access: Access = {
  namespaced: [
    rule('coordination.k8s.io', 'leases', ['get', 'create', 'update']),
    rule('', 'secrets', ['create']),
    { ...rule('', 'secrets', [...follow, 'update']), resourceNames: ['tars-webhook-certificates'] },
  ],
  cluster: [
    rule(group, ['tservers', 'ttemplates', 'tframeworkconfigs'], follow),
    rule(group, ['tservers/status', 'tendpoints/status'], ['patch']),
    // Where owners may only be named by those who may finalize them (OwnerReferencesPermissionEnforcement).
    rule(group, 'tservers/finalizers', ['update']),
    rule(group, 'tendpoints', [...follow, 'create', 'patch', 'delete']),
    rule(group, 'texitedrecords', [...follow, 'create', 'update', 'delete']),
    rule(group, 'tconfigs', [...follow, 'patch', 'delete']),
    rule(group, 'timages', [...follow, 'patch']),
    rule(group, 'ttrees', [...follow, 'update']),
    rule(group, 'taccounts', [...follow, 'patch']),
    rule('', 'services', [...follow, 'create', 'patch', 'delete']),
    rule('', 'pods', [...follow, 'delete']),
    // For the label by which tarsagent comes to them.
    rule('', 'nodes', [...follow, 'patch']),
    rule('', 'persistentvolumeclaims', [...follow, 'patch', 'deletecollection']),
    rule('', 'events', ['get', 'create', 'patch']),
    rule('apps', ['statefulsets', 'daemonsets'], [...follow, 'create', 'patch', 'delete']),
    rule('policy', 'poddisruptionbudgets', [...follow, 'create', 'patch', 'delete']),
    // The chart makes the configurations; what stands in them, and how the API server trusts it, the controller says.
    { ...rule('admissionregistration.k8s.io', 'mutatingwebhookconfigurations', [...follow, 'patch']), resourceNames: ['tars-mutating-webhook'] },
    { ...rule('admissionregistration.k8s.io', 'validatingwebhookconfigurations', [...follow, 'patch']), resourceNames: ['tars-validating-webhook'] },
    { ...rule('apiextensions.k8s.io', 'customresourcedefinitions', [...follow, 'patch']), resourceNames: [`tservers.${group}`, `tframeworkconfigs.${group}`] },
  ],
}
