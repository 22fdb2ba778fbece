// What there is: applications, nodes, servers, templates, and the framework itself.
import { instanceOf } from '#api/instances.ts'
import { annotations, registryPorts } from '#api/names.ts'
import { noGroup } from '#api/topology.ts'
import { plainAddress } from '#base/address.ts'
import { nativeType, renderProfile } from '#tars/profile.ts'
import { createFrameworkServer, createServerTree, type AdminRegServant, type FrameworkServer, type ServerTree } from '#tars/protocol/AdminReg.ts'
import type { PodRow, ServantRow, ServerRow } from '../contract.ts'
import { isActive } from '../model/pod-row.ts'
import { attempt, codes, done, plainTime, Refusal } from './outcome.ts'
import { hasNode, knownServers, nodeFinder, nodeNameOf, ordinalOf, type Place } from './places.ts'
import type { World } from './world.ts'

type Functions = Pick<AdminRegServant,
  'getAllApplicationNames' | 'getAllNodeNames' | 'getAllServerIds' | 'getGroupId' | 'getClientIp' | 'getNodeList' | 'getServerTree' | 'getServerNameList' |
  'getProfileTemplate' | 'getServerProfileTemplate' | 'getServers' | 'checkServer' | 'getVersion'>

const frameworkApp = 'tars'
const ownServer = 'tars-tarsadminregistry'

export function queryFunctions({ view, groups, nodes, guard, template }: World): Functions {
  const textOf = async (profile: string, name: string) => {
    let profileTemplate = ''
    const { return: code, result } = await attempt(async () => {
      const { text, problem } = renderProfile(profile, name, template)
      profileTemplate = text
      if (problem !== undefined) throw new Refusal(codes.parameter, problem)
      return done('Success')
    })
    return { return: code, profileTemplate, resultDesc: result }
  }
  const all = (): FrameworkServer[] => [...frameworkServers(view), ...registries(view, guard)]
  const typeOf = ({ type, subType }: ServerRow): string => (subType === 'tars' ? nativeType(type, template) : 'not_tars')
  return {
    getAllApplicationNames: () => ({ return: [...new Set(view.servers().map(({ app }) => app))], result: 'Success' }),
    getAllNodeNames: () => ({ return: [...new Set(view.servers().flatMap((row) => row.pods.map((pod) => nodeNameOf(view, { row, pod }))))], result: 'Success' }),
    getAllServerIds: () => ({ return: view.servers().flatMap((row) => row.pods.map((pod) => [...idRow(view, { row, pod }), typeOf(row)])), result: 'Success' }),
    getGroupId(ip) {
      const groupId = groups.groupOf(plainAddress(ip))
      // Native says it by the return value alone, its interface by the parameter.
      return { return: groupId, groupId, result: groupId === noGroup ? `${ip} is in no group` : 'Success' }
    },
    getClientIp: (current) => ({ return: codes.success, sClientIp: plainAddress(current.caller) }),
    getNodeList: (names) => ({ return: codes.success, heartbeats: heartbeats(view, names) }),
    getServerTree: () => ({ return: codes.success, tree: treeOf(view) }),
    getServerNameList(names) {
      const byName = Map.groupBy(view.servers(), ({ app, server }) => `${app}.${server}`)
      const wanted = new Set(names.map(({ application, serverName }) => `${application}.${serverName}`))
      return { return: codes.success, rows: [...wanted].flatMap((name) => byName.get(name) ?? []).flatMap((row) => rowsOf(view, row, typeOf(row))) }
    },
    getProfileTemplate: (name) => textOf('', name),
    async getServerProfileTemplate(app, server, node) {
      try {
        const found = knownServers(view, app, server).map(({ name }) => view.tserver(name))
        // A node of a variant has that one's.
        const { tars } = (found.find((one) => one !== undefined && hasNode(view, one, node)) ?? found[0])?.spec ?? {}
        if (tars === undefined) throw new Refusal(codes.cannot, `${app}.${server} has subType normal: it has no template`)
        return await textOf(tars.profile ?? '', tars.template)
      } catch (error) {
        const { return: code, result } = await attempt(() => Promise.reject(error as Error))
        return { return: code, profileTemplate: '', resultDesc: result }
      }
    },
    getServers: () => ({ return: codes.success, servers: all() }),
    async checkServer({ objName }) {
      // Nothing else is called: an address from outside would have this process knock anywhere.
      if (!all().some((server) => server.objName === objName)) return codes.parameter
      return nodes.pingObject(objName).then(() => codes.success, () => codes.unknown)
    },
    getVersion: () => ({ return: codes.success, version: view.server(ownServer)?.release?.id ?? '' }),
  }
}

/** What native's tables say of a set, `name.area.group`. */
function setColumns(set: string | undefined): { readonly enable_set: string; readonly set_name: string; readonly set_area: string; readonly set_group: string } {
  const [name = '', area = '', group = ''] = (set ?? '').split('.')
  return { enable_set: name === '' ? 'N' : 'Y', set_name: name, set_area: area, set_group: group }
}

