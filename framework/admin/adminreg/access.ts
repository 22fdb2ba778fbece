import { group } from '#api/names.ts'
import { follow, rule, type Access } from '#kube/access.ts'

/** tarsAdminRegistry carries out what callers ask: it releases, makes and removes servers, and replaces and pauses pods. */
export const access: Access = {
  namespaced: [
    rule(group, 'tservers', [...follow, 'create', 'patch', 'delete']),
    rule(group, ['tendpoints', 'ttemplates'], follow),
    rule(group, 'tconfigs', ['list', 'create']),
    rule(group, 'timages', ['list', 'patch']),
    rule(group, 'taccounts', ['get', 'list']),
    rule(group, 'tplugins', ['get', 'create', 'patch']),
    rule('', 'pods', [...follow, 'patch', 'delete']),
  ],
}
