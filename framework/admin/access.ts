import { group } from '#api/names.ts'
import { follow, rule, type Access } from '#kube/access.ts'

/** tarsadmin reads what it shows; commands go to tarsnode, not to the API server. */
export const access: Access = {
  namespaced: [rule(group, ['tservers', 'tendpoints'], follow), rule('', 'pods', follow), rule('', 'pods/log', ['get'])],
}
