import { group } from '#api/names.ts'
import { follow, rule, type Access } from '#kube/access.ts'

/** tarsconfig reads the files, and pods to know who asks for one. */
export const access: Access = { namespaced: [rule(group, 'tconfigs', follow), rule('', 'pods', follow)] }
