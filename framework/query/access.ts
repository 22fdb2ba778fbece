import { follow, rule, type Access } from '#kube/access.ts'
import type { Network } from '#kube/network.ts'
import { queryPorts } from './env.ts'

/** tarsquerystat and tarsqueryproperty find the pods that keep what they are asked for. */
export const access: Access = { namespaced: [rule('', 'pods', follow)] }

/** Of tarsquerystat, which asks tarsstat, or of tarsqueryproperty, which asks tarsproperty. */
export const networkOf = (role: keyof typeof queryPorts): Network => {
  const env = (name: string): readonly string[] => [`TARS${role.toUpperCase()}_${name}`]
  return {
    serves: {
      QueryObj: { env: env('PORT'), from: ['operators'] },
      NoTarsObj: { env: env('TEXT_PORT'), from: ['operators'] },
      http: { port: queryPorts[role].httpPort, env: env('HTTP_PORT'), from: ['metrics'] },
    },
    calls: [{ to: 'api' }, { role: role === 'querystat' ? 'stat' : 'property', port: 'http' }, { to: 'elastic' }],
  }
}
