import { follow, rule, type Access } from '#kube/access.ts'

/** tarsquerystat and tarsqueryproperty find the pods that keep what they are asked for. */
export const access: Access = { namespaced: [rule('', 'pods', follow)] }
