// The functions that a native tarsnode calls and a node on Kubernetes does not need (framework-services 1.7, table).
import { activeCondition, labels, ownerNameOf } from '#api/names.ts'
import type { TEndpoint, TTemplate } from '#api/types.ts'
import { plainAddress } from '#base/address.ts'
import { createNativeAdapterDescriptor, createNativeServerDescriptor, type NativeServerDescriptor } from '#tars/protocol/NativeDescriptor.ts'
import type { CallerCheck } from '#kube/caller-check.ts'
import type { ServerStateInfo } from '#tars/protocol/NodeDescriptor.ts'
import type { RegistryServant } from '#tars/protocol/Registry.ts'
import { createFrameworkKey } from '#tars/protocol/RegistryDescriptor.ts'
import { renderProfile } from '#tars/profile.ts'
import type { Current } from '#tars/server.ts'
import { describeServer } from './model/descriptor.ts'
import type { Directory } from './model/directory.ts'
import { conditionOf, isActivePod, stateOfCondition, type PodObject, type ReportedState } from './model/pod-state.ts'

export interface NativeOptions {
  readonly directory: Directory<unknown>
  readonly template: (name: string) => TTemplate | undefined
  /** Who may have the descriptor of a server. */
  readonly check: CallerCheck
  /** Checks and takes over a state. */
  readonly report: (podName: string, state: ReportedState, current: Current) => Promise<void>
}

/** Native states by number, as names of Kubernetes: what is destroyed does not run. */
const stateNames = ['Inactive', 'Activating', 'Active', 'Deactivating', 'Deactivating', 'Inactive'] as const
const defaultTemplate = 'tars.default'

/** Nodes, their loads and patches belong to Kubernetes here: what only reports them is accepted and has no effect. */
export function nativeFunctions({ directory, template, check, report }: NativeOptions): Omit<RegistryServant, 'getServerDescriptor' | 'updateServerState' | 'checkCaller'> {
  const accepted = () => 0
  const update = async (nodeName: string, { serverState, processId }: ServerStateInfo, current: Current): Promise<number> => {
    const podName = podOf(nodeName)
    const pod = directory.pod(podName)
    // Native changes the present state only; what is wanted stays as it was.
    await report(podName, { setting: settingOf(pod), present: stateNames[serverState] ?? 'Inactive', pid: processId > 0 ? String(processId) : '', message: '' }, current)
    return 0
  }
  return {
    reportNode: accepted,
    registerNode: accepted,
    keepAlive: accepted,
    destroyNode: accepted,
    reportVersion: accepted,
    updatePatchResult: accepted,
    dockerPull: accepted,
    getDockerRegistry: () => ({ return: 0, dockerRegistries: [] }),
    getFrameworkKey: () => ({ return: 0, fKey: createFrameworkKey() }),
    getClientIp: (current) => ({ return: 0, sClientIp: plainAddress(current.peer.address) }),
    getNodeTemplate() {
      const { text, problem } = renderProfile('', defaultTemplate, template)
      return { return: problem === undefined ? 0 : -1, profileTemplate: text }
    },
    updateServer: (nodeName, _app, _server, state, current) => update(nodeName, state, current),
    async updateServerBatch(states, current) {
      for (const state of states) await update(state.nodeName, state, current)
      return 0
    },
    getServers(app, server, nodeName, { peer }) {
      const own = serverOfPod(directory, nodeName)
      const endpoint = app === '' || server === '' ? own : directory.endpointOf(app, server, ownerNameOf(directory.pod(podOf(nodeName))?.metadata.labels))
      if (endpoint === undefined || (own !== undefined && own !== endpoint) || !check.admits(peer.address, `${endpoint.spec.app}.${endpoint.spec.server}`)) return []
      return [nativeDescriptor(endpoint, nodeName, directory.pod(podOf(nodeName)), template)]
    },
  }
}

/** What is wanted of the service: that it runs, unless it was stopped. */
function settingOf(pod: PodObject | undefined): string {
  return stateOfCondition(pod && conditionOf(pod, activeCondition))?.setting ?? 'Active'
}

/** A node goes by its pod's DNS name: the first label is the pod. */
function podOf(nodeName: string): string {
  return nodeName.split('.', 1)[0] ?? ''
}

function serverOfPod(directory: Directory<unknown>, nodeName: string): TEndpoint | undefined {
  const pod = directory.pod(podOf(nodeName))
  const podLabels = pod?.metadata.labels ?? {}
  return directory.endpointOf(podLabels[labels.app] ?? '', podLabels[labels.server] ?? '', ownerNameOf(podLabels))
}

function nativeDescriptor(endpoint: TEndpoint, nodeName: string, pod: PodObject | undefined, template: NativeOptions['template']): NativeServerDescriptor {
  const { app, server, release } = endpoint.spec
  const { descriptor } = describeServer(endpoint, template, podOf(nodeName))
  const adapters = [...descriptor.adapters].map(([name, { threadNum, ...adapter }]) => {
    return [name, createNativeAdapterDescriptor({ ...adapter, threadNum: String(threadNum) })] as const
  })
  return createNativeServerDescriptor({
    application: app,
    serverName: server,
    nodeName,
    settingState: settingOf(pod) === 'Inactive' ? 'inactive' : 'active',
    presentState: pod === undefined || isActivePod(pod) ? 'active' : 'inactive',
    setId: descriptor.setdivision,
    profile: descriptor.profile,
    asyncThreadNum: descriptor.asyncThreadNum ?? 0,
    patchVersion: release?.id ?? '',
    patchTime: release?.time ?? '',
    adapters: new Map(adapters),
  })
}
