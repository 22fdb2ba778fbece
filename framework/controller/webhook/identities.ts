import type { Identities } from './types.ts'

/** @param controllerUser the controller's user; default: the ServiceAccount of the charts */
export function identities(controllerUser = 'system:serviceaccount:tars-system:tars-controller'): Identities {
  return {
    isController: ({ username }) => username === controllerUser,
    // Without --use-service-account-credentials all of Kubernetes' controllers share the second name.
    isKubernetes: ({ username }) => username.startsWith('system:serviceaccount:kube-system:') || username === 'system:kube-controller-manager',
  }
}
