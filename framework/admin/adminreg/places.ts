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

/** The TServers of a server: the first one, and its variants. */
export function serversNamed(view: Servers, app: string, server: string): readonly ServerRow[] {
  return view.servers().filter((row) => row.app === app && row.server === server)
}

/** The same, of which there is one at least. @throws Refusal 1003 */
export function knownServers(view: Servers, app: string, server: string): readonly ServerRow[] {
  const rows = serversNamed(view, app, server)
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

/** The pod of any server. @throws Refusal 1001 */
export function placeOfNode(view: Servers, node: string): Place {
  for (const row of view.servers()) {
    const pod = row.pods.find((candidate) => isCalled(candidate, row, node))
    if (pod !== undefined) return { row, pod }
  }
  throw new Refusal(codes.noNode, `there is no node ${node}`, 'getAllNodeNames lists them all')
}

function isCalled({ name, ip }: PodRow, row: ServerRow, node: string): boolean {
  return node !== '' && (node === name || node === ip || node === `${name}.${row.name}` || node.startsWith(`${name}.${row.name}.`))
}

/** Names that a server's nodes were given, by the number of the pod. */
export function nodeNames(server: TServer | undefined): readonly string[] {
  return (server?.metadata.annotations?.[annotations.nodeNames] ?? '').split(',').filter((name) => name !== '')
}

/** The number of a StatefulSet's pod; undefined for any other. */
export function ordinalOf({ row, pod }: Place): number | undefined {
  const rest = pod.name.startsWith(`${row.name}-`) ? pod.name.slice(row.name.length + 1) : ''
  return /^\d{1,4}$/.test(rest) ? Number(rest) : undefined
}
