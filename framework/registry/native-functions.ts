// The functions that a native tarsnode calls and a node on Kubernetes does not need (framework-services 1.7, table).
import { activeCondition, labels, ownerNameOf } from '#api/names.ts'
import type { TEndpoint, TTemplate } from '#api/types.ts'
import { plainAddress } from '#base/address.ts'
import { createNativeAdapterDescriptor, createNativeServerDescriptor, type NativeServerDescriptor } from '#tars/protocol/NativeDescriptor.ts'
import type { CallerCheck } from '#kube/caller-check.ts'
import type { ServerStateInfo } from '#tars/protocol/NodeDescriptor.ts'
import type { RegistryServant } from '#tars/protocol/Registry.ts'
import { createFrameworkKey } from '#tars/protocol/RegistryDescriptor.ts'
import { nativeType, renderProfile } from '#tars/profile.ts'
import type { Current } from '#tars/server.ts'
import { describeServer } from './model/descriptor.ts'
import type { Directory } from './model/directory.ts'
import { conditionOf, isActivePod, isLostPod, stateOfCondition, type PodObject, type ReportedState } from './model/pod-state.ts'

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
    const pod = directory.podOf(node(nodeName))
    const podName = pod?.metadata.name ?? firstLabel(nodeName)
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
      const pod = directory.podOf(node(nodeName))
      const own = serverOf(directory, pod)
      const endpoint = app === '' || server === '' ? own : directory.endpointOf(app, server, pod && ownerNameOf(pod.metadata.labels))
      if (endpoint === undefined || (own !== undefined && own !== endpoint) || !check.admits(peer.address, `${endpoint.spec.app}.${endpoint.spec.server}`)) return []
      return [nativeDescriptor(endpoint, nodeName, pod, template)]
    },
  }
}

/** What is wanted of the service: that it runs, unless it was stopped. */
function settingOf(pod: PodObject | undefined): string {
  return stateOfCondition(pod && conditionOf(pod, activeCondition))?.setting ?? 'Active'
}

/** A node goes by its pod's name, DNS name or, as native's do, address. */
const node = (name: string) => ({ name, address: '' })

function firstLabel(nodeName: string): string {
  return nodeName.split('.', 1)[0] ?? ''
}

function serverOf(directory: Directory<unknown>, pod: PodObject | undefined): TEndpoint | undefined {
  const podLabels = pod?.metadata.labels ?? {}
  return directory.endpointOf(podLabels[labels.app] ?? '', podLabels[labels.server] ?? '', ownerNameOf(podLabels))
}

function nativeDescriptor(endpoint: TEndpoint, nodeName: string, pod: PodObject | undefined, template: NativeOptions['template']): NativeServerDescriptor {
  const { app, server, release, tars } = endpoint.spec
  const { descriptor } = describeServer(endpoint, template, pod?.metadata.name ?? firstLabel(nodeName))
  const adapters = [...descriptor.adapters].map(([name, { threadNum, ...adapter }]) => {
    return [name, createNativeAdapterDescriptor({ ...adapter, threadNum: String(threadNum) })] as const
  })
  return createNativeServerDescriptor({
    application: app,
    serverName: server,
    nodeName,
    settingState: settingOf(pod) === 'Inactive' ? 'inactive' : 'active',
    presentState: pod === undefined || (isActivePod(pod) && !isLostPod(pod)) ? 'active' : 'inactive',
    setId: descriptor.setdivision,
    profile: descriptor.profile,
    asyncThreadNum: descriptor.asyncThreadNum ?? 0,
    patchVersion: release?.id ?? '',
    patchTime: release?.time ?? '',
    adapters: new Map(adapters),
    serverType: tars === undefined ? 'not_tars' : nativeType(tars.template, template),
  })
}