/** One row a server and set; a server with pods of no set, or without pods, has one without. Variants of a server are the server. */
function treeOf(view: World['view']): ServerTree[] {
  const rows = view.servers().flatMap((row) => {
    const sets = row.pods.length === 0 ? [setOf(view, row, undefined)] : row.pods.map((pod) => setOf(view, row, pod))
    return sets.map((set) => createServerTree({ application: row.app, server_name: row.server, ...setColumns(set) }))
  })
  return [...new Map(rows.map((row) => [JSON.stringify(row), row])).values()]
}

/** Of a pod; without one, of pods whatever their number. */
const setOf = (view: World['view'], row: ServerRow, pod: PodRow | undefined): string | undefined => ownOf(view, row, pod).set
function ownOf(view: World['view'], row: ServerRow, pod: PodRow | undefined): ReturnType<typeof instanceOf> {
  return instanceOf(view.tserver(row.name)?.spec.tars?.instances, pod && ordinalOf({ row, pod }))
}

/** What native's tables say of groups; without a word of its own a pod takes part as the TFrameworkConfig says. */
function groupColumns({ enableGroup, group }: ReturnType<typeof instanceOf>): { readonly enable_group: string; readonly ip_group_name: string } {
  return { enable_group: enableGroup === true ? 'Y' : 'N', ip_group_name: group ?? '' }
}

const settingOf = (pod: PodRow): string => (pod.settingState === 'Inactive' ? 'inactive' : 'active')
const presentOf = (pod: PodRow): string => (isActive(pod) ? 'active' : 'inactive')

function idRow(view: World['view'], place: Place): string[] {
  const { row: { app, server }, pod } = place
  return [`${app}.${server}_${nodeNameOf(view, place)}`, settingOf(pod), presentOf(pod)]
}

/** A pod that answers is well now; of any other it is known when it started. Nodes that are not there have none. */
function heartbeats(view: World['view'], names: readonly string[]): Map<string, string> {
  const find = nodeFinder(view)
  const now = plainTime(new Date(Date.now() - view.ageMs()).toISOString())
  return new Map([...new Set(names)].flatMap((name) => {
    const found = find(name)
    return found === undefined ? [] : [[name, isActive(found.pod) ? now : plainTime(found.pod.startTime)]]
  }))
}

function rowsOf(view: World['view'], row: ServerRow, serverType: string): Map<string, string>[] {
  const { metadata, spec } = view.tserver(row.name) ?? {}
  const ofServer = {
    application: row.app, server_name: row.server, server_type: serverType, template_name: row.type,
    patch_time: plainTime(row.release?.time), patch_user: metadata?.annotations?.[annotations.releasedBy] ?? '',
    async_thread_num: String(spec?.tars?.asyncThread ?? ''), profile: spec?.tars?.profile ?? '',
  }
  return row.pods.map((pod) => new Map(Object.entries({
    ...ofServer, ...setColumns(setOf(view, row, pod)), ...groupColumns(ownOf(view, row, pod)), node_name: nodeNameOf(view, { row, pod }),
    setting_state: settingOf(pod), present_state: presentOf(pod), process_id: pod.pid === '' ? '0' : pod.pid,
    patch_version: pod.releaseId, posttime: plainTime(pod.startTime),
  })))
}

/** Objects of the framework's own tars servers, each with the address of a pod. */
export function frameworkServers(view: World['view']): FrameworkServer[] {
  return view.servers().filter(({ app, subType }) => app === frameworkApp && subType === 'tars').flatMap((row) => objectsOf(row, row.servants.filter(({ isTars }) => isTars)))
}

/** tarsregistry is of subType normal, as it is there before any node; what its ports serve is fixed. */
const registryObjects = [{ obj: 'tars.tarsregistry.QueryObj', port: registryPorts.query }, { obj: 'tars.tarsregistry.RegistryObj', port: registryPorts.registry }] as const

function registries(view: World['view'], { isSsl, auth }: World['guard']): FrameworkServer[] {
  return view.servers().filter(({ app, server }) => `${app}.${server}` === 'tars.tarsregistry').flatMap((row) => objectsOf(row, registryObjects.map((one) => ({ ...one, isSsl, auth: auth.has(one.obj) }))))
}

function objectsOf({ app, server, pods }: ServerRow, objects: readonly Pick<ServantRow, 'obj' | 'port' | 'isSsl' | 'auth'>[]): FrameworkServer[] {
  return pods.filter(({ ip }) => ip !== '').flatMap(({ name, ip }) => objects.map(({ obj, port, isSsl = false, auth = false }) =>
    createFrameworkServer({ serverName: `${app}.${server}`, nodeName: name, objName: `${obj}@${isSsl ? 'ssl' : 'tcp'} -h ${ip} -p ${port} -t 3000${auth ? ' -e 1' : ''}` })))
}
