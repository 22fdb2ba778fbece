import { group } from '#api/names.ts'
import { rule, type Access } from '#kube/access.ts'

/** Creates and upgrades the settings of its framework. */
export const access: Access = {
  namespaced: [
    rule(group, ['ttrees', 'ttemplates', 'tframeworkconfigs'], ['get', 'create', 'patch']),
    rule(group, 'timages', ['get', 'create', 'update']),
  ],
}
