import type { TTemplate } from '#api/types.ts'
import type { Logger } from '#base/log.ts'
import { describe } from '#base/errors.ts'
import type { RegistryServant } from '#tars/protocol/Registry.ts'
import type { Current } from '#tars/server.ts'
import { isOwnPod } from './caller.ts'
import { checkReport, plainMessage } from './condition.ts'
import { describeServer, emptyDescriptor } from './model/descriptor.ts'
import type { Directory } from './model/directory.ts'
import { addressesOf, type ReportedState } from './model/pod-state.ts'
import { nativeFunctions } from './native-functions.ts'
import type { Reports } from './reports.ts'

export interface RegistryServantOptions {
  readonly directory: Directory<unknown>
  readonly reports: Reports
  readonly template: (name: string) => TTemplate | undefined
  readonly log: Logger
}

/** `tars.tarsregistry.RegistryObj`, what a pod's node speaks to (framework-services 1.7). */
export function registryServant({ directory, reports, template, log }: RegistryServantOptions): RegistryServant {
  const report = (podName: string, state: ReportedState, current: Current): void => {
    try {
      checkReport(podName, state)
    } catch (error) {
      log.error('state report refused', { peer: current.peer.address, error: describe(error) })
      return
    }
    const pod = directory.pod(podName)
    if (pod !== undefined && !isOwnPod(pod, current.peer.address)) {
      log.error('state report refused: only a pod itself may report its state', { pod: podName, peer: current.peer.address, addresses: addressesOf(pod) })
      return
    }
    reports.accept(podName, state)
  }

  return {
    ...nativeFunctions({ directory, template, report }),
    getServerDescriptor(app, server) {
      const endpoint = directory.endpointOf(app, server)
      if (endpoint === undefined) {
        log.error('no descriptor: there is no such server', { server: `${app}.${server}`, remedy: 'check spec.app and spec.server of the TServer' })
        return { return: -1, descriptor: emptyDescriptor() }
      }
      const { descriptor, problem } = describeServer(endpoint, template)
      if (problem !== undefined) log.error('server has no complete configuration', { server: `${app}.${server}`, problem })
      return { return: problem === undefined ? 0 : -1, descriptor }
    },
    updateServerState(podName, settingState, presentState, current) {
      const { context } = current
      const told = (key: string) => context.get(key) ?? ''
      report(podName, { setting: settingState, present: presentState, pid: told('PID'), message: plainMessage(told('Message')), restarts: told('Restarts') }, current)
    },
  }
}
