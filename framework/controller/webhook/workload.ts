import { names } from '#api/names.ts'
import { resources } from '#api/resources.ts'
import type { TFrameworkConfig, TServer } from '#api/types.ts'
import type { Problem } from '#api/validate/problem.ts'
import type { AnyObject } from '#kube/types.ts'
import { contains } from '../desired/contained.ts'
import { desiredDaemonSet } from '../desired/daemon-set.ts'
import { desiredService } from '../desired/service.ts'
import { desiredStatefulSet } from '../desired/stateful-set.ts'
import { fits } from '../reconcile/workloads.ts'
import type { Case } from './types.ts'

// A Service that leads to fewer pods is the controller's, too.
const desired: Readonly<Record<string, (server: TServer, framework?: TFrameworkConfig) => object | undefined>> = {
  Service: (server) => desiredService(server), StatefulSet: desiredStatefulSet, DaemonSet: desiredDaemonSet,
}

/**
 * Children of a TServer are made by the controller, and others may change them only where the TServer says nothing
 * (control-plane spec B.8, with the reference's inverted condition set right).
 */
export async function validateWorkload({ object, namespace, readers, identities, request }: Case<AnyObject>): Promise<readonly Problem[]> {
  const { userInfo, operation } = request
  if (identities.isController(userInfo) || identities.isKubernetes(userInfo)) return []
  const { kind, metadata: { name } } = object
  if (operation === 'CREATE') {
    return [{ field: 'metadata.labels', message: `only use authorized account can create ${kind.toLowerCase()}`, rule: `the labels of this ${kind} say that it belongs to a TServer`, remedy: 'create a TServer, or use other labels' }]
  }
  const server = await readers.get(resources.tservers, namespace, name)
  if (server === undefined || server.metadata.deletionTimestamp !== undefined) return []
  const framework = await readers.get(resources.tframeworkconfigs, namespace, names.framework)
  const wanted = desired[kind]?.(server, framework)
  const fitted = wanted === undefined ? undefined : (fits[kind]?.(wanted, object, server, framework) ?? wanted)
  // A set that is about to be made anew does not agree with the TServer in any case.
  if (fitted === undefined || fitted === 'recreate' || contains(object['spec'], (fitted as AnyObject)['spec'])) return []
  return [{ field: 'spec', message: 'resource should be modified through tserver', rule: `TServer ${namespace}/${name} says otherwise, and the controller would undo the change`, remedy: `change TServer ${name} instead` }]
}
