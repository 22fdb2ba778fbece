// Nodes that leave their servers. Kubernetes takes pods away from the highest number down; native's callers take nodes in any order.
import { annotations } from '#api/names.ts'
import { resources } from '#api/resources.ts'
import type { TServer } from '#api/types.ts'
import { retry } from '#base/retry.ts'
import { isConflict } from '#kube/errors.ts'
import { fieldManager, liveServer } from './change.ts'
import { commandNode, verbs } from './commands.ts'
import { codes, done, Refusal, type Outcome } from './outcome.ts'
import { leavingNodes, nodeNames, ordinalOf, ownPlace } from './places.ts'
import type { World } from './world.ts'

interface NodeOf {
  readonly app: string
  readonly server: string
  readonly node: string
}

/** What it does depends on which nodes there are: when somebody has changed that meanwhile, it looks again. */
export function leave(world: World, which: NodeOf): Promise<Outcome> {
  return retry(() => leaveNow(world, which), { when: isConflict, baseMs: 20 })
}

/**
 * Takes a node away from its server, with the last one the server. The pod of one that others with higher numbers keep in its place is
 * stopped, and goes with theirs; that is only for nodes that insertServerConf has named, as people scale what they made.
 */
async function leaveNow(world: World, { app, server, node }: NodeOf): Promise<Outcome> {
  const { client, namespace, view } = world
  const current = await liveServer(client, { namespace, app, server })
  if (current === undefined) throw new Refusal(codes.noServer, `there is no server ${app}.${server}`)
  if (current.spec.k8s.daemonSet) throw new Refusal(codes.cannot, `${app}.${server} has a pod on every node`, 'delete the TServer, or take its label from the node')
  const named = nodeNames(current)
  const index = named.includes(node) ? named.indexOf(node) : ordinalOf(ownPlace(view, app, server, node))
  const name = named[index ?? -1] ?? node
  const count = countOf(current)
  const { name: object, uid = '', resourceVersion = '' } = current.metadata
  if (remaining(current, index, name) === 0) {
    await client.delete(resources.tservers, { namespace, name: object }, { preconditions: { uid, resourceVersion } })
    return done(`Success: ${app}.${server} is removed`)
  }
  if (named.length === 0 && index !== count - 1) throw new Refusal(codes.cannot, `${node} is not the last node of ${app}.${server}`, `nodes leave in reverse order: first ${object}-${count - 1}`)
  const { metadata, spec } = without(current, index, name)
  await client.patch(resources.tservers, { namespace, name: object }, { metadata: { ...metadata, resourceVersion }, spec }, { fieldManager })
  if (index === count - 1) return done(`Success: ${app}.${server} has left ${node}`)
  await commandNode(world, [app, server, node], verbs.stop)
  return done(`Success: ${app}.${server} has left ${node}, whose pod goes when those with higher numbers have gone`)
}

const countOf = (server: TServer): number => Math.max(server.spec.k8s.replicas ?? 0, nodeNames(server).length)

/** How many nodes stay in their places when one more leaves. */
function remaining(server: TServer, index: number | undefined, name: string): number {
  const [names, leaving] = [nodeNames(server), [...leavingNodes(server), name]]
  let count = countOf(server)
  while (count > 0 && (count - 1 === index || leaving.includes(names[count - 1] ?? ''))) count--
  return count
}

function without(server: TServer, index: number | undefined, name: string): { readonly metadata?: object; readonly spec: object } {
  const [names, rest] = [nodeNames(server), remaining(server, index, name)]
  const staying = names.slice(0, rest)
  const leaving = [...new Set([...leavingNodes(server), name])].filter((one) => staying.includes(one))
  return {
    ...(names.length === 0 ? {} : { metadata: { annotations: { [annotations.nodeNames]: staying.join(','), ...leavingAnnotation(leaving) } } }),
    spec: { k8s: { replicas: Math.min(server.spec.k8s.replicas ?? 0, rest) } },
  }
}

/** As a patch has it. */
export function leavingAnnotation(names: readonly string[]): Record<string, string | null> {
  return { [annotations.leavingNodes]: names.length === 0 ? null : names.join(',') }
}
