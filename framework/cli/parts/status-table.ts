// The table of `status`. Pure.
import type { PodRow, ServerRow } from '../../admin/contract.ts'
import { ageSince } from './age.ts'
import { shownName } from './names.ts'
import { renderTable, type Column } from './table.ts'

/** A line: a server's first pod carries the server's own columns. */
interface Line {
  readonly server: ServerRow | undefined
  readonly pod: PodRow | undefined
  readonly message: string
}

/** @param nowMs milliseconds since the epoch  @param width columns of the terminal; undefined when the output goes elsewhere */
export function statusTable(servers: readonly ServerRow[], nowMs: number, width?: number): string {
  const columns: readonly Column<Line>[] = [
    { title: 'SERVER', value: ({ server }) => (server === undefined ? '' : shownName(server)) },
    { title: 'TYPE', value: ({ server }) => (server === undefined ? '' : server.type === '' ? server.subType : server.type) },
    { title: 'RELEASE', value: ({ server }) => (server === undefined ? '' : (server.release?.id ?? '-')) },
    { title: 'READY', value: ({ server }) => (server === undefined ? '' : `${server.ready}/${server.replicas}`) },
    { title: 'STATE', value: ({ server }) => server?.state ?? '' },
    { title: 'POD', value: ({ pod }) => pod?.name ?? '-' },
    { title: 'POD STATE', value: ({ pod }) => (pod === undefined ? '-' : podState(pod)) },
    { title: 'PID', value: ({ pod }) => (pod?.pid ?? '') || '-', right: true },
    { title: 'RESTARTS', value: ({ pod }) => pod?.restarts.toString() ?? '-', right: true },
    { title: 'AGE', value: ({ pod }) => (pod === undefined ? '-' : ageSince(pod.startTime, nowMs)), right: true },
    { title: 'MESSAGE', value: ({ message }) => message },
  ]
  return renderTable(columns, servers.flatMap(linesOf), width)
}

function linesOf(server: ServerRow): Line[] {
  if (server.pods.length === 0) return [{ server, pod: undefined, message: server.message }]
  const said = server.pods.some(({ message }) => message === server.message)
  return server.pods.map((pod, index) => ({ server: index === 0 ? server : undefined, pod, message: pod.message || (index === 0 && !said ? server.message : '') }))
}

/** What is, and what is wanted where that differs. */
export function podState({ settingState, presentState }: PodRow): string {
  return settingState === 'Active' || settingState === presentState ? presentState : `${presentState} (${settingState})`
}
