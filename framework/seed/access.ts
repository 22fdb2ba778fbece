import { group } from '#api/names.ts'
import { frameworkServerName } from '#api/seed/servers.ts'
import { rule, type Access } from '#kube/access.ts'

/** Creates and upgrades the settings of its framework. */
export const access: Access = {
  namespaced: [
    rule(group, ['ttrees', 'ttemplates', 'tframeworkconfigs'], ['get', 'create', 'patch']),
    rule(group, 'timages', ['get', 'list', 'create', 'update', 'patch']),
    // K8SFramework's, of which a field is other and cannot change.
    { ...rule(group, 'tservers', ['get', 'delete']), resourceNames: [frameworkServerName('kevent')] },
  ],
}
