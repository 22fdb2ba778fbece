// Commands to single nodes, and what they say of their servers.
import { annotations } from '#api/names.ts'
import type { KubeClient } from '#kube/client.ts'
import { pods } from '#kube/resources.ts'
import { createServerStateDesc, type AdminRegServant, type ServerStateDesc } from '#tars/protocol/AdminReg.ts'
import { ServerState } from '#tars/protocol/NodeDescriptor.ts'
import type { PodRow } from '../contract.ts'
import { isActive } from '../model/pod-row.ts'
import type { NodeCall } from './nodes.ts'
import { attempt, codes, done, outcomeOf, plainTime, Refusal, type Outcome } from './outcome.ts'
import { knownServers, place, placeOfNode, site, type Place } from './places.ts'
import type { World } from './world.ts'

type Functions = Pick<AdminRegServant, 'pingNode' | 'getNodeVesion' | 'shutdownNode' | 'startServer' | 'stopServer' | 'restartServer' | 'notifyServer' | 'loadServer' | 'getServerState' | 'getNodeLoad' | 'updateServerFlowState' | 'delCache'>

const stateNames: Readonly<Record<number, string>> = Object.fromEntries(Object.entries(ServerState).map(([name, number]) => [number, name]))

export const verbs = {
  start: (node, app, server, options) => node.startServer(app, server, options),
  stop: (node, app, server, options) => node.stopServer(app, server, options),
  restart: (node, app, server, options) => node.restartServer(app, server, options),
} as const satisfies Readonly<Record<string, NodeCall<Outcome>>>

/** Tells the node in one pod. */
export function commandNode({ view, nodes }: Pick<World, 'view' | 'nodes'>, [app, server, node]: readonly [string, string, string], call: NodeCall<Outcome>): Promise<Outcome> {
  return attempt(() => nodes.ask(place(view, app, server, node), call))
}

/** The node's service starts anew; what no node runs, as the framework's own services, does so in another pod. */
export function restartServer(world: World, [app, server, node]: readonly [string, string, string]): Promise<Outcome> {
  return attempt(() => {
    const found = place(world.view, app, server, node)
    return found.row.hasNode ? world.nodes.ask(found, verbs.restart) : replacePod(world, found)
  })
}

async function replacePod({ client, namespace }: World, { pod: { name } }: Place): Promise<Outcome> {
  await client.delete(pods, { namespace, name })
  return done(`Success: the pod ${name} is being replaced`)
}

export function commandFunctions(world: World): Functions {
  const { view, nodes, client, namespace } = world
  const command = (call: NodeCall<Outcome>) => (app: string, server: string, node: string): Promise<Outcome> => commandNode(world, [app, server, node], call)
  return {
    async pingNode(name) {
      try {
        await nodes.ping(placeOfNode(view, name))
        return { return: true, result: 'Success' }
      } catch (error) {
        return { return: false, result: outcomeOf(error).result }
      }
    },
    getNodeVesion: async (name) => {
      const { return: code, result } = await attempt(async () => done(versionOf(placeOfNode(view, name), view.tserver(placeOfNode(view, name).row.name)?.spec.release?.nodeImage)))
      return { return: code, version: code === codes.success ? result : '', result: code === codes.success ? 'Success' : result }
    },
    shutdownNode: (name) => attempt(() => replacePod(world, placeOfNode(view, name))),
    startServer: command(verbs.start),
    stopServer: command(verbs.stop),
    restartServer: (app, server, node) => restartServer(world, [app, server, node]),
    loadServer: command((node, app, server, options) => node.loadServer(app, server, options)),
    notifyServer: (app, server, node, text) => command((proxy, a, s, options) => proxy.notifyServer(a, s, text, options))(app, server, node),
    getServerState: (app, server, node) => serverState({ view, nodes }, { app, server, node }),
    getNodeLoad: (app, server, node, pid) => fileAnswer(() => nodes.ask(place(view, app, server, node), (proxy, a, s, options) => proxy.getNodeLoad(a, s, pid, options))),
    async updateServerFlowState(app, server, nodeList, bActive) {
      const { return: code } = await attempt(async () => {
        const places = nodeList.length === 0 ? knownServers(view, app, server).flatMap(({ pods: all }) => all.map(({ name }) => name)) : nodeList.map((node) => place(view, app, server, node).pod.name)
        // A pod that is gone keeps no other one from it.
        let outcome = done('Success')
        for (const name of places) await setFlow(client, { namespace, name }, bActive).catch((error: unknown) => void (outcome = outcomeOf(error)))
        return outcome
      })
      return code
    },
    delCache: (node, cacheName, backupPath, key) => attempt(() => {
      const [app = '', server = '', ...rest] = cacheName.split('.', 3)
      if (server === '' || rest.length > 0) throw new Refusal(codes.parameter, `"${cacheName}" names no server`, 'write App.Server')
      return nodes.ask(place(view, app, server, node), (proxy, _app, _server, options) => proxy.delCache(cacheName, backupPath, key, options))
    }),
  }
}

