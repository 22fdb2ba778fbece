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

/**
 * The pod of a server by its name, its DNS name, its address, or the name that it was given by insertServerConf.
 * @throws Refusal 1003, 1001
 */
export function place(view: Servers, app: string, server: string, node: string): Place {
  const row = serverNamed(view, app, server)
  const named = nodeNames(view.tserver(row.name)).indexOf(node)
  const pod = row.pods.find((candidate) => isCalled(candidate, row, node)) ?? row.pods.find(({ name }) => named >= 0 && name === `${row.name}-${named}`)
  if (pod === undefined) throw new Refusal(codes.noNode, `${app}.${server} has no node ${node}`, `its nodes are ${row.pods.map(({ name }) => name).join(', ') || 'none'}`)
  return { row, pod }
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
