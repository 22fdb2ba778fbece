import type { Identities } from './types.ts'

/** The controller's ServiceAccount as the charts name it. */
const standardController = 'system:serviceaccount:tars-system:tars-controller'
const kubernetesAccounts = 'system:serviceaccount:kube-system:'
/** Without --use-service-account-credentials all of Kubernetes' controllers share this name. */
const kubernetesManager = 'system:kube-controller-manager'

/** @param controllerUser the controller's user */
export function identities(controllerUser: string = standardController): Identities {
  return {
    isController: ({ username }) => username === controllerUser,
    isKubernetes: ({ username }) => username.startsWith(kubernetesAccounts) || username === kubernetesManager,
  }
}

/** The same as an expression of a webhook's matchConditions (Common Expression Language): true for either of the two. */
export function machineryExpression(controllerUser: string): string {
  const user = 'request.userInfo.username'
  return `${user}.startsWith(${JSON.stringify(kubernetesAccounts)}) || ${user} in ${JSON.stringify([kubernetesManager, controllerUser])}`
}
