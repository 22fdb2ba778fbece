// Which applications a function of AdminRegObj does something to, or shows the insides of: it is for their own pods.
import type { CallerCheck } from '#kube/caller-check.ts'
import type { AdminRegServant } from '#tars/protocol/AdminReg.ts'
import type { Current } from '#tars/server.ts'
import { admitFor } from '../callers.ts'
import { placeOfNode, type Servers } from './places.ts'
import type { Tasks } from './tasks.ts'

type Concerns = { readonly [name in keyof AdminRegServant]: (...args: Parameters<AdminRegServant[name]>) => readonly string[] }

const nobody = (): readonly string[] => []
const first = (app: string): readonly string[] => [app]
const ofName = (fullName: string): readonly string[] => fullName.split('.', 1)

function concerns(view: Servers, tasks: Pick<Tasks, 'appOf'>): Concerns {
  const ofNode = (node: string): readonly string[] => {
    try {
      return [placeOfNode(view, node).row.app]
    } catch {
      return []
    }
  }
  return {
    startServer: first, stopServer: first, restartServer: first, destroyServer: first, uninstallServer: first, notifyServer: first, undeploy: first, loadServer: first,
    deletePatchFile: first, updateServerFlowState: first, insertAdapterConf: first, getLogFileList: first, getLogData: first, getNodeLoad: first,
    insertConfigFile: ofName, shutdownNode: ofNode,
    delCache: (_node, cache) => ofName(cache),
    batchPatch: ({ appname }) => [appname],
    insertServerConf: ({ application }) => [application],
    addTaskReq: ({ taskItemReq }) => taskItemReq.map(({ application }) => application),
    setTaskItemInfo: (itemNo) => tasks.appOf(itemNo),
    registerPlugin: ({ obj }) => ofName(obj),
    // These only tell what is where and who may do what, or do nothing at all.
    reportNode: nobody, deleteNode: nobody, reportResult: nobody, getTaskRsp: nobody, getTaskHistory: nobody, getAllApplicationNames: nobody, getAllNodeNames: nobody, getAllServerIds: nobody,
    pingNode: nobody, getNodeVesion: nobody, getServerState: nobody, getGroupId: nobody, getPatchPercent: nobody, updatePatchLog: nobody, getProfileTemplate: nobody,
    getServerProfileTemplate: nobody, getClientIp: nobody, getServers: nobody, checkServer: nobody, getVersion: nobody, forceDockerLogin: nobody, checkDockerRegistry: nobody, dockerPull: nobody,
    getNodeList: nobody, hasServer: nobody, getConfigFileId: nobody, insertHistoryConfigFile: nobody, hasDevAuth: nobody, hasOpeAuth: nobody, hasAdminAuth: nobody, checkTicket: nobody,
    getServerTree: nobody, getPatchPackage: nobody, getServerNameList: nobody,
  }
}

/** The servant for callers whose own applications are concerned. @throws Failure CALLER_REFUSED from its functions */
export function forOwnApps(servant: AdminRegServant, check: CallerCheck, view: Servers, tasks: Pick<Tasks, 'appOf'>): AdminRegServant {
  if (!check.isOn) return servant
  const of = concerns(view, tasks) as Readonly<Record<string, (...args: readonly unknown[]) => readonly string[]>>
  const methods = Object.entries(servant) as [string, (...args: readonly unknown[]) => unknown][]
  const checked = methods.map(([name, method]) => [name, async (...args: readonly unknown[]) => {
    await admitFor(check, (args.at(-1) as Current).peer.address, of[name]?.(...args) ?? [])
    return method(...args)
  }])
  return Object.fromEntries(checked) as unknown as AdminRegServant
}
