import { follow, rule, type Access } from '#kube/access.ts'

/** tarsproperty reads pods, to know who reports. */
export const access: Access = { namespaced: [rule('', 'pods', follow)] }
