import { group, names } from '#api/names.ts'
import { follow, rule, type Access } from '#kube/access.ts'
import type { Network } from '#kube/network.ts'

/** tarsAdminRegistry carries out what callers ask: it releases, makes and removes servers, and replaces and pauses pods. */
export const access: Access = {
  namespaced: [
    rule(group, 'tservers', [...follow, 'create', 'patch', 'delete']),
    rule(group, ['tendpoints', 'ttemplates'], follow),
    { ...rule(group, 'tframeworkconfigs', follow), resourceNames: [names.framework] },
    rule(group, 'tconfigs', ['list', 'create']),
    rule(group, 'timages', ['list', 'patch']),
    rule(group, 'taccounts', ['get', 'list']),
    rule(group, 'tplugins', ['get', 'create', 'patch']),
    rule('', 'pods', [...follow, 'patch', 'delete']),
  ],
  cluster: [rule('', 'nodes', follow)],
}

const servants = [
  ['registry', 'queryobj'], ['registry', 'registryobj'],
  ['config', 'ConfigObj'], ['notify', 'NotifyObj'], ['log', 'LogObj'], ['log', 'TopologyObj'], ['stat', 'StatObj'], ['property', 'PropertyObj'],
  ['querystat', 'QueryObj'], ['queryproperty', 'QueryObj'], ['adminregistry', 'AdminRegObj'],
] as const

export const network: Network = {
  serves: { AdminRegObj: { env: ['TARSADMINREGISTRY_PORT'], from: ['operators'] }, health: { env: ['TARSADMINREGISTRY_HEALTH_PORT'], from: ['metrics'] } },
  // checkServer asks the servants of the framework whether they answer.
  calls: [{ to: 'api' }, { to: 'tarsnode' }, ...servants.map(([role, port]) => ({ role, port }))],
}
