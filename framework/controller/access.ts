import { group } from '#api/names.ts'
import { resources } from '#api/resources.ts'
import { follow, rule, type Access } from '#kube/access.ts'
import type { Network } from '#kube/network.ts'

const kinds = Object.values(resources).map(({ plural }) => plural)

/** tarscontroller works in the namespaces of all frameworks; its own holds what its replicas share. */
export const access: Access = {
  namespaced: [
    rule('coordination.k8s.io', 'leases', ['get', 'create', 'update']),
    rule('', 'secrets', ['create']),
    { ...rule('', 'secrets', [...follow, 'update']), resourceNames: ['tars-webhook-certificates'] },
  ],
  cluster: [
    rule(group, ['tservers', 'ttemplates', 'tframeworkconfigs'], follow),
    rule(group, ['tservers/status', 'tendpoints/status', 'tconfigs/status', 'timages/status'], ['patch']),
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
    rule('', 'persistentvolumeclaims', [...follow, 'patch', 'deletecollection']),
    rule('', 'events', ['get', 'create', 'patch']),
    rule('apps', ['statefulsets', 'daemonsets'], [...follow, 'create', 'patch', 'delete']),
    rule('autoscaling', 'horizontalpodautoscalers', [...follow, 'create', 'patch', 'delete']),
    rule('policy', 'poddisruptionbudgets', [...follow, 'create', 'patch', 'delete']),
    // The chart makes the configurations; what stands in them, and how the API server trusts it, the controller says.
    { ...rule('admissionregistration.k8s.io', 'mutatingwebhookconfigurations', [...follow, 'patch']), resourceNames: ['tars-mutating-webhook'] },
    { ...rule('admissionregistration.k8s.io', 'validatingwebhookconfigurations', [...follow, 'patch']), resourceNames: ['tars-validating-webhook'] },
    { ...rule('apiextensions.k8s.io', 'customresourcedefinitions', [...follow, 'patch']), resourceNames: [`tservers.${group}`, `tframeworkconfigs.${group}`] },
    // All kinds are brought to the storage version that their definitions say, which then say so.
    { ...rule('apiextensions.k8s.io', 'customresourcedefinitions', follow), resourceNames: kinds.map((plural) => `${plural}.${group}`) },
    { ...rule('apiextensions.k8s.io', 'customresourcedefinitions/status', ['patch']), resourceNames: kinds.map((plural) => `${plural}.${group}`) },
    rule(group, kinds, ['list', 'patch']),
    // Which nodes frameworks use, and local volumes that nodes took along when they went.
    rule('', 'nodes', [...follow, 'patch']),
    rule('', 'persistentvolumes', [...follow, 'patch', 'delete']),
    rule('storage.k8s.io', 'storageclasses', follow),
  ],
}

/** Webhooks are asked by the API server, which NetworkPolicies cannot name: it is on no pod network. They show nothing to whoever asks them. */
export const network: Network = {
  serves: { webhook: { port: 9443, from: ['anyone'] }, health: { port: 8081, from: ['metrics'] } },
  calls: [{ to: 'api' }],
}
