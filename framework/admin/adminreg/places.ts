// Which server and which pod a caller means. Native callers name machines; here a node is a pod.
import { annotations, serverObjectName } from '#api/names.ts'
import type { TServer } from '#api/types.ts'
import type { PodRow, ServerRow } from '../contract.ts'
import type { View } from '../model/view.ts'
import { codes, Refusal } from './outcome.ts'

export interface Place {
  readonly row: ServerRow
  readonly pod: PodRow
}

/** The parts of a view that are looked up here. */
export type Servers = Pick<View, 'server' | 'servers' | 'tserver'>

/** @throws Refusal 1003 */
export function serverNamed(view: Servers, app: string, server: string): ServerRow {
  const row = view.server(serverObjectName(app, server))
  if (row !== undefined && row.app === app && row.server === server) return row
  throw new Refusal(codes.noServer, `there is no server ${app}.${server}`, 'getServerTree lists them all')
}

/** The TServers of a server: the first one, and its variants; there is one at least. @throws Refusal 1003 */
export function knownServers(view: Servers, app: string, server: string): readonly ServerRow[] {
  const rows = view.servers().filter((row) => row.app === app && row.server === server)
  return rows.length > 0 ? rows : [serverNamed(view, app, server)]
}

/**
 * The pod of a server, or of a variant of it, by its name, its DNS name, its address, or the name that it was given by insertServerConf.
 * @throws Refusal 1003, 1001
 */
export function place(view: Servers, app: string, server: string, node: string): Place {
  const rows = knownServers(view, app, server)
  for (const row of rows) {
    const pod = row.pods.find((candidate) => isCalled(candidate, row, node)) ?? givenNode(view, row, node)
    if (pod !== undefined) return { row, pod }
  }
  throw new Refusal(codes.noNode, `${app}.${server} has no node ${node}`, `its nodes are ${rows.flatMap(({ pods }) => pods.map(({ name }) => name)).join(', ') || 'none'}`)
}

/** Whether a node is one of a TServer's: a pod of it, or a name that it was given. */
export function hasNode(view: Servers, server: TServer, node: string): boolean {
  const row = view.server(server.metadata.name)
  return nodeNames(server).includes(node) || row?.pods.some((pod) => isCalled(pod, row, node)) === true
}

function givenNode(view: Servers, row: ServerRow, node: string): PodRow | undefined {
  const index = nodeNames(view.tserver(row.name)).indexOf(node)
  return index < 0 ? undefined : row.pods.find(({ name }) => name === `${row.name}-${index}`)
}

/**
 * Finds the pod of any server by what {@link place} takes; of a name that several servers' nodes were given, as those of one machine
 * are, the first. For many names: one look over all pods.
 */
export function nodeFinder(view: Servers): (node: string) => Place | undefined {
  const rows = view.servers()
  const byName = new Map<string, Place>()
  const add = (name: string, place: Place): void => void (name === '' || byName.has(name) || byName.set(name, place))
  for (const row of rows) for (const pod of row.pods) for (const name of [pod.name, pod.ip]) add(name, { row, pod })
  for (const row of rows) nodeNames(view.tserver(row.name)).forEach((name, index) => {
    const found = byName.get(`${row.name}-${index}`)
    if (found?.row === row) add(name, found)
  })
  return (node) => {
    const ofDns = byName.get(node.split('.', 1)[0] ?? '')
    return byName.get(node) ?? (ofDns !== undefined && isCalled(ofDns.pod, ofDns.row, node) ? ofDns : undefined)
  }
}

/** @throws Refusal 1001 */
export function placeOfNode(view: Servers, node: string): Place {
  const found = nodeFinder(view)(node)
  if (found === undefined) throw new Refusal(codes.noNode, `there is no node ${node}`, 'getAllNodeNames lists them all')
  return found
}

/** What a pod's node is called by those who named it, else the pod's own name. */
export function nodeNameOf(view: Servers, place: Place): string {
  const number = ordinalOf(place)
  return (number === undefined ? undefined : nodeNames(view.tserver(place.row.name))[number]) ?? place.pod.name
}

function isCalled({ name, ip }: PodRow, row: ServerRow, node: string): boolean {
  return node !== '' && (node === name || node === ip || node === `${name}.${row.name}` || node.startsWith(`${name}.${row.name}.`))
}

/** Names that a server's nodes were given, by the number of the pod. */
export const nodeNames = (server: TServer | undefined): readonly string[] => namesIn(server, annotations.nodeNames)
/** Those of them that have left, and whose pods wait for others to go first. */
export const leavingNodes = (server: TServer | undefined): readonly string[] => namesIn(server, annotations.leavingNodes)

function namesIn(server: TServer | undefined, annotation: string): readonly string[] {
  return (server?.metadata.annotations?.[annotation] ?? '').split(',').filter((name) => name !== '')
}

/** Nodes are added and taken away where native's callers know them: in the first TServer of a server. @throws Refusal 1003, 1001, 1011 */
export function ownPlace(view: Servers, app: string, server: string, node: string): Place {
  const found = place(view, app, server, node)
  if (found.row.variant !== undefined) throw new Refusal(codes.cannot, `${node} is of the variant ${found.row.variant} of ${app}.${server}`, `change it by "tarsk8s deploy --app ${app} --server ${server}/${found.row.variant}"`)
  return found
}

/** The TServer of a node, and the pod when there is one by now: after a first release pods are to come. @throws Refusal 1003, 1001 */
export function site(view: Servers, app: string, server: string, node: string): { readonly row: ServerRow; readonly pod?: PodRow } {
  const coming = knownServers(view, app, server).find((row) => nodeNames(view.tserver(row.name)).includes(node) || ordinalIn(row, node) < row.replicas)
  try {
    return place(view, app, server, node)
  } catch (error) {
    if (coming !== undefined) return { row: coming }
    throw error
  }
}

/** The number in the name of a TServer's pod; infinite for any other name. */
function ordinalIn({ name }: ServerRow, pod: string): number {
  return pod.startsWith(`${name}-`) && /^\d{1,4}$/.test(pod.slice(name.length + 1)) ? Number(pod.slice(name.length + 1)) : Infinity
}

/** The number of a StatefulSet's pod; undefined for any other. */
export function ordinalOf({ row, pod }: Place): number | undefined {
  const number = ordinalIn(row, pod.name)
  return number === Infinity ? undefined : number
}