/** Sends callers of a pod elsewhere, or back. The registry reads it from the pod, so that it lasts as long as the pod. */
export async function setFlow(client: KubeClient, target: { readonly namespace: string; readonly name: string }, active: boolean): Promise<void> {
  await client.patch(pods, target, { metadata: { annotations: { [annotations.flow]: active ? null : 'inactive' } } }, { fieldManager: 'tarsadminregistry' })
}

function versionOf({ pod }: Place, nodeImage: string | undefined): string {
  return nodeImage === undefined || nodeImage === '' ? `baked into release ${pod.releaseId}` : nodeImage
}

export async function fileAnswer(work: () => Promise<{ return: number; fileData: string }>): Promise<{ return: number; fileData: string }> {
  try {
    return await work()
  } catch (error) {
    const { return: code, result } = outcomeOf(error)
    return { return: code, fileData: result }
  }
}

/** What the registry tells callers, and what the node says itself: DCache takes a machine for dead when the node does not answer, as one does not that has no pod. */
async function serverState({ view, nodes }: Pick<World, 'view' | 'nodes'>, { app, server, node }: { readonly app: string; readonly server: string; readonly node: string }) {
  const state = createServerStateDesc()
  const { return: code, result } = await attempt(async () => {
    const { row, pod } = site(view, app, server, node)
    const tserver = view.tserver(row.name)
    Object.assign(state, {
      ...statesOf(pod),
      patchVersion: pod?.releaseId ?? '',
      patchTime: plainTime(row.release?.time),
      patchUser: tserver?.metadata.annotations?.[annotations.releasedBy] ?? '',
    })
    if (pod === undefined && row.replicas === 0) {
      state.settingStateInReg = 'inactive'
      return done('Success: it has no pods, and shall have none')
    }
    if (pod === undefined || pod.ip === '') throw new Refusal(codes.timeout, `TimeOut: the node ${node} of ${app}.${server} has no pod that could answer`)
    const answer = await nodes.stateOf({ row, pod })
    if (answer === undefined) return done('Success')
    if (answer.return === codes.success) Object.assign(state, { presentStateInNode: stateNames[answer.info.serverState] ?? '', processId: answer.info.processId })
    return { return: answer.return, result: answer.result }
  })
  return { return: code, state, result }
}

function statesOf(pod: PodRow | undefined): Pick<ServerStateDesc, 'settingStateInReg' | 'presentStateInReg' | 'presentStateInNode' | 'processId'> {
  const runs = pod !== undefined && isActive(pod)
  return {
    settingStateInReg: pod?.settingState === 'Inactive' ? 'inactive' : 'active',
    presentStateInReg: runs ? 'active' : 'inactive',
    presentStateInNode: runs ? 'Active' : 'Inactive',
    processId: Number(pod?.pid) || 0,
  }
}
